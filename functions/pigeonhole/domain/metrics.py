"""Every metric that the functions emit: its name in CloudWatch, its unit, and what it counts.

The table is the only source of names and units. All metrics are in the namespace `NAMESPACE` and have one
dimension, `DIMENSION`, whose value is the stack's name; they are emitted once an invocation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

NAMESPACE = "Pigeonhole"
DIMENSION = "service"


class Unit(StrEnum):
    """CloudWatch's name of a unit; it has none for money, so dollars have `None`."""

    COUNT = "Count"
    PERCENT = "Percent"
    NONE = "None"


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """One metric: its unit, and in a sentence what is counted or measured."""

    unit: Unit
    meaning: str


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "Done": Metric(unit=Unit.COUNT, meaning="Documents that became `done`."),
        "NeedsReview": Metric(unit=Unit.COUNT, meaning="Documents that became `needs_review`."),
        "Failed": Metric(unit=Unit.COUNT, meaning="Documents that became `failed`."),
        "Removed": Metric(unit=Unit.COUNT, meaning="Documents that became `removed`."),
        "Escalated": Metric(unit=Unit.COUNT, meaning="Documents that became `escalated`."),
        "Parked": Metric(unit=Unit.COUNT, meaning="Documents that became `parked`, for whatever reason."),
        "OverCap": Metric(unit=Unit.COUNT, meaning="Documents that became `parked` for a spend cap."),
        "SpentUsd": Metric(
            unit=Unit.NONE,
            meaning="US dollars that calls of Claude have cost, by the tokens that their replies report.",
        ),
        "SpendPercent": Metric(
            unit=Unit.PERCENT,
            meaning="Share used of the cap of which most is used, reservations included; once every sweep.",
        ),
        "PromptTokens": Metric(
            unit=Unit.COUNT, meaning="Input tokens of calls of Claude, those in the prompt cache included."
        ),
        "CachedTokens": Metric(unit=Unit.COUNT, meaning="Input tokens that were read from the prompt cache."),
        "TriedLater": Metric(
            unit=Unit.COUNT, meaning="Requests of messages that could not be finished and come again."
        ),
        "Swept": Metric(unit=Unit.COUNT, meaning="Messages that sweep has sent."),
        "Unreadable": Metric(
            unit=Unit.COUNT,
            meaning="Queue messages that are not a notification of the inbox; kept under `unreadable/`.",
        ),
        "DeadLettered": Metric(
            unit=Unit.COUNT, meaning="Messages that the function behind the dead-letter queues received."
        ),
        "Defect": Metric(
            unit=Unit.COUNT,
            meaning="Errors of our own and missing permissions; the log has the traceback.",
        ),
    }
)
