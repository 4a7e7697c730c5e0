"""Leases: one invocation at a time works on a job.

`Leases.claim` takes a job, and `Leases.handling_failures` turns what goes wrong with it into a requeue, a
parking or a failure that is written down.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pigeonhole.domain.document import Stage
from pigeonhole.domain.error_codes import ErrorCode
from pigeonhole.domain.errors import Defect, DocumentError, StopAll, TryLater
from pigeonhole.domain.record import Record
from pigeonhole.domain.row_attributes import Status
from pigeonhole.guards.claimed_job import ClaimedJob, LeaseLostError, write_job
from pigeonhole.guards.contention import patiently, until_committed
from pigeonhole.guards.s3_sync import S3Sync
from pigeonhole.guards.telemetry import log_outcome
from pigeonhole.jobs import retry, transitions, versions
from pigeonhole.jobs.job import GiveUp, Lease, Park, Requeue, Task
from pigeonhole.ports import System
from pigeonhole.stores import Ledger

# A lease outlives its invocation, so that no other begins while the last write of this one is on its way.
_LEASE_GRACE = timedelta(seconds=5)
_NEXT_LOOK = timedelta(minutes=15)
_CONTENTION_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Invocation:
    """One invocation: when its last step must be over, and whether one document has it to itself."""

    deadline: datetime
    isolated: bool = False


class Leases:
    """Claims jobs, and settles what goes wrong with them."""

    def __init__(
        self, ledger: Ledger, sync: S3Sync, system: System, visibility: Mapping[Stage, timedelta]
    ) -> None:
        self._ledger = ledger
        self._sync = sync
        self._system = system
        self._visibility = visibility

    def claim(self, task: Task, invocation: Invocation, seconds: float = 0.0) -> ClaimedJob | None:
        """The job under our lease; None when the stage is over, or something newer has the row.

        Nothing is begun for which fewer than `seconds` are left in the invocation, and a job without an
        attempt left fails here. TryLater; NeedsIsolationError when it must come again in this invocation.
        """
        clock = self._system.clock
        if (invocation.deadline - clock.now()).total_seconds() < seconds:
            raise TryLater("too little time left in this invocation", seconds=0)
        lease = Lease(
            owner=self._system.randomness.token(),
            until=invocation.deadline + _LEASE_GRACE,
            isolated=invocation.isolated,
        )
        # Most often it is the first that anybody hears of the document: that is tried without a read.
        guesses = iter([task.stage is Stage.TRIAGE and task.run == 1])
        claimed: ClaimedJob | Literal[False]
        claimed = until_committed(lambda: self._try_claim(task, lease, is_guess=next(guesses, False)))
        if claimed and (code := claimed.job.attempts.exhausted_as):
            with self.handling_failures(claimed):
                claimed.fail(DocumentError(code))
            return None
        return claimed or None

    def is_parked(self, task: Task) -> bool:
        """What is parked has no message of its own: a dead one is a duplicate, and sweep has the job."""
        job = self._ledger.job(task.upload, task.run)
        return job is not None and job.draft.status is Status.PARKED

    @contextmanager
    def handling_failures(self, claimed: ClaimedJob) -> Iterator[None]:
        """What is raised in here becomes a requeue, a parking or a failure, and is written down.

        TryLater when the message has to come again. An exception that is none of ours leaves the lease to
        its end, as a crash does. A paid reply is written down whatever goes wrong.
        """
        upload = claimed.job.upload
        try:
            try:
                yield
            except DocumentError as error:
                self._fail(claimed, error)
            except (LeaseLostError, TryLater, StopAll):
                raise
            except Exception:
                with suppress(LeaseLostError, TryLater, Defect):
                    claimed.save_reply()
                raise
        except LeaseLostError:
            self._system.telemetry.log("overtaken", document=upload.document, version_id=upload.version_id)
        except (TryLater, StopAll) as error:
            self._write_retry(claimed, error)
        except Defect:
            # Our mistake, not the document's: no attempt is counted that cost nothing, and a person mends it.
            wake_at = self._wake_at(claimed, _NEXT_LOOK)
            with suppress(LeaseLostError, TryLater, Defect):
                claimed.reload()  # drops a reply that cannot be written: the release has to be
                claimed.commit(lambda job: transitions.released(job, wake_at))
            raise

    def _try_claim(self, task: Task, lease: Lease, *, is_guess: bool) -> ClaimedJob | Literal[False] | None:
        """False where there is nothing to do, None on a conflict."""
        now = self._system.clock.now()
        found, row = (None, None) if is_guess else self._ledger.job_and_row(task.upload, task.run)
        if _may_have_expired(task, row) and self._sync.sync(task.upload):
            return None
        wake_at = lease.until + self._visibility[task.stage]
        after = versions.claimed(found, row, task, lease, wake_at, now)
        if after is None:
            return False
        shown = None if versions.is_overtaken(after, row) else versions.shown_row(after, row)
        written = write_job(self._ledger, found, after, (row, shown))
        if written is None:
            return None
        return ClaimedJob(*written, self._ledger, self._system) if after.owner == lease.owner else False

    def _fail(self, claimed: ClaimedJob, error: DocumentError) -> None:
        """The document's fault; for one that is gone, S3 says what stands in its place."""
        if error.code is ErrorCode.GONE and self._sync.sync(claimed.job.upload):
            claimed.commit(transitions.superseded)
        else:
            claimed.fail(error)

    def _write_retry(self, claimed: ClaimedJob, error: TryLater | StopAll) -> None:
        """Count what happened; then requeue (by TryLater), park, or give up.

        Not written down, it would count as a crash: a busy table is asked again.
        """
        try:
            verdict = patiently(self._system.clock, lambda: self._decide(claimed, error))
        except LeaseLostError:
            return
        if verdict is None:
            reason = "the retry could not be written"
            raise TryLater(reason, seconds=_CONTENTION_SECONDS) from error
        if isinstance(verdict, Requeue) and isinstance(error, TryLater):
            raise TryLater(error.reason, seconds=verdict.seconds) from error

    def _decide(self, claimed: ClaimedJob, error: TryLater | StopAll) -> GiveUp | Park | Requeue:
        """What becomes of the job, written down."""
        now = self._system.clock.now()
        claimed.reload()
        verdict = retry.decide_retry(retry.with_failure(claimed.job, error, now), error, now)
        match verdict:
            case GiveUp(code):
                claimed.fail(DocumentError(code))
            case Park() as park:
                self._park(claimed, park, error)
            case Requeue(seconds):
                longest = retry.LONGEST_REQUEUE.total_seconds()
                verdict = Requeue(min(self._system.randomness.jitter(seconds), longest))
                wake_at = self._wake_at(claimed, timedelta(seconds=verdict.seconds))
                claimed.commit(lambda job: transitions.requeued(retry.with_failure(job, error, now), wake_at))
        return verdict

    def _park(self, claimed: ClaimedJob, park: Park, error: TryLater | StopAll) -> None:
        now = self._system.clock.now()
        # Sweep asks the breaker, which a person may reset before its time; an end of caps it knows.
        wake_at = park.until if park.over_cap and park.until else now + _NEXT_LOOK
        claimed.commit(
            lambda job: transitions.parked(retry.with_failure(job, error, now), park, now, wake_at)
        )
        log_outcome(claimed.job.draft, self._system.telemetry)
        if park.over_cap:
            self._system.telemetry.metric("OverCap")

    def _wake_at(self, claimed: ClaimedJob, after: timedelta) -> datetime:
        """When a message is back that comes again so much later: then sweep may look after the job."""
        return self._system.clock.now() + after + self._visibility[claimed.job.stage]


def _may_have_expired(task: Task, row: Record | None) -> bool:
    """An expiry has no sequencer: the upload that seems to come after one may well be what has expired."""
    return row is not None and row.sequencer < task.upload.sequencer and row.status is Status.REMOVED
