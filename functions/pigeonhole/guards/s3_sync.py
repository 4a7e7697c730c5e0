"""After a removal S3 is asked what the key shows now, and the row follows: removed, or a version again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from pigeonhole.domain.document import Stage, TryLater, Upload
from pigeonhole.domain.record import Record, Status, begun
from pigeonhole.guards.telemetry import tallies, tell
from pigeonhole.jobs import transitions
from pigeonhole.jobs.job import Order
from pigeonhole.ports import Parts, Swap

_TOMBSTONE = timedelta(days=30)
_BEFORE_ALL = "0" * 64
_SWAPS = 6


def follow(upload: Upload, parts: Parts) -> bool:
    """Let the row say what S3 shows at the upload's key; whether that is something else than this upload.

    An event without a sequencer (an expiry) is as new as the row that it finds.
    """
    for _ in range(_SWAPS):
        row = parts.ledger.row(upload.document)
        current = parts.objects.current(upload)
        sequencer = upload.sequencer or (row.sequencer if row else _BEFORE_ALL)
        if row and row.sequencer > sequencer:
            return True
        if current is None:
            followed = _removed(replace(upload, sequencer=sequencer), row, parts)
        elif current.version_id == upload.version_id:
            return False
        elif row and row.version_id == current.version_id and row.status is not Status.REMOVED:
            followed = row.sequencer == sequencer or _aged(replace(current, sequencer=sequencer), row, parts)
        else:
            followed = _restored(replace(current, sequencer=sequencer), row, parts)
        if followed:
            return True
    raise TryLater("others are changing the same document", seconds=2)


def _aged(current: Upload, row: Record, parts: Parts) -> bool:
    """The row has what S3 shows, and learns how new that is: no event from before may replace it."""
    now = parts.clock.now()
    runs = {row.run: parts.ledger.work(current, row.run)}
    if latest := parts.ledger.latest(current):
        runs[latest.run] = latest
    works = [work for work in runs.values() if work]
    if any(transitions.is_held(work, now) for work in works):
        raise TryLater("somebody is at the version that is shown", seconds=10)
    swaps = [Swap(before=row, after=row.model_copy(update={"sequencer": current.sequencer}))]
    for work in works:
        aged = transitions.aged(work, current.sequencer)
        swaps.append(Swap(before=work, after=transitions.next_revision(work, aged)))
    return parts.ledger.swap(*swaps)


def _removed(upload: Upload, row: Record | None, parts: Parts) -> bool:
    """A tombstone; one that stands already only learns that it is newer than it knew, which is no news."""
    now = parts.clock.now()
    tombstone = begun(upload, 1, now).to(Status.REMOVED, now, expires_at=int((now + _TOMBSTONE).timestamp()))
    if row and row.status is Status.REMOVED:
        known = row.model_copy(update={"sequencer": upload.sequencer})
        return known == row or parts.ledger.swap(Swap(before=row, after=known))
    if not parts.ledger.swap(Swap(before=row, after=tombstone)):
        return False
    tell(tombstone, parts)
    return True


def _restored(current: Upload, row: Record | None, parts: Parts) -> bool:
    """The version that is current again: its outcome from the ledger, or work on it, begun or resumed."""
    now = parts.clock.now()
    found = parts.ledger.latest(current)
    due = now + parts.rules.visibility[Stage.TRIAGE]
    if found:
        after = transitions.reopened(found, current.sequencer, now)
    else:
        after = transitions.new(Order(upload=current), None, now)
    after = replace(after, due=None if after.stage is Stage.ENDED else due)
    swaps = [
        Swap(before=found, after=transitions.next_revision(found, after)),
        Swap(before=row, after=after.draft),
    ]
    if not parts.ledger.swap(*swaps, tallies=tallies(found, after, parts)):
        return False
    if after.due is None:
        tell(after.draft, parts)
    # Lost here, sweep sends it: the work is on the list of what is due.
    if after.due is not None:
        parts.queues.send(after.order)
    return True
