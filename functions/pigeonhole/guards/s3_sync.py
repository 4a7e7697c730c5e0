"""After a removal S3 is asked what the key shows now, and the row follows: removed, or a version again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from pigeonhole.domain.document import Stage
from pigeonhole.domain.errors import TryLater
from pigeonhole.domain.record import Record
from pigeonhole.domain.row_attributes import Status
from pigeonhole.domain.upload import Upload
from pigeonhole.guards.contention import until_committed
from pigeonhole.guards.telemetry import log_outcome
from pigeonhole.jobs import transitions
from pigeonhole.jobs.job import Task
from pigeonhole.jobs.stored import Write
from pigeonhole.jobs.usage import usage_of
from pigeonhole.ports import ObjectStore, Queues, System
from pigeonhole.stores import JobStore

_TOMBSTONE = timedelta(days=30)
_BEFORE_ALL = "0" * 64


class S3Sync:
    """Brings the row of a document in line with what S3 shows at its key."""

    def __init__(
        self,
        objects: ObjectStore,
        jobs: JobStore,
        queues: Queues,
        system: System,
        visibility: Mapping[Stage, timedelta],
    ) -> None:
        self._objects = objects
        self._jobs = jobs
        self._queues = queues
        self._system = system
        self._visibility = visibility

    def sync(self, upload: Upload) -> bool:
        """Let the row say what S3 shows at the upload's key; whether that is something else than this upload.

        An event without a sequencer (an expiry) is as new as the row that it finds. TryLater.
        """
        return until_committed(lambda: self._try_sync(upload))

    def _try_sync(self, upload: Upload) -> bool | None:
        """As `sync`; None when something has changed meanwhile."""
        row = self._jobs.row(upload.document)
        current = self._objects.current(upload)
        sequencer = upload.sequencer or (row.sequencer if row else _BEFORE_ALL)
        if row and row.sequencer > sequencer:
            return True
        if current is None:
            return self._remove(replace(upload, sequencer=sequencer), row) or None
        if current.version_id == upload.version_id:
            return False
        current = replace(current, sequencer=sequencer)
        if row and row.version_id == current.version_id and row.status is not Status.REMOVED:
            return row.sequencer == sequencer or self._renew(current, row) or None
        return self._restore(current, row) or None

    def _renew(self, current: Upload, row: Record) -> bool:
        """The row has what S3 shows, and takes the newer sequencer: no event from before may replace it."""
        now = self._system.clock.now()
        runs = {row.run: self._jobs.job(current, row.run)}
        if latest := self._jobs.latest_job(current):
            runs[latest.task.run] = latest
        jobs = [job for job in runs.values() if job]
        if any(transitions.is_leased(job, now) for job in jobs):
            raise TryLater("lease held on the version that is shown", seconds=10)
        renewed = Write.of(row, row.with_sequencer(current.sequencer))
        aged = [Write.of(job, transitions.with_sequencer(job, current.sequencer)) for job in jobs]
        return self._jobs.commit(renewed, *aged)

    def _remove(self, upload: Upload, row: Record | None) -> bool:
        """A tombstone; one that stands already takes the newer sequencer, and publishes nothing."""
        now = self._system.clock.now()
        if row and row.status is Status.REMOVED:
            known = row.with_sequencer(upload.sequencer)
            return known == row or self._jobs.commit(Write.of(row, known))
        expires_at = int((now + _TOMBSTONE).timestamp())
        tombstone = Record.new(upload, 1, now).removed(now, expires_at)
        if not self._jobs.commit(Write.of(row, tombstone)):
            return False
        log_outcome(tombstone, self._system.telemetry)
        return True

    def _restore(self, current: Upload, row: Record | None) -> bool:
        """The version that is current again: its outcome from the ledger, or its job, begun or resumed."""
        now = self._system.clock.now()
        found = self._jobs.latest_job(current)
        if found:
            after = transitions.restored(found, current.sequencer, now)
        else:
            after = transitions.new_job(Task(upload=current), None, now)
        is_open = after.stage is not Stage.ENDED
        after = replace(after, wake_at=now + self._visibility[Stage.TRIAGE] if is_open else None)
        writes = Write.of(found, after), Write.of(row, after.draft)
        if not self._jobs.commit(*writes, usage=usage_of(found, after)):
            return False
        if is_open:
            # Lost here, sweep sends it: the job is on the list of what is due.
            self._queues.send(after.task)
        else:
            log_outcome(after.draft, self._system.telemetry)
        return True
