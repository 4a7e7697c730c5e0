"""Compares a document in the inbox with its row and its job, and repairs what is inconsistent."""

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
    """In which way a document's state is inconsistent."""

    NEVER_STARTED = "never_started"
    STUCK = "stuck"
    STALE = "stale"
    ORPHANED = "orphaned"


MEANINGS = {
    Finding.NEVER_STARTED: "it is in the inbox and has no row",
    Finding.STUCK: "its job is open, and no message or sweep will take it up",
    Finding.STALE: "its row is about another version than the inbox has",
    Finding.ORPHANED: "it has a row and is no longer in the inbox",
}


@dataclass(frozen=True, kw_only=True)
class DocumentState:
    """One document: its current version in the inbox, its row, and the row's job if that is open."""

    current: Upload | None
    row: Record | None
    job: Job | None = None


def classify(state: DocumentState, *, breaker: BreakerState | None, before: datetime) -> Finding | None:
    """What is wrong with a document, or None.

    Nothing is wrong with what has changed since `before`: its event may still be on the way.
    """
    current, row = state.current, state.row
    if row and datetime.fromisoformat(row.updated_at) > before:
        return None
    if current is None:
        return Finding.ORPHANED if row and row.status is not Status.REMOVED else None
    if current.uploaded_at > before:
        return None
    if row is None:
        return Finding.NEVER_STARTED
    if row.status is Status.REMOVED or row.version_id != current.version_id:
        return Finding.STALE
    if row.status in OUTCOMES:
        return None
    return Finding.STUCK if is_stuck(state.job, breaker=breaker, before=before) else None


def is_stuck(job: Job | None, *, breaker: BreakerState | None, before: datetime) -> bool:
    """Whether sweep should have sent it on before that time.

    While the circuit breaker is tripped, what is parked waits rightly.
    """
    if job is None or job.stage is Stage.ENDED or job.wake_at is None:
        return True
    waits = job.draft.status is Status.PARKED and breaker is not None and breaker.is_tripped
    return job.wake_at < before and not waits


def heal(finding: Finding, state: DocumentState, services: Services) -> None:
    """Repair it: make the row agree with S3; send an open job on, or begin a new run where it is gone."""
    if finding is Finding.STUCK and state.job and state.job.stage is not Stage.ENDED:
        services.outside.queues.send(state.job.task)
    elif finding is Finding.STUCK and state.row:
        redrive(state.row, operation_ports(services), services.config.visibility, forced=False)
    elif upload := _as_expiry(state):
        services.sync.sync(upload)


def _as_expiry(state: DocumentState) -> Upload | None:
    """An expiry event of another version of this key, which makes the row follow what S3 has now.

    Like an expiry, a listing has no sequencer: it counts as new as the row that it finds.
    """
    if state.current:
        return replace(state.current, sequencer="", version_id="")
    return replace(upload_of(state.row), sequencer="") if state.row else None
