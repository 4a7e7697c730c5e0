"""The handle of the one who has a job: every change of it is one compare-and-swap."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from pigeonhole.domain.document import Stage
from pigeonhole.domain.errors import DocumentError, RetryCause, TryLater
from pigeonhole.domain.record import Record
from pigeonhole.guards.contention import patiently, until_committed
from pigeonhole.guards.telemetry import log_outcome
from pigeonhole.jobs import transitions, versions
from pigeonhole.jobs.job import Job
from pigeonhole.jobs.reply import InterpretedReply
from pigeonhole.jobs.stored import AnyWrite, CachedReply, Write
from pigeonhole.jobs.usage import usage_of
from pigeonhole.ports import System
from pigeonhole.stores import Ledger

# What was paid for is worth more patience.
_REPLY_TRIES = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class UnsavedReply:
    """A reply that is written down nowhere yet: the job as it was last written, and the cache entry that is
    ours to fill; None where the reply came out of the cache."""

    interpreted: InterpretedReply
    before: Job
    cached: CachedReply | None = None


class LeaseLostError(Exception):
    """Our lease has expired and another invocation took the job, or something newer has the row."""


class ClaimedJob:
    """A job under our lease, with its document's row as it was when the job was last written.

    A handle that changes with each write, for one invocation and one thread. `draft` is the row as far as
    this invocation has come. A reply that was paid for is on `job` at once, and in `unsaved` until the next
    commit has written it.
    """

    def __init__(self, job: Job, row: Record | None, ledger: Ledger, system: System) -> None:
        self.job = job
        self.row = row
        self.draft = job.draft
        self.unsaved: UnsavedReply | None = None
        self._ledger = ledger
        self._system = system
        self._owner = job.owner

    @property
    def now(self) -> datetime:
        """The time, in UTC."""
        return self._system.clock.now()

    def take_reply(self, interpreted: InterpretedReply, cached: CachedReply | None = None) -> None:
        """A reply that the next commit has to write down, and the cache entry to fill with it."""
        self.unsaved = UnsavedReply(interpreted=interpreted, before=self.job, cached=cached)
        self.job = transitions.with_reply(self.job, interpreted, self._owner)

    def commit(self, step: Callable[[Job], Job]) -> None:
        """Move the job by one step, and show it in the row where it has the row.

        LeaseLostError; TryLater.
        """
        if unsaved := self.unsaved:
            with suppress(TryLater):
                if self._try_commit(step):
                    return
            self.save_reply()
            interpreted = unsaved.interpreted
            if self.job.replies[interpreted.tier].reply != interpreted.reply:
                raise TryLater("another reply was recorded first", seconds=1)  # the outcome is that one's

        def attempt() -> bool | None:
            if self._try_commit(step):
                return True
            self.reload()
            return None

        until_committed(attempt)

    def save_reply(self) -> None:
        """Write the reply down, also where another invocation has the lease by now: then LeaseLostError.

        A busy table is no reason to lose what was paid for: wait a little, and try again. TryLater.
        """
        if self.unsaved is None:
            return
        before, cached = self.unsaved.before, self.unsaved.cached

        def attempt() -> bool | None:
            nonlocal before, cached
            assert self.unsaved  # noqa: S101  it is saved once
            after = transitions.with_reply(before, self.unsaved.interpreted, self._owner)
            if self._write(before, after, None, cached):
                return True
            before = self._ledger.job(before.upload, before.task.run) or before
            cached = self._still_ours(cached) if cached else None
            return None

        if not patiently(self._system.clock, attempt, tries=_REPLY_TRIES):
            raise TryLater("a paid reply could not be written", seconds=2, cause=RetryCause.BILLED)
        if self.job.owner != self._owner:
            raise LeaseLostError

    def complete(self, row: Record) -> None:
        """The end: the outcome is written and logged. LeaseLostError; TryLater."""
        self.commit(lambda job: transitions.ended(job, row))
        log_outcome(row, self._system.telemetry)

    def fail(self, error: DocumentError) -> None:
        """The end without an answer: `failed`, or on escalation the answer so far, for a person to decide."""
        end = self.draft.failed if self.job.stage is Stage.TRIAGE else self.draft.undecided
        self.complete(end(error, self.now))

    def reload(self) -> None:
        """The job and the row as they stand now, if the lease is still ours. LeaseLostError."""
        job, row = self._ledger.job_and_row(self.job.upload, self.job.task.run)
        if job is None or job.owner != self._owner:
            raise LeaseLostError
        self.job, self.row, self.unsaved = job, row, None

    def _try_commit(self, step: Callable[[Job], Job]) -> bool:
        """Whether it was written; not where job or row has changed since they were read. LeaseLostError."""
        after = step(self.job)
        is_overtaken = versions.is_overtaken(after, self.row)
        if is_overtaken:
            after = transitions.superseded(self.job)
        before = self.unsaved.before if self.unsaved else self.job
        shown = None if is_overtaken else versions.shown_row(after, self.row)
        is_written = self._write(before, after, shown, self.unsaved.cached if self.unsaved else None)
        if is_written and is_overtaken:
            raise LeaseLostError
        return is_written

    def _write(self, before: Job, after: Job, shown: Record | None, cached: CachedReply | None) -> bool:
        """All at once: the job, the row, the cached reply and the usage."""
        interpreted = self.unsaved.interpreted if self.unsaved else None
        more = []
        if cached and interpreted:
            filled = replace(cached, lease=None, run=after.task.run, reply=interpreted.reply)
            more.append(Write.of(cached, filled))
        written = write_job(self._ledger, before, after, (self.row, shown), interpreted, more)
        if written is None:
            return False
        (self.job, self.row), self.unsaved = written, None
        return True

    def _still_ours(self, cached: CachedReply) -> CachedReply | None:
        """The entry as it is now; None where another invocation has asked since: its reply is newer."""
        found = self._ledger.cached_reply(cached.team, cached.key)
        return found if found and found.lease and found.lease.owner == self._owner else None


def write_job(
    ledger: Ledger,
    before: Job | None,
    after: Job,
    row: tuple[Record | None, Record | None],
    interpreted: InterpretedReply | None = None,
    more: list[AnyWrite] | None = None,
) -> tuple[Job, Record | None] | None:
    """The job and the row as written, with the usage of the reply; None on a conflict.

    `row` is the public row as it was read, and as it shall be; the latter is None where it stays.
    """
    found, shown = row
    job = Write.of(before, after)
    writes: list[AnyWrite] = [job, *(more or [])]
    if shown:
        write = Write.of(found, shown)
        shown = write.after
        writes.append(write)
    if not ledger.commit(*writes, usage=usage_of(before, job.after, interpreted)):
        return None
    return job.after, shown or found
