"""What became of a document, said to the log and counted in the metrics."""

from __future__ import annotations

from pigeonhole.ports import Parts
from pigeonhole.record import Record


def tell(record: Record, parts: Parts) -> None:
    """What became of a document, for the log and the metrics."""
    parts.journal.count("".join(word.capitalize() for word in record.status.split("_")))
    parts.journal.note(
        record.status,
        document=record.document,
        version_id=record.version_id,
        run=record.run,
        tier=record.tier,
        error=record.error.code if record.error else None,
    )
