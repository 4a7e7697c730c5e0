"""A job is one run of one upload: how far it has come, and what can become of it (values alone).

transitions.py moves jobs, retry.py decides what becomes of one that could not go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from pigeonhole.domain.document import Reply, Stage, Tier
from pigeonhole.domain.error_codes import ErrorCode
from pigeonhole.domain.errors import WaitReason
from pigeonhole.domain.policy import Signals
from pigeonhole.domain.record import Record
from pigeonhole.domain.upload import Upload

# Of a stage, of either kind: crashes, and calls that may have been billed and brought nothing.
MAX_ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What a queue asks for: this stage of that run, on that upload. A forced run uses no cached reply."""

    upload: Upload
    run: int = 1
    stage: Stage = Stage.TRIAGE
    forced: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """Which invocation works on the job, and until when no other may; `isolated`: with nothing beside it."""

    owner: str
    until: datetime
    isolated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempts:
    """What came to nothing at this stage.

    `crashes` left an expired lease behind; `billed_failures` are calls that may have been billed; both are
    attempts. `throttles` are Claude's own busy answers since `throttled_since`; `requeues` counts how often
    the stage's message was put back into its queue.
    """

    crashes: int = 0
    billed_failures: int = 0
    throttles: int = 0
    throttled_since: datetime | None = None
    requeues: int = 0

    @property
    def exhausted_as(self) -> ErrorCode | None:
        """Once no attempt is left, the error code that says of which kind most were."""
        if self.crashes + self.billed_failures < MAX_ATTEMPTS:
            return None
        return ErrorCode.CRASHED if self.crashes > self.billed_failures else ErrorCode.UPSTREAM


@dataclass(frozen=True, kw_only=True, slots=True)
class Reservation:
    """What was set aside for one call at its dearest, in US dollars, on which accounts.

    `day` is the UTC day on which the call is sent, in every account; `by` is the owner of the lease.
    """

    usd: Decimal
    day: date
    accounts: tuple[str, ...]
    model: str
    tier: Tier
    by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CapWait:
    """What a job over a cap waits for: that this account may spend so many US dollars again."""

    account: str
    usd: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Charges:
    """What the job's calls may still cost.

    `reserved` is for the call under way; `unsettled` are those whose answer never came, each at its full
    price, or came second, at its own. `over_cap` is set while the job is parked for money.
    """

    reserved: Reservation | None = None
    unsettled: tuple[Reservation, ...] = ()
    over_cap: CapWait | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedReply:
    """A reply that was paid for, and what the policy saw in it."""

    reply: Reply
    signals: Signals


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One run of one upload.

    `draft` is the row as this run would have it; it is public as soon as the run has the row. `wake_at` is
    when sweep has to look after the job: set while it is open, None once it has ended. `superseded` ended
    without an outcome, since something newer has the row. `needs_vision` when pages have to be looked at.
    """

    task: Task
    draft: Record
    revision: int = 0
    lease: Lease | None = None
    attempts: Attempts = Attempts()
    charges: Charges = Charges()
    replies: Mapping[Tier, RecordedReply] = field(default_factory=dict)
    needs_vision: bool = False
    superseded: bool = False
    wake_at: datetime | None = None

    @property
    def upload(self) -> Upload:
        """Which version of which object this is about."""
        return self.task.upload

    @property
    def stage(self) -> Stage:
        """Where it stands."""
        return self.task.stage

    @property
    def owner(self) -> str | None:
        """Who has the lease, expired or not."""
        return self.lease.owner if self.lease else None

    def with_revision(self, revision: int) -> Job:
        """The entry as it is written."""
        return replace(self, revision=revision)


class NeedsIsolationError(Exception):
    """The job has crashed before: it is tried again after its neighbours, with nothing beside it."""


@dataclass(frozen=True, slots=True)
class Requeue:
    """The message comes again in that many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Park:
    """The message ends; sweep sends another when it makes sense."""

    waiting_for: WaitReason
    until: datetime | None
    over_cap: CapWait | None = None


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No further attempt: `failed` with this error code, or on escalation the answer so far, for a person."""

    code: ErrorCode
