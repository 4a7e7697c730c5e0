"""What became of a document, for the log and the metrics."""

from __future__ import annotations

from collections.abc import Mapping

from pigeonhole.domain.record import Record
from pigeonhole.domain.row_attributes import Status
from pigeonhole.ports import Telemetry

# Every status but `processing`, in which nothing has come of a document yet.
OUTCOME_METRICS: Mapping[Status, str] = {
    Status.ESCALATED: "Escalated",
    Status.PARKED: "Parked",
    Status.DONE: "Done",
    Status.NEEDS_REVIEW: "NeedsReview",
    Status.FAILED: "Failed",
    Status.REMOVED: "Removed",
}


def log_outcome(row: Record, telemetry: Telemetry) -> None:
    """One line and one count for what became of a document."""
    telemetry.metric(OUTCOME_METRICS[row.status])
    telemetry.log(
        row.status,
        document=row.document,
        version_id=row.version_id,
        run=row.run,
        tier=row.tier,
        error=row.error.code if row.error else None,
    )
