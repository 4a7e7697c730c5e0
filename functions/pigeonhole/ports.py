"""The outside as small protocols: what the use cases need of it, and nothing of how it is done.

Every method may raise TryLater (a service is busy or out of reach) and Defect (it will not do what we ask of
it, whatever the document); what else it may raise, it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pigeonhole.domain.document import FetchedObject, Reply, Text, Upload
from pigeonhole.domain.outcome_event import OutcomeEvent
from pigeonhole.domain.record import Record
from pigeonhole.jobs.job import CapWait, Job, Task
from pigeonhole.jobs.message import Message
from pigeonhole.jobs.stored import BreakerState, CachedReply, Write
from pigeonhole.jobs.usage import UsageLine
from pigeonhole.money.account import Account, Withdrawal

T = TypeVar("T")
R = TypeVar("R")


class ObjectStore(Protocol):
    """The inbox bucket."""

    def fetch(self, upload: Upload, *, max_bytes: int) -> AbstractContextManager[FetchedObject]:
        """That very version's bytes. DocumentError `gone`, `sealed` or `too_large`."""
        ...

    def current(self, upload: Upload) -> Upload | None:
        """What the upload's key shows now, without a sequencer; None for nothing, or a delete marker."""
        ...


class Reader(Protocol):
    """The extractors."""

    def read(self, path: Path, name: str, seconds: float) -> Text:
        """The text with its coverage within so many seconds, or DocumentError; `name` is only a hint."""
        ...


class ArtifactStore(Protocol):
    """The bucket of what we made: texts, and messages that nobody could parse."""

    def save_text(self, upload: Upload, text: str) -> str:
        """Save the text; its S3 URI."""
        ...

    def text(self, uri: str) -> str | None:
        """A saved text, or None when it has expired."""
        ...

    def quarantine(self, message: Message, why: str) -> str:
        """Save a message that cannot be parsed; its S3 URI."""
        ...


class ModelClient(Protocol):
    """Claude."""

    def ask(self, request: Mapping[str, Any], *, timeout: float) -> Reply:
        """Its reply to one request within `timeout` seconds. DocumentError, StopAll."""
        ...


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

    def commit(self, *writes: Write, usage: Iterable[UsageLine] = ()) -> bool:
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

    def commit(self, *writes: Write) -> bool:
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


class Queues(Protocol):
    """The intake and the escalation queue."""

    def send(self, task: Task) -> None:
        """Put the task into its stage's queue."""
        ...

    def requeue(self, message: Message, seconds: float) -> None:
        """Let the message come again after that many seconds."""
        ...


class EventBus(Protocol):
    """Where outcomes are published."""

    def publish(self, events: Iterable[OutcomeEvent]) -> list[str]:
        """Publish all of them; the ids of those that were not taken."""
        ...


class Randomness(Protocol):
    """Randomness."""

    def token(self) -> str:
        """A name that nobody else has."""
        ...

    def jitter(self, seconds: float) -> float:
        """Somewhat more than that many seconds, so that what waits together does not return together."""
        ...


class Runner(Protocol):
    """How independent work is done side by side."""

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """The function's results, in order."""
        ...


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Now, in UTC."""
        ...

    def wait(self, seconds: float) -> None:
        """Let so much of it pass."""
        ...


class Telemetry(Protocol):
    """The log and the metrics; nothing of a document's content goes in."""

    def log(self, event: str, **fields: object) -> None:
        """One line about what happened."""
        ...

    def metric(self, name: str, value: float = 1) -> None:
        """Add to a metric of this invocation."""
        ...

    def log_defect(self, event: str, error: BaseException, **fields: object) -> None:
        """A mistake of ours, with its traceback, and loud: it counts in the metric `Defect`."""
        ...

    def flush(self) -> None:
        """Write out the metrics; the last step of an invocation."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class System:
    """What all use cases need of the machine that they run on."""

    clock: Clock
    randomness: Randomness
    telemetry: Telemetry
