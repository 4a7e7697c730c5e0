"""What the model would say to a question: text and stop reason, before and after a fault has spoiled it."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from infra.local.offline_claude.classifier.analysis import Analysis, analyse
from infra.local.offline_claude.generation.schema_filling import fill, offered_categories
from infra.local.offline_claude.request.message_request import MessageRequest

FOREIGN_QUOTE = "This sentence stands nowhere in the document that was sent."
WRONG_CATEGORY = "not_in_the_list"
UNSURE = 35
REFUSAL = "The offline Claude was told to refuse this document."


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The words of an answer, or the input of a tool, and why it stopped."""

    text: str
    tool: dict[str, Any] | None = None
    stop_reason: str = "end_turn"
    stop_details: dict[str, str] | None = None


def answer(request: MessageRequest, *, fault: str | None, unsure: bool) -> Answer:
    """The answer to a question, spoiled as the fault says."""
    if fault == "refusal":
        details = {"type": "refusal", "category": "general_harms", "explanation": REFUSAL}
        return Answer(text="I can't help with that.", stop_reason="refusal", stop_details=details)
    tool = request.forced_tool
    schema = tool.get("input_schema") if tool else request.schema
    analysis = _analysis(request, schema, unsure=unsure or fault == "low_confidence")
    if not schema:
        return Answer(text=f"Offline Claude: {analysis.category}. {analysis.summary}")
    value = _spoiled(fill(schema, asdict(analysis)), fault)
    if tool:
        return Answer(text="", tool={"name": tool["name"], "input": value}, stop_reason="tool_use")
    return _cut(json.dumps(value, ensure_ascii=False, separators=(",", ":")), fault)


def _analysis(request: MessageRequest, schema: dict[str, Any] | None, *, unsure: bool) -> Analysis:
    analysis = analyse(
        request.document,
        request.content.system_text,
        offered_categories(schema or {}),
        images=len(request.content.images),
        strong=request.model.line != "haiku",
    )
    sure = min(analysis.confidence, UNSURE)
    return replace(analysis, confidence=sure, runner_up_confidence=max(0, sure - 5)) if unsure else analysis


def _spoiled(value: Any, fault: str | None) -> Any:
    if fault == "quote_not_in_document":
        return _replaced(
            value, "evidence", lambda said: [FOREIGN_QUOTE] if isinstance(said, list) else FOREIGN_QUOTE
        )
    if fault == "wrong_category":
        return _replaced(value, "category", lambda _: WRONG_CATEGORY)
    if fault == "other_capitals":
        return _replaced(value, "category", lambda said: str(said).upper())
    return value


def _replaced(value: Any, name: str, change: Any) -> Any:
    if isinstance(value, list):
        return [_replaced(one, name, change) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: change(one) if key == name else _replaced(one, name, change) for key, one in value.items()}


def _cut(text: str, fault: str | None) -> Answer:
    if fault == "truncated":
        return Answer(text=text[: len(text) // 2], stop_reason="max_tokens")
    if fault == "invalid_json":
        return Answer(text=text[:-1] + ",,")
    return Answer(text=text)
