"""What the offline Claude accepts and refuses, model by model, as the real one is documented to."""

from __future__ import annotations

import io
from base64 import b64encode
from typing import Any

import anthropic
import pytest
from PIL import Image

from tests.contract.offline_claude.client import ANSWER_SCHEMA, Claude, obj, output

HAIKU, SONNET, OPUS, OLD_HAIKU, OLD_SONNET = (
    "claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-4-5", "claude-sonnet-4-6",
)  # fmt: skip
TOOL = {
    "tools": [{"name": "sort", "input_schema": ANSWER_SCHEMA}],
    "tool_choice": {"type": "any"},
    "output_config": None,
}
PREFILL = {
    "output_config": None,
    "messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "{"}],
}


def thinking(kind: str, **more: Any) -> dict[str, Any]:
    return {"thinking": {"type": kind, **more}}


def effort(level: str) -> dict[str, Any]:
    return {"output_config": output(ANSWER_SCHEMA, effort=level)}


LEGAL: list[tuple[str, dict[str, Any]]] = [
    (HAIKU, thinking("adaptive")),
    (HAIKU, thinking("disabled") | effort("high")),
    (HAIKU, effort("max")),
    (HAIKU, TOOL),
    (HAIKU, {"temperature": 1}),
    (SONNET, thinking("between_tools") | effort("medium")),
    (SONNET, thinking("adaptive") | effort("xhigh")),
    (SONNET, {"max_tokens": 20_000}),
    (OPUS, thinking("adaptive") | effort("max")),
    (OPUS, {"max_tokens": 128_000, "timeout": 5}),
    (OLD_HAIKU, thinking("enabled", budget_tokens=1024)),
    (OLD_HAIKU, thinking("disabled")),
    (OLD_HAIKU, {"temperature": 0.2, "top_k": 5}),
    (OLD_HAIKU, TOOL),
    (OLD_HAIKU, PREFILL),
    (OLD_SONNET, thinking("adaptive") | effort("max")),
    (OLD_SONNET, TOOL),
]
ILLEGAL: list[tuple[str, dict[str, Any], str]] = [
    (HAIKU, thinking("enabled", budget_tokens=1024), "thinking.type.enabled"),
    (HAIKU, thinking("between_tools"), "thinking.type.between_tools"),
    (HAIKU, thinking("disabled") | effort("xhigh"), "effort"),
    (HAIKU, {"temperature": 0.5}, "temperature"),
    (HAIKU, {"top_k": 3}, "top_k"),
    (HAIKU, PREFILL, "prefill"),
    (HAIKU, effort("huge"), "effort"),
    (HAIKU, {"max_tokens": 128_001, "timeout": 5}, "128000"),
    (HAIKU, {"max_tokens": 0}, "max_tokens"),
    (HAIKU, {"stop_sequences": [" "]}, "stop_sequences"),
    (SONNET, thinking("disabled"), "thinking.type.disabled"),
    (SONNET, thinking("enabled", budget_tokens=1024), "thinking.type.enabled"),
    (SONNET, thinking("between_tools") | effort("max"), "effort"),
    (SONNET, TOOL, "tool_choice"),
    (SONNET, PREFILL, "prefill"),
    (SONNET, {"top_p": 0.9}, "top_p"),
    (OPUS, thinking("disabled") | effort("low"), "thinking.type.disabled"),
    (OPUS, thinking("enabled", budget_tokens=1024), "thinking.type.enabled"),
    (OPUS, thinking("between_tools"), "thinking.type.between_tools"),
    (OPUS, TOOL, "tool_choice"),
    (OPUS, PREFILL, "prefill"),
    (OPUS, {"top_k": 3}, "top_k"),
    (OLD_HAIKU, thinking("adaptive"), "adaptive thinking is not supported on this model"),
    (OLD_HAIKU, thinking("enabled", budget_tokens=100), "budget_tokens"),
    (OLD_HAIKU, thinking("enabled", budget_tokens=2000), "max_tokens"),
    (OLD_HAIKU, effort("low"), "effort"),
    (OLD_HAIKU, TOOL | thinking("enabled", budget_tokens=1024), "tool_choice"),
    (OLD_HAIKU, PREFILL | {"output_config": output(ANSWER_SCHEMA)}, "prefill"),
    (OLD_SONNET, effort("xhigh"), "effort"),
    (OLD_SONNET, PREFILL, "prefill"),
    (OLD_SONNET, {"temperature": 0.5} | thinking("adaptive"), "temperature"),
]


@pytest.mark.parametrize(("model", "changes"), LEGAL)
def test_a_legal_parameter_is_taken(claude: Claude, model: str, changes: dict[str, Any]) -> None:
    assert claude.create(model=model, **changes).model == model


@pytest.mark.parametrize(("model", "changes", "named"), ILLEGAL)
def test_an_illegal_parameter_is_a_400_that_names_it(
    claude: Claude, model: str, changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(anthropic.BadRequestError) as exc_info:
        claude.create(model=model, **changes)
    assert exc_info.value.type == "invalid_request_error"
    assert named in str(exc_info.value.api_message)


@pytest.mark.parametrize(
    ("model", "changes", "thinks"),
    [(HAIKU, {}, True), (SONNET, {}, True), (OPUS, {}, True), (OLD_HAIKU, {}, False), (OLD_SONNET, {}, False),
     (HAIKU, thinking("disabled"), False), (SONNET, thinking("between_tools"), False), (HAIKU, TOOL, False),
     (OLD_SONNET, thinking("adaptive"), True)],
)  # fmt: skip
def test_a_model_that_thinks_answers_with_a_thinking_block_first(
    claude: Claude, model: str, changes: dict[str, Any], thinks: bool
) -> None:
    message = claude.create(model=model, **changes)
    assert (message.content[0].type == "thinking") is thinks
    assert message.usage.output_tokens_details is not None
    assert (message.usage.output_tokens_details.thinking_tokens > 0) is thinks


@pytest.mark.parametrize(("model", "default"), [(HAIKU, "medium"), (SONNET, "high"), (OPUS, "medium")])
def test_without_an_effort_a_model_thinks_as_much_as_with_its_default(
    claude: Claude, model: str, default: str
) -> None:
    unset, explicit = (claude.create(model=model, **changes).usage for changes in ({}, effort(default)))
    assert unset.output_tokens_details == explicit.output_tokens_details


@pytest.mark.parametrize(
    ("schema", "named"),
    [(obj({"a": {"type": "integer", "minimum": 0}}), "minimum"),
     (obj({"a": {"type": "string", "maxLength": 9}}), "maxLength"),
     (obj({"a": {"type": "array", "items": {"type": "string"}, "minItems": 2}}), "minItems"),
     (obj({"a": {"type": "array", "items": {"type": "string"}, "maxItems": 2}}), "maxItems"),
     ({"type": "object", "properties": {}}, "additionalProperties"),
     (obj({"a": {"type": "object", "properties": {}}}), "additionalProperties"),
     (obj({}, additionalProperties=True), "additionalProperties"),
     (obj({"a": {"$ref": "https://example.com/a.json"}}), "$ref"),
     (obj({"a": {"$ref": "#/$defs/A"}}, **{"$defs": {"A": obj({"a": {"$ref": "#/$defs/A"}})}}), "Recursion"),
     (obj({"a": {"type": "string", "format": "color"}}), "format"),
     (obj({"a": {"enum": [{}]}}), "enum"),
     (obj({"a": {}}), "type"),
     (obj({"a": {"type": "text"}}), "text"),
     (obj({"a": {"oneOf": [{"type": "string"}]}}), "type"),
     (obj({f"p{n}": {"type": "string"} for n in range(25)}, required=[]), "too complex"),
     ({"type": "array", "items": {"type": "string"}}, "object")],
    ids=lambda part: part if isinstance(part, str) else "",
)  # fmt: skip
def test_a_schema_beyond_the_supported_part_is_a_400_that_says_why(
    claude: Claude, schema: dict[str, Any], named: str
) -> None:
    with pytest.raises(anthropic.BadRequestError) as exc_info:
        claude.create(output_config=output(schema))
    assert str(exc_info.value.api_message).startswith("output_config.format.schema: ")
    assert named in str(exc_info.value.api_message)


def picture(width: int, height: int, kind: str = "PNG") -> dict[str, Any]:
    drawn = io.BytesIO()
    Image.new("1" if kind == "PNG" else "L", (width, height)).save(drawn, kind)
    return image(drawn.getvalue(), f"image/{kind.lower()}")


def image(data: bytes, media_type: str) -> dict[str, Any]:
    return {
        "type": "image",
        "source": {"type": "base64", "media_type": media_type, "data": b64encode(data).decode()},
    }


def labelled(media_type: str) -> dict[str, Any]:
    drawn = picture(10, 10)
    return drawn | {"source": drawn["source"] | {"media_type": media_type}}


def showing(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(blocks)}]}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_an_image_costs_its_patches(claude: Claude, kind: str) -> None:
    one, two = (
        claude.create(**showing(*[picture(280, 140, kind)] * count)).usage.input_tokens for count in (1, 2)
    )
    assert two - one == 10 * 5


@pytest.mark.parametrize(("model", "cap"), [(HAIKU, 4_784), (OLD_HAIKU, 1_568)])
def test_a_large_image_costs_no_more_than_the_models_cap(claude: Claude, model: str, cap: int) -> None:
    small, large = (
        claude.create(model=model, **showing(picture(side, side))).usage.input_tokens for side in (28, 7_000)
    )
    assert large - small == cap - 1


@pytest.mark.parametrize(
    ("blocks", "named"),
    [([picture(8_001, 10)], "8000 pixels"),
     ([picture(2_001, 10)] * 21, "2000 pixels"),
     ([labelled("image/jpeg")], "image/png image"),
     ([labelled("image/tiff")], "media_type"),
     ([image(b"no image at all", "image/png")], "Could not process image"),
     ([image(b"\x89PNG\r\n\x1a\n" + bytes(10 * 1024 * 1024), "image/png")], "exceeds 10 MB"),
     ([{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "%%"}}], "base64"),
     ([{"type": "text", "text": ""}], "non-empty"),
     ([], "non-empty")],
    ids=["wide", "many", "mislabelled", "tiff", "noise", "heavy", "not base64", "empty text", "nothing"],
)  # fmt: skip
def test_content_the_api_would_not_take_is_a_400(claude: Claude, blocks: list[Any], named: str) -> None:
    with pytest.raises(anthropic.BadRequestError, match=named):
        claude.create(**showing(*blocks))


def test_a_prompt_longer_than_the_context_window_is_a_400(claude: Claude) -> None:
    with pytest.raises(anthropic.BadRequestError, match=r"prompt is too long: .* > 200000 maximum"):
        claude.create("word " * 170_000, model=OLD_HAIKU)


def test_a_request_above_32_megabytes_is_a_413(claude: Claude) -> None:
    with pytest.raises(anthropic.ContentTooLargeError) as exc_info:
        claude.create("x" * (32 * 1024 * 1024))
    assert exc_info.value.response.json()["error"]["type"] == "request_too_large"
    assert claude.create().stop_reason == "end_turn"
