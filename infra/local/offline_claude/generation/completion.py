"""Completes a request: the text or tool call and the stop reason, changed as a fault in force demands."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from infra.local.offline_claude.classifier.analysis import Analysis, analyse
from infra.local.offline_claude.generation.schema_filling import fill_schema, offered_categories
from infra.local.offline_claude.request.message_request import MessageRequest

INVENTED_QUOTE = "This sentence stands nowhere in the document that was sent."
UNKNOWN_CATEGORY = "not_in_the_list"
MAX_LOW_CONFIDENCE = 35
REFUSAL = "The offline Claude was told to refuse this document."


@dataclass(frozen=True, kw_only=True)
class Completion:
    """The text of an answer, or a tool call with its name and input, and why the model stopped."""

    text: str
    tool_call: dict[str, Any] | None = None
    stop_reason: str = "end_turn"
    stop_details: dict[str, str] | None = None


def complete(request: MessageRequest, *, fault: str | None, low_confidence: bool) -> Completion:
    """The completion of a request.

    `fault` is the kind of a fault that changes answers, if one is in force; with `low_confidence` the answer
    is correct but states a confidence of 35 at most.
    """
    if fault == "refusal":
        details = {"type": "refusal", "category": "general_harms", "explanation": REFUSAL}
        return Completion(text="I can't help with that.", stop_reason="refusal", stop_details=details)
    tool = request.forced_tool
    schema = tool.get("input_schema") if tool else request.schema
    analysis = _analysis(request, schema, low_confidence=low_confidence or fault == "low_confidence")
    if not schema:
        return Completion(text=f"Offline Claude: {analysis.category}. {analysis.summary}")
    value = _with_fault(fill_schema(schema, asdict(analysis)), fault)
    if tool:
        return Completion(text="", tool_call={"name": tool["name"], "input": value}, stop_reason="tool_use")
    return _text_completion(json.dumps(value, ensure_ascii=False, separators=(",", ":")), fault)


def _analysis(request: MessageRequest, schema: dict[str, Any] | None, *, low_confidence: bool) -> Analysis:
    analysis = analyse(
        request.document,
        request.content.system_text,
        offered_categories(schema or {}),
        images=len(request.content.images),
        strong=request.model.line != "haiku",
    )
    if not low_confidence:
        return analysis
    confidence = min(analysis.confidence, MAX_LOW_CONFIDENCE)
    return replace(analysis, confidence=confidence, runner_up_confidence=max(0, confidence - 5))


def _with_fault(value: Any, fault: str | None) -> Any:
    if fault == "quote_not_in_document":
        return _replace_everywhere(
            value, "evidence", lambda old: [INVENTED_QUOTE] if isinstance(old, list) else INVENTED_QUOTE
        )
    if fault == "wrong_category":
        return _replace_everywhere(value, "category", lambda _: UNKNOWN_CATEGORY)
    if fault == "other_capitals":
        return _replace_everywhere(value, "category", lambda old: str(old).upper())
    return value


def _replace_everywhere(value: Any, name: str, replace_value: Any) -> Any:
    if isinstance(value, list):
        return [_replace_everywhere(one, name, replace_value) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: replace_value(one) if key == name else _replace_everywhere(one, name, replace_value)
        for key, one in value.items()
    }


def _text_completion(text: str, fault: str | None) -> Completion:
    if fault == "truncated":
        return Completion(text=text[: len(text) // 2], stop_reason="max_tokens")
    if fault == "invalid_json":
        return Completion(text=text[:-1] + ",,")
    return Completion(text=text)
