"""What is parked, stuck or lost goes on: sweep sends its task again, every minute."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from pigeonhole.domain.document import Stage
from pigeonhole.domain.errors import TryLater
from pigeonhole.domain.row_attributes import Status
from pigeonhole.guards.claude_call import CallGuards
from pigeonhole.jobs import transitions
from pigeonhole.jobs.job import CapWait, Job
from pigeonhole.jobs.stored import BreakerState, Write
from pigeonhole.money.account import STACK, day_ends, month_ends
from pigeonhole.ports import Clock, Queues
from pigeonhole.stores import JobStore

# So many a sweep, of each list: ten thousand parked documents go on over some minutes, not all at once.
_AT_ONCE = 1000
_HELD = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepPorts:
    """What sweep works with."""

    jobs: JobStore
    guards: CallGuards
    queues: Queues
    clock: Clock


def sweep(ports: SweepPorts, visibility: Mapping[Stage, timedelta]) -> int:
    """Send what is due once more: parked jobs that may go on, and jobs whose message must be gone.

    Returns how many were sent. Sent first and marked after: a second message is a no-op, a lost one would be
    a lost document. TryLater.
    """
    now = ports.clock.now()
    passage = _Passage(ports.guards.breaker.state(), ports.guards.budget.headroom(), now)
    for job in ports.jobs.due_jobs(now, _AT_ONCE):
        if held_until := passage.holds(job):
            # What is held goes to the end of a list, so that it hides nothing that could go on.
            _mark(job, replace(job, wake_at=held_until), ports.jobs)
        else:
            passage.sent += _resume(job, now, ports, visibility)
    # What waits for a day or a month to end goes on before it does if there is money again: the oldest first.
    for until in sorted({day_ends(now), month_ends(now)}):
        if passage.is_open:
            for job in ports.jobs.jobs_over_cap(until, passage.pays_for, _AT_ONCE):
                passage.sent += _resume(job, now, ports, visibility) if passage.is_open else 0
    return passage.sent


class _Passage:
    """Who may go on in this sweep: it counts what was sent, and the money that this will take."""

    def __init__(self, breaker: BreakerState, headroom: dict[str, Decimal], now: datetime) -> None:
        self._breaker = breaker
        self._headroom = headroom
        self._now = now
        self.sent = 0

    @property
    def is_open(self) -> bool:
        """A half-open breaker lets one document through: it may be the one that resets it."""
        breaker = self._breaker
        is_half_open = breaker.until is not None and breaker.until <= self._now
        return not breaker.is_tripped or (is_half_open and self.sent == 0)

    def holds(self, job: Job) -> datetime | None:
        """Until when the job has to wait; None when it may go on."""
        if job.draft.status is Status.PARKED and not self.is_open:
            return self._now + _HELD
        over_cap = job.charges.over_cap
        return day_ends(self._now) if over_cap and not self.pays_for(over_cap) else None

    def pays_for(self, wait: CapWait) -> bool:
        """Whether there is money for it, which is then taken off the headroom; no cap, no limit."""
        accounts = {wait.account, STACK} & self._headroom.keys()
        if any(self._headroom[account] < wait.usd for account in accounts):
            return False
        self._headroom |= {account: self._headroom[account] - wait.usd for account in accounts}
        return True


def _resume(job: Job, now: datetime, ports: SweepPorts, visibility: Mapping[Stage, timedelta]) -> int:
    ports.queues.send(job.task)
    _mark(job, transitions.resumed(job, now + 2 * visibility[job.stage]), ports.jobs)
    return 1


def _mark(job: Job, after: Job, jobs: JobStore) -> None:
    """On a conflict an invocation has the job, which needs no mark; unmarked, it is sent once more."""
    with suppress(TryLater):
        jobs.commit(Write.of(job, after))
