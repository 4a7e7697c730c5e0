"""Whether an answer stands: a pure function from what was seen to a verdict, and its numbers."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why an answer does not stand by itself; readers of rows rely on the values."""

    LOW_CONFIDENCE = "low_confidence"
    NARROW_MARGIN = "narrow_margin"
    QUOTE_NOT_FOUND = "quote_not_found"
    MIXED_DOCUMENTS = "mixed_documents"
    POLICY_CATEGORY = "policy_category"
    # The reply holds no usable answer.
    REFUSED = "refused"
    TRUNCATED_ANSWER = "truncated_answer"
    INVALID_ANSWER = "invalid_answer"
    # What the model itself said of the document.
    UNREADABLE = "unreadable"
    TRUNCATED = "truncated"
    NONE_OF_THESE = "none_of_these"


# Nothing that a stronger model could add: a person decides.
_FOR_A_PERSON = frozenset({Reason.UNREADABLE, Reason.TRUNCATED, Reason.NONE_OF_THESE})
# For which the final tier is asked before a person: another opinion may be surer, or usable at all.
FINAL_HELPS_WITH = frozenset(
    {
        Reason.LOW_CONFIDENCE,
        Reason.QUOTE_NOT_FOUND,
        Reason.REFUSED,
        Reason.TRUNCATED_ANSWER,
        Reason.INVALID_ANSWER,
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Thresholds:
    """When a tier's answer stands, in whole percents, as the models state them.

    `margin` is the least lead over the runner-up, or None where it does not matter; `heeds_category` says
    whether a category that wants a second opinion is a reason for one.
    """

    confidence: int
    margin: int | None = None
    heeds_category: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Signals:
    """All that the policy looks at; kept with the reply, so that it can be tuned on what happened.

    `defect` is set when there is no usable answer; the rest then has no meaning. `quotes_missing` counts
    quotes that the text does not hold; it is None where nothing can be compared, since part of the document
    was only looked at.
    """

    defect: Reason | None = None
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
    """The next tier has to read it, for these reasons."""

    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """A person has to look at it, for these reasons."""

    reasons: tuple[Reason, ...]


def judge(signals: Signals, thresholds: Thresholds, escalates_for: Set[Reason]) -> Accept | Escalate | Review:
    """Keep an answer only when nothing speaks against it.

    The next tier is asked when it may help with every reason; otherwise, and where there is no next tier
    (`escalates_for` is empty), a person looks.
    """
    if signals.defect is None and signals.issue in _FOR_A_PERSON:
        return Review((Reason(signals.issue),))
    reasons = (signals.defect,) if signals.defect else tuple(_doubts(signals, thresholds))
    if not reasons:
        return Accept()
    return Escalate(reasons) if escalates_for >= set(reasons) else Review(reasons)


def _doubts(signals: Signals, thresholds: Thresholds) -> list[Reason]:
    is_narrow = thresholds.margin is not None and signals.margin < thresholds.margin
    wants_another = thresholds.heeds_category and signals.second_opinion
    return [
        *([Reason.MIXED_DOCUMENTS] if signals.issue == Reason.MIXED_DOCUMENTS else []),
        *([Reason.LOW_CONFIDENCE] if signals.confidence < thresholds.confidence else []),
        *([Reason.QUOTE_NOT_FOUND] if signals.quotes_missing else []),
        *([Reason.NARROW_MARGIN] if is_narrow else []),
        *([Reason.POLICY_CATEGORY] if wants_another else []),
    ]
