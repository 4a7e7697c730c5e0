"""What became of a document, said to the log and counted in the metrics and in the day's account."""

from __future__ import annotations

from pigeonhole.domain.record import Record
from pigeonhole.jobs import usage
from pigeonhole.jobs.job import Work
from pigeonhole.jobs.usage import Tally
from pigeonhole.ports import Parts


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


def tallies(before: Work | None, after: Work, parts: Parts) -> list[Tally]:
    """What a step adds to the day's account of calls, to be written with it."""
    day = parts.clock.now().date().isoformat()
    return usage.told(before, after, day, parts.rules.strong.model.id, parts.rules.taxonomy)
