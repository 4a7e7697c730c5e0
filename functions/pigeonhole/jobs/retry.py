"""What becomes of a job that could not go on: it is requeued with a backoff, parked, or given up (pure).

Waiting for a lease, a turn or a deadline is no failure. Claude's own throttling never counts as an attempt,
but ends a document that it has met too often; a call that may have been billed does count. A message is
requeued a few times only: after that the job is parked, so that no queue holds work for days.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from pigeonhole.domain.error_codes import ErrorCode
from pigeonhole.domain.errors import OverCap, RetryCause, StopAll, TryLater, WaitReason
from pigeonhole.jobs.job import CapWait, GiveUp, Job, Park, Requeue

MAX_THROTTLES = 20
THROTTLES_WITHIN = timedelta(hours=24)
MAX_REQUEUES = 5
LONGEST_REQUEUE = timedelta(minutes=15)


def with_failure(job: Job, error: TryLater | StopAll, now: datetime) -> Job:
    """The job with this failure on its account."""
    if isinstance(error, StopAll):
        return job
    attempts = job.attempts
    if error.cause is RetryCause.BILLED:
        attempts = replace(attempts, billed_failures=attempts.billed_failures + 1)
    elif error.cause is RetryCause.THROTTLED:
        since = attempts.throttled_since
        if since is None or now - since > THROTTLES_WITHIN:
            attempts = replace(attempts, throttles=1, throttled_since=now)
        else:
            attempts = replace(attempts, throttles=attempts.throttles + 1)
    return replace(job, attempts=attempts)


def decide_retry(job: Job, error: TryLater | StopAll, now: datetime) -> Requeue | Park | GiveUp:
    """What becomes of the job; the failure already counts on it."""
    if isinstance(error, StopAll):
        over_cap = CapWait(account=error.account, usd=error.usd) if isinstance(error, OverCap) else None
        return Park(error.waiting_for, error.until, over_cap)
    if error.cause is RetryCause.BILLED and job.attempts.exhausted_as:
        return GiveUp(ErrorCode.UPSTREAM)
    if error.cause is RetryCause.THROTTLED and job.attempts.throttles >= MAX_THROTTLES:
        return GiveUp(ErrorCode.UPSTREAM)
    if job.attempts.requeues >= MAX_REQUEUES:
        return Park(WaitReason.CAPACITY, now + LONGEST_REQUEUE)
    return Requeue(min(error.seconds, LONGEST_REQUEUE.total_seconds()))
