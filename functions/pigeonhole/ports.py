"""The outside as small Protocols: what the use cases need of it, and nothing of how it is done.

Every method may raise TryLater (a service is busy or out of reach) and Defect (it will not do what
we ask of it, whatever the document); what else it may raise, it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pigeonhole.claude.prompt import Asking
from pigeonhole.domain.document import Allowance, Reply, Stage, StopAll, Text, TryLater, Upload
from pigeonhole.domain.outcome_event import News
from pigeonhole.domain.policy import Thresholds
from pigeonhole.domain.record import Record
from pigeonhole.domain.taxonomy import Taxonomy
from pigeonhole.jobs.job import Order, OverCapBy, Reservation, Work
from pigeonhole.jobs.message import Message
from pigeonhole.jobs.usage import Tally
from pigeonhole.money.account import Account, Draw, Need

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """An upload's bytes, on disk for as long as the context that gave them is open."""

    path: Path
    size_bytes: int
    sha256: str
    content_type: str | None
    etag: str | None


class Objects(Protocol):
    """The inbox bucket."""

    def body(self, upload: Upload, *, max_bytes: int) -> AbstractContextManager[Body]:
        """That very version's bytes. DocumentError `gone` or `too_large`."""
        ...

    def current(self, upload: Upload) -> Upload | None:
        """What the upload's key shows now, without a sequencer; None for nothing, or a delete marker."""
        ...


class Reader(Protocol):
    """The extractors."""

    def read(self, path: Path, name: str, seconds: float) -> Text:
        """The text with its coverage within so many seconds, or DocumentError; `name` is only a hint."""
        ...


class Artifacts(Protocol):
    """The bucket of what we made: texts, and messages that nobody could read."""

    def keep_text(self, upload: Upload, text: str) -> str:
        """Save the text; its S3 URI."""
        ...

    def text(self, uri: str) -> str | None:
        """A saved text, or None when it has expired."""
        ...

    def keep_unreadable(self, message: Message, why: str) -> str:
        """Save a message that cannot be parsed; its S3 URI."""
        ...


class Analyst(Protocol):
    """Claude."""

    def ask(self, request: Mapping[str, Any], *, timeout: float) -> Reply:
        """Its reply to one request within `timeout` seconds. DocumentError, StopAll."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A reply that whoever in the team asks the same may have; owned while it is being asked for."""

    team: str
    key: str
    run: int
    rev: int = 0
    owner: str | None = None
    lease_until: datetime | None = None
    reply: Reply | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """Whether Claude may be asked; closed without `until`, a person has to open it."""

    rev: int = 0
    is_closed: bool = False
    until: datetime | None = None
    waiting_for: str = "claude"
    detail: str = ""
    probe_until: datetime | None = None

    def is_sooner_than(self, until: datetime | None) -> bool:
        """Whether it would open before then; never is later than any time."""
        return self.until is not None and (until is None or self.until < until)


Entry = Work | Answer | Gate | Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """Write `after` in the place of `before`, which is None where nothing stands yet."""

    before: Entry | None
    after: Entry


class Ledger(Protocol):
    """Both tables: what is read is consistent, what is written is compared first."""

    def work(self, upload: Upload, run: int) -> Work | None:
        """One run of one upload."""
        ...

    def state(self, upload: Upload, run: int) -> tuple[Work | None, Record | None]:
        """One run of one upload, and its document's public row."""
        ...

    def latest(self, upload: Upload) -> Work | None:
        """The upload's highest run."""
        ...

    def row(self, document: str) -> Record | None:
        """The public row."""
        ...

    def answer(self, team: str, key: str) -> Answer | None:
        """The reply to a request that the team has asked."""
        ...

    def gate(self) -> Gate | None:
        """The gate."""
        ...

    def due(self, now: datetime, limit: int) -> list[Work]:
        """Open work to be looked after by now, the longest due first; may lag behind."""
        ...

    def over_cap(self, until: datetime, pays: Callable[[OverCapBy], bool], limit: int) -> list[Work]:
        """Work parked for money until then that `pays`, asked of the oldest upload first, says yes to; may
        lag behind."""
        ...

    def swap(self, *swaps: Swap, tallies: Iterable[Tally] = ()) -> bool:
        """All of them at once, with what they add to the tallies.

        False, and nothing is written, when any has changed since it was read.
        """
        ...

    def account(self, name: str, day: date) -> Account:
        """The account in the month of that day."""
        ...

    def draw(self, draw: Draw) -> tuple[bool, Account]:
        """Whether the account had what was wanted and so gave it, and how it stands now: one write."""
        ...

    def credit(self, account: str, day: date, usd: Decimal) -> None:
        """Give back what was drawn on that day and not spent."""
        ...

    def tallies(self, day: str) -> list[Tally]:
        """What the calls of one day have come to."""
        ...


class Queues(Protocol):
    """The two queues."""

    def send(self, order: Order) -> None:
        """Put the order into its stage's queue."""
        ...

    def put_back(self, message: Message, seconds: float) -> None:
        """Let the message come again after that many seconds."""
        ...


class Bus(Protocol):
    """Where outcomes are published."""

    def send(self, news: Iterable[News]) -> list[str]:
        """Publish all of them; the ids of those that were not taken."""
        ...


class Gatekeeping(Protocol):
    """The gate, as asking.py needs it."""

    def enter(self, seconds: float) -> bool:
        """Whether this call of at most so long is the probe that may open it.

        TryLater or StopAll while it is closed.
        """
        ...

    def opened(self) -> None:
        """The probe came through."""
        ...

    def untried(self) -> None:
        """The probe brought nothing: another may try at once."""
        ...

    def closed(self, error: TryLater | StopAll) -> None:
        """Claude said stop."""
        ...


class Budgeting(Protocol):
    """Caps and pace, as the use cases need them."""

    def reserve(self, need: Need, latest: datetime) -> Reservation:
        """Set the call's price aside and wait for its turn. OverCap; TryLater if that is after `latest`."""
        ...

    def settle(self, reserved: Reservation, usd: Decimal) -> None:
        """What the call did cost."""
        ...

    def learn(self, model: str, allowance: Allowance) -> None:
        """What the API itself says of the account's limits."""
        ...

    def is_warm(self, model: str) -> bool:
        """Whether a call of this model began so shortly ago that Claude still keeps what it was told."""
        ...

    def flush(self) -> None:
        """Give back what was not spent."""
        ...

    def rooms(self) -> dict[str, Decimal]:
        """How much each account may still spend today, by its name."""
        ...

    def percent(self) -> int:
        """How much of its cap that account has used up that has used up the most."""
        ...


class Chance(Protocol):
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


class Journal(Protocol):
    """The log and the metrics; nothing of a document's content goes in."""

    def note(self, what: str, **fields: object) -> None:
        """One line about what happened."""
        ...

    def count(self, metric: str, value: float = 1) -> None:
        """Add to a metric of this invocation."""
        ...

    def defect(self, what: str, error: BaseException, **fields: object) -> None:
        """A mistake of ours, with its traceback, and loud: it counts in the metric `Defect`."""
        ...

    def flush(self) -> None:
        """Write out what was counted; the last step of an invocation."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What the operator decides: sizes in bytes; `inbox` is the bucket, `visibility` the queues'."""

    taxonomy: Taxonomy
    thresholds: Thresholds
    fast: Asking
    strong: Asking
    inbox: str
    max_bytes: int
    visibility: Mapping[Stage, timedelta]


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """All that the use cases work with."""

    objects: Objects
    reader: Reader
    artifacts: Artifacts
    analyst: Analyst
    gate: Gatekeeping
    budget: Budgeting
    ledger: Ledger
    queues: Queues
    bus: Bus
    runner: Runner
    clock: Clock
    chance: Chance
    journal: Journal
    rules: Rules
