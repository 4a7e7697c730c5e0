"""What each account may spend, what it has spent or set aside, and what waits for it to have money again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from infra.ops.costs import in_json
from pigeonhole.domain.record import stamp
from pigeonhole.jobs.job import CapWait
from pigeonhole.money.account import Cap, day_ends, month_ends
from pigeonhole.stores import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class Used:
    """How much of a cap is used, what is set aside included."""

    usd: Decimal
    cap: Decimal

    @property
    def percent(self) -> int:
        """Whole percents, rounded down; all of a cap that allows nothing."""
        return int(100 * self.usd / self.cap) if self.cap else 100

    def described(self) -> dict[str, float]:
        """As JSON."""
        return {"usd": in_json(self.usd), "cap": in_json(self.cap)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """An account today and this month."""

    account: str
    day: Used
    month: Used

    @property
    def percent(self) -> int:
        """Of that cap of which more is used."""
        return max(self.day.percent, self.month.percent)

    def described(self) -> dict[str, Any]:
        """As JSON."""
        return {"account": self.account, "day": self.day.described(), "month": self.month.described()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Queue:
    """How many documents wait for an account, and when the first of them may go on at the latest."""

    account: str
    documents: int
    until: str


def standings(store: Store, caps: Mapping[str, Cap], today: date) -> list[Standing]:
    """Every account as it stands."""
    found = {name: store.account(name, today) for name in caps}
    return [
        Standing(
            account=name,
            day=Used(usd=found[name].spent_on(today), cap=cap.day),
            month=Used(usd=found[name].usd, cap=cap.month),
        )
        for name, cap in caps.items()
    ]


def queues(store: Store, now: datetime) -> list[Queue]:
    """What is parked for money, by the account that has none left."""
    ends: dict[str, list[datetime]] = {}

    def counted(by: CapWait, *, end: datetime) -> bool:
        ends.setdefault(by.account, []).append(end)
        return False  # nothing more of it is wanted

    for end in sorted({day_ends(now), month_ends(now)}):
        store.jobs_over_cap(end, partial(counted, end=end), limit=1)
    return [
        Queue(account=account, documents=len(each), until=stamp(min(each)))
        for account, each in sorted(ends.items())
    ]
