"""What may be spent, by whom, and when the next call may start (values; guards/budget.py works with them)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from pigeonhole.domain.document import RateLimits, Tier
from pigeonhole.domain.errors import OverCap, TryLater

STACK = "stack"


def account_of(team: str) -> str:
    """The name of a team's account."""
    return f"team:{team}"


def day_ends(now: datetime) -> datetime:
    """When a day's cap begins anew: the next midnight, UTC."""
    return datetime.combine(now.date() + timedelta(days=1), time(), UTC)


def month_ends(now: datetime) -> datetime:
    """When a month's cap begins anew: the first of the next month, 00:00 UTC."""
    return datetime.combine(now.date().replace(day=1) + timedelta(days=32), time(), UTC).replace(day=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cap:
    """The most that an account may spend, in US dollars, in a UTC day and in a UTC month."""

    day: Decimal
    month: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """A month of an account: what was set aside or spent so far, in all and by day of the month.

    `next_at` is when the next call of a model may start; `limits` is what the API last said of each model.
    `starts_at` is when the call may start whose withdrawal this is the result of.
    """

    usd: Decimal = Decimal(0)
    days: Mapping[int, Decimal] = field(default_factory=dict)
    next_at: Mapping[str, datetime] = field(default_factory=dict)
    limits: Mapping[str, RateLimits] = field(default_factory=dict)
    starts_at: datetime | None = None

    def spent_on(self, day: date) -> Decimal:
        """The day's part."""
        return self.days.get(day.day, Decimal(0))


@dataclass(frozen=True, kw_only=True, slots=True)
class RateSlot:
    """A call's slot in a model's rate limit, by the generic cell rate algorithm (GCRA).

    Each model has a theoretical arrival time, `next_at` of its account. A call moves it on by `interval`,
    what the call takes up of a minute's limit, and may start `burst` before it: a few at once, as long as
    all keep the rate. A call that could only start after `latest` is refused. The first call since
    `idle_since` moves it on by `warm_up` instead, so that Claude has cached the prompt's beginning before
    the second is sent. `seen` is the arrival time as last seen, only to write the right condition at once;
    `observed` is what the API itself said of its limits, to be shared with the other containers.
    """

    model: str
    interval: timedelta
    warm_up: timedelta
    idle_since: datetime
    now: datetime
    latest: datetime
    burst: timedelta = timedelta()
    seen: datetime | None = None
    observed: RateLimits | None = None

    def is_first(self, next_at: datetime | None) -> bool:
        """Whether no call came before this one, for as long as Claude caches a prompt's beginning."""
        return next_at is None or next_at <= self.idle_since

    def is_behind(self, next_at: datetime | None) -> bool:
        """Whether other calls come before this one."""
        return next_at is not None and next_at > self.now

    def starts_at(self, next_at: datetime | None) -> datetime:
        """When the call may start, given the arrival time before it."""
        return self.now if next_at is None else max(self.now, next_at - self.burst)


@dataclass(frozen=True, kw_only=True, slots=True)
class Withdrawal:
    """What a call wants of an account before it is made, in US dollars, and with it a rate slot or none."""

    account: str
    day: date
    usd: Decimal
    cap: Cap
    slot: RateSlot | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CallEstimate:
    """A call that is to be made: its highest price in US dollars, and its likely tokens.

    `by` is the owner of the lease; `caches_prefix` when Claude is to cache its beginning.
    """

    team: str
    model: str
    tier: Tier
    by: str
    usd: Decimal
    input_tokens: int
    output_tokens: int
    caches_prefix: bool = False

    @property
    def accounts(self) -> tuple[str, str]:
        """Who pays, if it has a cap: the team, and the whole stack last."""
        return account_of(self.team), STACK


def headroom(cap: Cap, account: Account, today: date) -> Decimal:
    """How many US dollars the account may still spend today."""
    return min(cap.day - account.spent_on(today), cap.month - account.usd)


def percent_used(cap: Cap, account: Account, today: date) -> int:
    """How much of the cap is used up, of the day's or the month's, whichever is more."""
    return max(_percent(account.spent_on(today), cap.day), _percent(account.usd, cap.month))


def _percent(spent: Decimal, cap: Decimal) -> int:
    """Of nothing, nothing was used up."""
    return int(100 * spent / cap) if cap else 0


def refusal(withdrawal: Withdrawal, account: Account) -> OverCap | TryLater:
    """Why an account that stands so refused a withdrawal."""
    midnight = datetime.combine(withdrawal.day, time(), UTC)
    cap, usd, slot = withdrawal.cap, withdrawal.usd, withdrawal.slot
    whose = "the stack" if withdrawal.account == STACK else withdrawal.account.replace(":", " ")
    if account.usd + usd > cap.month:
        detail = f"{whose} may spend ${cap.month} a month"
        return OverCap(withdrawal.account, usd, detail, until=month_ends(midnight))
    if account.spent_on(withdrawal.day) + usd > cap.day or slot is None:
        detail = f"{whose} may spend ${cap.day} a day"
        return OverCap(withdrawal.account, usd, detail, until=day_ends(midnight))
    late = slot.starts_at(account.next_at[slot.model]) - slot.latest
    return TryLater("rate limited: no slot in this invocation", seconds=max(1.0, late.total_seconds()))
