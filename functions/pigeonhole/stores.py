"""What is kept, as four small protocols with one class behind them; each user names what it needs.

As with the other ports, every method may raise TryLater and Defect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from pigeonhole.domain.record import Record
from pigeonhole.domain.upload import Upload
from pigeonhole.jobs.job import CapWait, Job
from pigeonhole.jobs.stored import AnyWrite, BreakerState, CachedReply
from pigeonhole.jobs.usage import UsageLine
from pigeonhole.money.account import Account, Withdrawal


class JobStore(Protocol):
    """Jobs and the public rows: what is read is consistent, what is written is compared first."""

    def job(self, upload: Upload, run: int) -> Job | None:
        """One run of one upload."""
        ...

    def job_and_row(self, upload: Upload, run: int) -> tuple[Job | None, Record | None]:
        """One run of one upload, and its document's public row."""
        ...

    def latest_job(self, upload: Upload) -> Job | None:
        """The upload's highest run."""
        ...

    def row(self, document: str) -> Record | None:
        """The public row."""
        ...

    def due_jobs(self, now: datetime, limit: int) -> list[Job]:
        """Open jobs to be looked after by now, the longest due first; may lag behind."""
        ...

    def jobs_over_cap(self, until: datetime, fits: Callable[[CapWait], bool], limit: int) -> list[Job]:
        """Jobs parked for money until then for which `fits` is true, asked of the oldest upload first; may
        lag behind."""
        ...

    def commit(self, *writes: AnyWrite, usage: Iterable[UsageLine] = ()) -> bool:
        """All writes in one transaction, with what they add to the usage.

        False, and nothing is written, when any entry has changed since it was read.
        """
        ...


class ReplyCache(Protocol):
    """Replies that an identical request of the same team may have; commits go through JobStore."""

    def cached_reply(self, team: str, key: str) -> CachedReply | None:
        """The entry for a request, by its hash."""
        ...


class Ledger(JobStore, ReplyCache, Protocol):
    """Jobs, rows and cached replies: what one transaction may change together."""


class BreakerStore(Protocol):
    """The circuit breaker's state, which all containers share."""

    def breaker(self) -> BreakerState | None:
        """The state, or None where it never tripped."""
        ...

    def commit(self, *writes: AnyWrite) -> bool:
        """A conditional write, as JobStore's."""
        ...


class AccountStore(Protocol):
    """What was spent, by account and month, and the rate slots of each model."""

    def account(self, name: str, day: date) -> Account:
        """The account in the month of that day."""
        ...

    def withdraw(self, withdrawal: Withdrawal) -> tuple[bool, Account]:
        """Whether the account had what was wanted and so gave it, and how it stands now: one write."""
        ...

    def refund(self, account: str, day: date, usd: Decimal) -> None:
        """Give back what was withdrawn for that day and not spent."""
        ...

    def usage(self, day: str) -> list[UsageLine]:
        """What the calls of one day have come to."""
        ...


class Store(Ledger, BreakerStore, AccountStore, Protocol):
    """All four, as the one class behind them; only the composition root passes it on whole."""
