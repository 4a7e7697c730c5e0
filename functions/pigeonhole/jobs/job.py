"""How far the work on an upload has come, and what can become of it: values alone; steps.py moves them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from pigeonhole.domain.document import Reply, Stage, Tier, Upload
from pigeonhole.domain.policy import Signals
from pigeonhole.domain.record import Record

ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What a queue asks for: this stage of that run, on that upload. A forced run reuses no answer."""

    upload: Upload
    run: int = 1
    stage: Stage = Stage.TRIAGE
    forced: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Reservation:
    """What was set aside for one call at its dearest, in US dollars, on which accounts; `by` is its lease."""

    usd: Decimal
    day: date
    accounts: tuple[str, ...]
    model: str
    tier: Tier
    by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OverCapBy:
    """What parked work waits for: that an account may spend so much again."""

    account: str
    usd: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """One run of one upload.

    `due` is when sweep has to look after it: set while the work is open, None when it has ended.
    `crashes` and `failures` count this stage's attempts that came to nothing: those that left an
    expired lease behind, and those whose call may have been billed. `refusals` are Claude's own busy
    answers since `refused_since`; `put_backs` how often this stage's message was put back.
    `draft` is the row as this run would have it; it is public as soon as the run has the row.
    `reserved` is for the call under way; `unsettled` are those whose answer never came, each at its full
    price, or came second, at its own. `over_cap` is set while it is parked for money; it is due when the
    cap's day or month is over.
    """

    upload: Upload
    run: int
    stage: Stage
    draft: Record
    forced: bool = False
    rev: int = 0
    owner: str | None = None
    lease_until: datetime | None = None
    alone: bool = False
    crashes: int = 0
    failures: int = 0
    refusals: int = 0
    refused_since: datetime | None = None
    put_backs: int = 0
    due: datetime | None = None
    superseded: bool = False
    eyes: bool = False
    replies: Mapping[Tier, Reply] = field(default_factory=dict)
    signals: Mapping[Tier, Signals] = field(default_factory=dict)
    reserved: Reservation | None = None
    unsettled: tuple[Reservation, ...] = ()
    over_cap: OverCapBy | None = None

    @property
    def order(self) -> Order:
        """What to put into a queue so that this work goes on."""
        return Order(upload=self.upload, run=self.run, stage=self.stage, forced=self.forced)

    @property
    def spent(self) -> str | None:
        """Once no attempt is left, the error code that says of which kind most were."""
        if self.crashes + self.failures < ATTEMPTS:
            return None
        return "crashed" if self.crashes > self.failures else "upstream"


class WorkAloneError(Exception):
    """This one has crashed before: it is tried again after its neighbours, with nothing beside it."""


@dataclass(frozen=True, slots=True)
class PutBack:
    """The message comes again in that many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Park:
    """The message ends; sweep sends another when it makes sense."""

    waiting_for: str
    until: datetime | None
    over_cap: OverCapBy | None = None


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The document ends here, with this error code."""

    code: str
