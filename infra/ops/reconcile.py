"""Compares a document in the inbox with its row and its work, and repairs what is inconsistent."""

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
    Finding.STUCK: "its work is open, and no message or sweep will take it up",
    Finding.STALE: "its row is about another version than the inbox has",
    Finding.ORPHANED: "it has a row and is no longer in the inbox",
}


@dataclass(frozen=True, kw_only=True)
class DocumentState:
    """One document: its current version in the inbox, its row, and the row's work if that is open."""

    current: Upload | None
    row: Record | None
    job: Job | None = None


def classify(state: DocumentState, *, breaker: Gate | None, before: datetime) -> Finding | None:
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
    return Finding.STUCK if is_stuck(state.work, breaker=breaker, before=before) else None


def is_stuck(work: Work | None, *, breaker: Gate | None, before: datetime) -> bool:
    """Whether sweep should have sent it on before that time.

    While the circuit breaker is tripped, what is parked waits rightly.
    """
    if work is None or work.stage is Stage.ENDED or work.due is None:
        return True
    waits = work.draft.status is Status.PARKED and breaker is not None and breaker.is_closed
    return work.due < before and not waits


def heal(finding: Finding, state: DocumentState, parts: Parts) -> None:
    """Repair it: make the row agree with S3; send open work on, or begin a new run where the work is gone."""
    if finding is Finding.STUCK and state.work and state.work.stage is not Stage.ENDED:
        parts.queues.send(state.work.order)
    elif finding is Finding.STUCK and state.row:
        upkeep.redrive(state.row, parts, forced=False)
    elif upload := _as_expiry(state):
        follow(upload, parts)


def _as_expiry(state: DocumentState) -> Upload | None:
    """An expiry event of another version of this key, which makes the row follow what S3 has now.

    Like an expiry, a listing has no sequencer: it counts as new as the row that it finds.
    """
    if state.current:
        return replace(state.current, sequencer="", version_id="")
    return replace(upkeep.upload_of(state.row), sequencer="") if state.row else None
