"""What may be spent, by whom, and when the next call may begin: values alone; budget.py draws on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from pigeonhole.domain.document import Allowance, Tier


@dataclass(frozen=True, kw_only=True, slots=True)
class Cap:
    """The most that an account may spend, in US dollars, in a UTC day and in a UTC month."""

    day: Decimal
    month: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """A month of an account: what was set aside or spent so far, in all and by day of the month.

    `next` is when the next call of a model may begin; `limits` is what the API last said of them. `turn` is
    when the call may begin whose draw this is the answer to.
    """

    usd: Decimal = Decimal(0)
    days: Mapping[int, Decimal] = field(default_factory=dict)
    next: Mapping[str, datetime] = field(default_factory=dict)
    limits: Mapping[str, Allowance] = field(default_factory=dict)
    turn: datetime | None = None

    def spent_on(self, day: date) -> Decimal:
        """The day's part."""
        return self.days.get(day.day, Decimal(0))


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """A call's turn: it may begin once those before it have had theirs, and at `latest` by then.

    It takes `step` until the next turn, or `first` if it is the first one since `rested`. It may begin by
    `early` before its turn: a few at once, as long as all keep the pace. `seen` is when the last one seen
    was over, only to ask right the first time.
    """

    model: str
    step: timedelta
    first: timedelta
    rested: datetime
    now: datetime
    latest: datetime
    early: timedelta = timedelta()
    seen: datetime | None = None
    learned: Allowance | None = None

    def is_first(self, last: datetime | None) -> bool:
        """Whether nobody was before this call, for as long as Claude keeps a prompt's beginning."""
        return last is None or last <= self.rested

    def is_behind(self, last: datetime | None) -> bool:
        """Whether others are before this call."""
        return last is not None and last > self.now

    def begins(self, last: datetime | None) -> datetime:
        """When the call may begin, behind all until `last`."""
        return self.now if last is None else max(self.now, last - self.early)


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """What a call wants of an account before it is made."""

    account: str
    day: date
    usd: Decimal
    cap: Cap
    pace: Pace | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """A call that is to be made: its dearest price, its likely tokens, whose it is, and who makes it.

    `is_cached` when Claude is to keep its beginning for those that follow.
    """

    team: str
    model: str
    tier: Tier
    by: str
    usd: Decimal
    input_tokens: int
    output_tokens: int
    is_cached: bool = False
