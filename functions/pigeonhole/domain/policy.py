"""Whether an answer stands: a pure function from what was seen to a verdict, and its numbers."""

from __future__ import annotations

from dataclasses import dataclass

# Nothing a stronger reader could add: a person decides.
_FOR_A_PERSON = frozenset({"unreadable", "truncated", "none_of_these"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Thresholds:
    """In whole percents, as the models state them."""

    fast_confidence: int = 85
    fast_margin: int = 15
    strong_confidence: int = 70


@dataclass(frozen=True, kw_only=True, slots=True)
class Signals:
    """All that the policy looks at; kept in the ledger, so that it can be tuned on what happened.

    `defect` is set when there is no usable answer: `refused`, `truncated_answer` or `invalid_answer`;
    the rest then has no meaning. `quotes_missing` counts quotes that the text does not hold; it is
    None where nothing can be compared, since part of the document was only looked at.
    """

    defect: str | None = None
    issue: str = "none"
    confidence: int = 0
    margin: int = 0
    quotes_missing: int | None = None
    second_opinion: bool = False


@dataclass(frozen=True, slots=True)
class Accept:
    """The answer stands."""


@dataclass(frozen=True, slots=True)
class Escalate:
    """The strong model has to read it, for these reasons."""

    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """A person has to look at it, for these reasons."""

    reasons: tuple[str, ...]


def judge_fast(seen: Signals, limits: Thresholds) -> Accept | Escalate | Review:
    """Keep the fast answer only when nothing speaks against it."""
    if seen.defect:
        return Escalate((seen.defect,))
    if seen.issue in _FOR_A_PERSON:
        return Review((seen.issue,))
    doubts = [
        *_doubts(seen, limits.fast_confidence),
        *(["narrow_margin"] if seen.margin < limits.fast_margin else []),
        *(["policy_category"] if seen.second_opinion else []),
    ]
    return Escalate(tuple(doubts)) if doubts else Accept()


def judge_strong(seen: Signals, limits: Thresholds) -> Accept | Review:
    """The strong answer stands, or a person looks: nobody is asked a third time."""
    if seen.defect:
        return Review((seen.defect,))
    if seen.issue in _FOR_A_PERSON:
        return Review((seen.issue,))
    doubts = _doubts(seen, limits.strong_confidence)
    return Review(tuple(doubts)) if doubts else Accept()


def _doubts(seen: Signals, confidence: int) -> list[str]:
    return [
        *(["mixed_documents"] if seen.issue == "mixed_documents" else []),
        *(["low_confidence"] if seen.confidence < confidence else []),
        *(["quote_not_found"] if seen.quotes_missing else []),
    ]
