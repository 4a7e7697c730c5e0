"""What the inbox shows against what the tables say of it: what is wrong, if anything, and what mends it."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from pigeonhole.domain.document import Stage, Upload
from pigeonhole.domain.record import OUTCOMES, Record, Status
from pigeonhole.guards.s3_sync import follow
from pigeonhole.jobs.job import Work
from pigeonhole.pipeline import upkeep
from pigeonhole.ports import Gate, Parts


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
    """One document from both sides; `shown` is the current version, `work` the row's if it is open."""

    shown: Upload | None
    row: Record | None
    work: Work | None = None


def judge(seen: Seen, *, gate: Gate | None, before: datetime) -> Finding | None:
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
    return Finding.STUCK if is_forgotten(seen.work, gate=gate, before=before) else None


def is_forgotten(work: Work | None, *, gate: Gate | None, before: datetime) -> bool:
    """Whether sweep should have come for it by then; behind a closed gate, what is parked rightly waits."""
    if work is None or work.stage is Stage.ENDED or work.due is None:
        return True
    waits = work.draft.status is Status.PARKED and gate is not None and gate.is_closed
    return work.due < before and not waits


def heal(finding: Finding, seen: Seen, parts: Parts) -> None:
    """S3 has the last word about what a key shows; open work is sent on, or begun anew where it is gone."""
    if finding is Finding.STUCK and seen.work and seen.work.stage is not Stage.ENDED:
        parts.queues.send(seen.work.order)
    elif finding is Finding.STUCK and seen.row:
        upkeep.redrive(seen.row, parts, forced=False)
    elif upload := _taken_away(seen):
        follow(upload, parts)


def _taken_away(seen: Seen) -> Upload | None:
    """As if something had just expired at the key, other than what it shows.

    Like an expiry, a look at the bucket has no sequencer: it is as new as the row that it finds.
    """
    if seen.shown:
        return replace(seen.shown, sequencer="", version_id="")
    return replace(upkeep.upload_of(seen.row), sequencer="") if seen.row else None
