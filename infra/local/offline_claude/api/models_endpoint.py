"""GET /v1/models: what each model is and can do, in the form that the SDK reads."""

from typing import Any

from infra.local.offline_claude.spec.errors import not_found
from infra.local.offline_claude.spec.model_catalog import EFFORT_LEVELS, MODELS, Model

_CONTEXT_EDITS = ("clear_thinking_20251015", "clear_tool_uses_20250919", "compact_20260112")


def list_models() -> dict[str, Any]:
    """All models, the newest first."""
    models = sorted(MODELS.values(), key=lambda model: model.created_at, reverse=True)
    return {
        "data": [_info(model) for model in models],
        "has_more": False,
        "first_id": models[0].id,
        "last_id": models[-1].id,
    }


def get_model(model_id: str) -> dict[str, Any]:
    """The model with this id. Raises a 404 if there is none."""
    if model_id not in MODELS:
        raise not_found(f"model: {model_id}")
    return _info(MODELS[model_id])


def _info(model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "type": "model",
        "display_name": model.name,
        "line": model.line,
        "created_at": model.created_at,
        "lifecycle": "active",
        "deprecated_at": None,
        "retires_at": None,
        "max_input_tokens": model.context_tokens,
        "max_tokens": model.max_output_tokens,
        "capabilities": _capabilities(model),
    }


def _capabilities(model: Model) -> dict[str, Any]:
    flags = {"image_input": True, "structured_outputs": True, "batch": False, "citations": False,
             "code_execution": False, "pdf_input": False}  # fmt: skip
    return {name: _supported(supported) for name, supported in flags.items()} | {
        "effort": _supported(bool(model.effort_levels))
        | {name: _supported(name in model.effort_levels) for name in EFFORT_LEVELS},
        "thinking": _supported(True)
        | {"types": {name: _supported(name in model.thinking_types) for name in _THINKING_TYPES}},
        "context_management": _supported(False) | {name: _supported(False) for name in _CONTEXT_EDITS},
        "server_tools": _supported(False)
        | {"code_execution": _supported(False), "web_search": _supported(False)},
    }


_THINKING_TYPES = ("adaptive", "between_tools", "disabled", "enabled")


def _supported(supported: bool) -> dict[str, Any]:
    return {"supported": supported}
