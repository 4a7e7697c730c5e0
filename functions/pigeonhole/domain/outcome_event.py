"""What the documents table's stream says, as the events to publish: one for each new outcome_id (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pigeonhole.domain.row_attributes import PUBLISHED, Status

SOURCE = "pigeonhole"
DETAIL_TYPES: Mapping[Status, str] = {
    Status.DONE: "Document Done",
    Status.NEEDS_REVIEW: "Document Needs Review",
    Status.FAILED: "Document Failed",
    Status.REMOVED: "Document Removed",
    Status.PARKED: "Document Parked",
}
_LEFT_OUT = frozenset({"evidence", "text_uri"})


@dataclass(frozen=True, kw_only=True, slots=True)
class OutcomeEvent:
    """One event; `id` names the stream record that it comes from."""

    id: str
    detail_type: str
    detail: Mapping[str, Any] = field(repr=False)


def parse(event: Mapping[str, Any]) -> list[OutcomeEvent]:
    """The events in a batch of the table's stream, in its order; ids are sequence numbers."""
    changes = [each["dynamodb"] for each in event["Records"]]
    events = [
        of(change["SequenceNumber"], _row(change.get("OldImage")), _row(change.get("NewImage")))
        for change in changes
    ]
    return [each for each in events if each]


def of(record_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> OutcomeEvent | None:
    """The event of one change of a row, if it is one that is published: delivered twice, it is the same."""
    outcome_id = new.get("outcome_id")
    if not outcome_id or outcome_id == old.get("outcome_id") or new.get("status") not in PUBLISHED:
        return None
    detail = {name: value for name, value in new.items() if name not in _LEFT_OUT}
    return OutcomeEvent(
        id=record_id,
        detail_type=DETAIL_TYPES[Status(new["status"])],
        detail=detail | {"event_id": outcome_id},
    )


def _row(image: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: _plain(value) for name, value in (image or {}).items()}


def _plain(value: Mapping[str, Any]) -> Any:
    """A stream's typed value; a row holds no sets and no binary."""
    ((kind, content),) = value.items()
    match kind:
        case "M":
            return _row(content)
        case "L":
            return [_plain(each) for each in content]
        case "N":
            number = Decimal(content)
            return int(number) if number == number.to_integral_value() else float(number)
        case "NULL":
            return None
        case _:
            return content
