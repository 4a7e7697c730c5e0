"""The form a model fills in, and how its reply is read: the names and words here speak to the model."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pigeonhole.domain.document import Analysis, Issue, Reply
from pigeonhole.domain.policy import Reason
from pigeonhole.domain.taxonomy import Taxonomy

_NO_RUNNER_UP = "none"


class AnswerForm(BaseModel):
    """The form the model fills in; evidence and summary come first, so that the choice rests on them."""

    model_config = ConfigDict(frozen=True)

    evidence: list[str] = Field(
        description="Up to 3 short verbatim quotes from the document, at most 300 characters each, that "
        "show which category it belongs to. Empty if it has no legible text."
    )
    title: str = Field(description="The document's own title, or a fitting one; at most 200 characters.")
    summary: str = Field(
        description="Two to four sentences: what it is, between whom, about what, with the figures and "
        "dates that matter; at most 1,500 characters."
    )
    language: str = Field(description="Main language as an ISO 639-1 code, such as en; und if unknown.")
    keywords: list[str] = Field(description="Up to 10 keywords, at most 50 characters each.")
    issue: Issue = Field(
        description="none, unless: unreadable = too little legible content to tell what it is; truncated = "
        "it plainly breaks off, and what is missing matters; none_of_these = it is legible but fits no "
        "category; mixed_documents = several unrelated documents in one file."
    )
    category: str = Field(description="The best category; the nearest one if none fits.")
    confidence: int = Field(
        description="0-100, how likely the category is right: 95 = 19 of 20 such choices are right, "
        "80 = 4 of 5, 50 = as good as a coin."
    )
    runner_up: str = Field(description="The next best category, or none.")
    runner_up_confidence: int = Field(description="0-100 on the same scale, for the runner-up.")


class UnusableReplyError(ValueError):
    """The reply holds no usable answer; `defect` is why."""

    def __init__(self, defect: Reason) -> None:
        super().__init__(defect)
        self.defect = defect


@lru_cache(maxsize=4)
def schema(taxonomy: Taxonomy) -> dict[str, Any]:
    """The form as a JSON schema of the kind the API takes: no bounds, nothing optional, closed enums."""
    properties = {
        name: {key: value for key, value in spec.items() if key != "title"}
        for name, spec in AnswerForm.model_json_schema()["properties"].items()
    }
    properties["category"]["enum"] = list(taxonomy.slugs)
    properties["runner_up"]["enum"] = [*taxonomy.slugs, _NO_RUNNER_UP]
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def interpret(reply: Reply, taxonomy: Taxonomy) -> Analysis:
    """What the reply says, its bounds enforced since the API enforces none; UnusableReplyError."""
    if reply.stop_reason == "refusal":
        raise UnusableReplyError(Reason.REFUSED)
    if reply.stop_reason in ("max_tokens", "model_context_window_exceeded"):
        raise UnusableReplyError(Reason.TRUNCATED_ANSWER)
    try:
        answer = AnswerForm.model_validate_json(reply.text)
    except ValidationError as error:
        raise UnusableReplyError(Reason.INVALID_ANSWER) from error
    return _analysis(answer, taxonomy)


def _analysis(answer: AnswerForm, taxonomy: Taxonomy) -> Analysis:
    # The API does not promise an enum's capitals.
    category, runner_up = answer.category.casefold(), answer.runner_up.casefold()
    if category not in taxonomy.slugs:
        raise UnusableReplyError(Reason.INVALID_ANSWER)
    if runner_up == category or runner_up not in taxonomy.slugs:
        runner_up = _NO_RUNNER_UP
    return Analysis(
        category=category,
        confidence=_percent(answer.confidence),
        runner_up=None if runner_up == _NO_RUNNER_UP else runner_up,
        runner_up_confidence=0 if runner_up == _NO_RUNNER_UP else _percent(answer.runner_up_confidence),
        title=_cut(answer.title, 200),
        summary=_cut(answer.summary, 1500),
        language=_cut(answer.language, 20),
        keywords=tuple(_cut(word, 50) for word in answer.keywords[:10] if word.strip()),
        evidence=tuple(_cut(quote, 300) for quote in answer.evidence[:3] if quote.strip()),
        issue=answer.issue,
    )


def _cut(text: str, chars: int) -> str:
    """At three bytes a character, which the living languages keep to, so that a row's size has a bound."""
    return text[:chars].encode()[: 3 * chars].decode(errors="ignore")


def _percent(value: int) -> int:
    return max(0, min(100, value))
