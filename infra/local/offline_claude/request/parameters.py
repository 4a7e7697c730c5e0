"""Checks the parameters of a request against what its model accepts, with the documented error texts."""

from collections.abc import Callable
from typing import Any

from infra.local.offline_claude.request.json_schema import check_schema
from infra.local.offline_claude.spec.errors import ApiError, bad_request, not_found
from infra.local.offline_claude.spec.model_catalog import EFFORT_LEVELS, EFFORT_UP_TO_HIGH, MODELS, Model

# Sources: the Messages API reference and the 5.5 migration guides of platform.claude.com, August to October
# 2026; wordings also as quoted in public bug reports.

KNOWN_PARAMETERS = frozenset({
    "model", "max_tokens", "messages", "system", "metadata", "stop_sequences", "stream", "temperature",
    "top_p", "top_k", "thinking", "tools", "tool_choice", "output_config", "cache_control",
    "container", "diagnostics", "inference_geo", "service_tier", "speed", "user_profile_id", "workspace_id",
})  # fmt: skip


def requested_model(body: dict[str, Any]) -> Model:
    """The model that a request names. Raises a 400 if none is named, and a 404 if it does not exist."""
    name = body.get("model")
    if not isinstance(name, str):
        raise bad_request(
            "model: Field required" if name is None else "model: Input should be a valid string"
        )
    if name not in MODELS:
        raise not_found(f"model: {name}")
    return MODELS[name]


def check_parameters(body: dict[str, Any], model: Model, *, counting: bool = False) -> None:
    """Raise a 400 unless the model accepts every parameter; content blocks are checked with the content."""
    if unknown := sorted(body.keys() - KNOWN_PARAMETERS):
        raise bad_request(f"{unknown[0]}: Extra inputs are not permitted")
    for check in _COUNTING_CHECKS if counting else _CHECKS:
        check(body, model)


def _check_stream(body: dict[str, Any], _: Model) -> None:
    if body.get("stream"):
        raise bad_request("stream: The offline Claude does not stream; send the request without stream")


def _check_max_tokens(body: dict[str, Any], model: Model) -> None:
    given = body.get("max_tokens")
    if given is None:
        raise bad_request("max_tokens: Field required")
    if not isinstance(given, int) or isinstance(given, bool):
        raise bad_request("max_tokens: Input should be a valid integer")
    if given < 1:
        raise bad_request("max_tokens: Input should be greater than or equal to 1")
    if given > model.max_output_tokens:
        raise bad_request(
            f"max_tokens: {given} > {model.max_output_tokens}, which is the maximum allowed number of "
            f"output tokens for {model.id}"
        )


def _check_output_config(body: dict[str, Any], model: Model) -> None:
    config = _object(body, "output_config")
    if unknown := sorted(config.keys() - {"effort", "format"}):
        raise bad_request(f"output_config.{unknown[0]}: Extra inputs are not permitted")
    if config.get("effort") is not None:
        _check_effort(config["effort"], model)
    if config.get("format") is not None:
        output_format = _object(config, "format", "output_config.")
        if output_format.get("type") != "json_schema":
            raise bad_request("output_config.format.type: Input should be 'json_schema'")
        check_schema(output_format.get("schema"))


def _check_effort(effort: Any, model: Model) -> None:
    if effort not in EFFORT_LEVELS:
        raise bad_request("output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'")
    if not model.effort_levels:
        raise bad_request("This model does not support the effort parameter.")
    if effort not in model.effort_levels:
        raise bad_request(
            f"output_config.effort: '{effort}' is not supported for this model. "
            f"Supported values: {', '.join(model.effort_levels)}"
        )


def effort_of(body: dict[str, Any], model: Model) -> str:
    """The effort of a valid request, by default the model's."""
    return (body.get("output_config") or {}).get("effort") or model.default_effort


def thinking_of(body: dict[str, Any], model: Model) -> str:
    """The thinking type of a valid request, by default the model's."""
    return (body.get("thinking") or {}).get("type") or ("adaptive" if model.thinks_by_default else "disabled")


def _check_thinking(body: dict[str, Any], model: Model) -> None:
    if not body.get("thinking"):
        return
    kind = _object(body, "thinking").get("type")
    if kind not in ("adaptive", "enabled", "disabled", "between_tools"):
        raise bad_request(
            "thinking.type: Input should be 'adaptive', 'between_tools', 'disabled' or 'enabled'"
        )
    if kind not in model.thinking_types:
        raise _unsupported_thinking(kind)
    if kind == "enabled":
        _check_thinking_budget(body)
    if kind in ("disabled", "between_tools") and model.thinks_by_default:
        _check_reduced_thinking(kind, effort_of(body, model))


def _unsupported_thinking(kind: str) -> ApiError:
    if kind == "adaptive":
        return bad_request("adaptive thinking is not supported on this model")
    return bad_request(
        f'"thinking.type.{kind}" is not supported for this model. '
        'Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'
    )


def _check_thinking_budget(body: dict[str, Any]) -> None:
    budget = body["thinking"].get("budget_tokens")
    if not isinstance(budget, int) or budget < 1024:
        raise bad_request("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
    if "max_tokens" in body and budget >= body["max_tokens"]:
        raise bad_request("`max_tokens` must be greater than `thinking.budget_tokens`.")


def _check_reduced_thinking(kind: str, effort: str) -> None:
    if effort not in EFFORT_UP_TO_HIGH:
        raise bad_request(
            f"\"thinking.type.{kind}\" is not supported with effort '{effort}'. Use effort 'high' or lower."
        )


def _check_tools(body: dict[str, Any], model: Model) -> None:
    tools = body.get("tools") or []
    if not isinstance(tools, list) or not all(isinstance(tool, dict) and tool.get("name") for tool in tools):
        raise bad_request("tools: Input should be a list of tools, each with a name")
    choice = _object(body, "tool_choice").get("type", "auto")
    if choice not in ("auto", "none", "any", "tool"):
        raise bad_request("tool_choice.type: Input should be 'auto', 'any', 'none' or 'tool'")
    if choice in ("any", "tool"):
        _check_forced_tool(body, model, choice, {tool["name"] for tool in tools})


def _check_forced_tool(body: dict[str, Any], model: Model, choice: str, names: set[str]) -> None:
    if not model.forced_tool_choice:
        raise bad_request(f'tool_choice: "{choice}" is not supported for this model. Use "auto" or "none".')
    if not names:
        raise bad_request("tool_choice: Tool choice requires at least one tool")
    if choice == "tool" and body["tool_choice"].get("name") not in names:
        raise bad_request(f"Tool '{body['tool_choice'].get('name')}' not found in provided tools")
    if not model.thinks_by_default and thinking_of(body, model) != "disabled":
        raise bad_request("Thinking may not be enabled when tool_choice forces tool use.")


_SAMPLING_DEFAULTS = {"temperature": 1, "top_p": 1, "top_k": None}


def _check_sampling(body: dict[str, Any], model: Model) -> None:
    given = {name: body[name] for name in _SAMPLING_DEFAULTS if body.get(name) is not None}
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise bad_request(f"{name}: Input should be a valid number")
        if not model.sampling_parameters and value != _SAMPLING_DEFAULTS[name]:
            raise bad_request(f"{name}: non-default values are not supported for this model")
        if name != "top_k" and not 0 <= value <= 1:
            raise bad_request(f"{name}: range: 0..1")
    if given.get("temperature", 1) != 1 and thinking_of(body, model) != "disabled":
        raise bad_request("`temperature` may only be set to 1 when thinking is enabled.")


def _check_stop_sequences(body: dict[str, Any], _: Model) -> None:
    given = body.get("stop_sequences") or []
    if not isinstance(given, list) or not all(isinstance(one, str) and one.strip() for one in given):
        raise bad_request("stop_sequences: each stop sequence must contain non-whitespace")


def _object(body: dict[str, Any], name: str, prefix: str = "") -> dict[str, Any]:
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise bad_request(f"{prefix}{name}: Input should be a valid dictionary")
    return value or {}


_COUNTING_CHECKS: tuple[Callable[[dict[str, Any], Model], None], ...] = (
    _check_output_config,
    _check_thinking,
    _check_tools,
)
_CHECKS = (_check_stream, _check_max_tokens, *_COUNTING_CHECKS, _check_sampling, _check_stop_sequences)
