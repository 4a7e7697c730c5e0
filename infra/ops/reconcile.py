"""What the inbox shows against what the tables say of it: what is wrong, if anything, and what mends it."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from infra.ops.operations import redrive, upload_of
from infra.ops.services import operation_ports
from pigeonhole.domain.document import Stage
from pigeonhole.domain.record import Record
from pigeonhole.domain.row_attributes import OUTCOMES, Status
from pigeonhole.domain.upload import Upload
from pigeonhole.jobs.job import Job
from pigeonhole.jobs.stored import BreakerState
from pigeonhole.services import Services


class Finding(StrEnum):
    """What may be wrong with a document."""

    NEVER_STARTED = "never_started"
    STUCK = "stuck"
    STALE = "stale"
    ORPHANED = "orphaned"


MEANINGS = {
    Finding.NEVER_STARTED: "it is in the inbox and has no row",
    Finding.STUCK: "its work is open and nobody is coming for it",
    Finding.STALE: "its row is about another version than the inbox shows",
    Finding.ORPHANED: "its row stands and the inbox shows nothing there",
}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One document from both sides; `shown` is the current version, `job` the row's if it is open."""

    shown: Upload | None
    row: Record | None
    job: Job | None = None


def judge(seen: Seen, *, breaker: BreakerState | None, before: datetime) -> Finding | None:
    """Nothing is wrong with what changed since `before`: its event may still be on the way."""
    shown, row = seen.shown, seen.row
    if row and datetime.fromisoformat(row.updated_at) > before:
        return None
    if shown is None:
        return Finding.ORPHANED if row and row.status is not Status.REMOVED else None
    if shown.uploaded_at > before:
        return None
    if row is None:
        return Finding.NEVER_STARTED
    if row.status is Status.REMOVED or row.version_id != shown.version_id:
        return Finding.STALE
    if row.status in OUTCOMES:
        return None
    return Finding.STUCK if is_forgotten(seen.job, breaker=breaker, before=before) else None


def is_forgotten(job: Job | None, *, breaker: BreakerState | None, before: datetime) -> bool:
    """Whether sweep should have come by then; while the breaker is tripped, what is parked rightly waits."""
    if job is None or job.stage is Stage.ENDED or job.wake_at is None:
        return True
    waits = job.draft.status is Status.PARKED and breaker is not None and breaker.is_tripped
    return job.wake_at < before and not waits


def heal(finding: Finding, seen: Seen, services: Services) -> None:
    """S3 has the last word about what a key shows; open work is sent on, or begun anew where it is gone."""
    if finding is Finding.STUCK and seen.job and seen.job.stage is not Stage.ENDED:
        services.outside.queues.send(seen.job.task)
    elif finding is Finding.STUCK and seen.row:
        redrive(seen.row, operation_ports(services), services.config.visibility, forced=False)
    elif upload := _taken_away(seen):
        services.sync.sync(upload)


def _taken_away(seen: Seen) -> Upload | None:
    """As if something had just expired at the key, other than what it shows.

    Like an expiry, a look at the bucket has no sequencer: it is as new as the row that it finds.
    """
    if seen.shown:
        return replace(seen.shown, sequencer="", version_id="")
    return replace(upload_of(seen.row), sequencer="") if seen.row else None
