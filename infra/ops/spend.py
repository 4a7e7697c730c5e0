"""The accounts and their caps: what is used of them, and how many documents are parked for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from infra.ops.costs import json_number
from pigeonhole.domain.record import stamp
from pigeonhole.jobs.job import CapWait
from pigeonhole.money.account import Cap, day_ends, month_ends
from pigeonhole.stores import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class CapUsage:
    """US dollars used of a cap; reservations of calls under way are included."""

    usd: Decimal
    cap: Decimal

    @property
    def percent(self) -> int:
        """Whole percents, rounded down; 100 for a cap of nothing."""
        return int(100 * self.usd / self.cap) if self.cap else 100

    def as_json(self) -> dict[str, float]:
        """As a JSON object."""
        return {"usd": json_number(self.usd), "cap": json_number(self.cap)}


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountUsage:
    """What an account has used of its caps today and this month (UTC)."""

    account: str
    day: CapUsage
    month: CapUsage

    @property
    def percent(self) -> int:
        """Whole percents of the cap of which more is used."""
        return max(self.day.percent, self.month.percent)

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"account": self.account, "day": self.day.as_json(), "month": self.month.as_json()}


@dataclass(frozen=True, kw_only=True, slots=True)
class ParkedForCap:
    """How many documents are parked for an account's cap, and the time by which the first one goes on."""

    account: str
    documents: int
    until: str


def account_usages(store: Store, caps: Mapping[str, Cap], today: date) -> list[AccountUsage]:
    """What every account has used of its caps."""
    found = {name: store.account(name, today) for name in caps}
    return [
        AccountUsage(
            account=name,
            day=CapUsage(usd=found[name].spent_on(today), cap=cap.day),
            month=CapUsage(usd=found[name].usd, cap=cap.month),
        )
        for name, cap in caps.items()
    ]


def parked_for_caps(store: Store, now: datetime) -> list[ParkedForCap]:
    """The documents parked for a cap, by account.

    The store calls `counted` for each of them, which says no to all: the query is used to count.
    """
    ends: dict[str, list[datetime]] = {}

    def counted(by: CapWait, *, end: datetime) -> bool:
        ends.setdefault(by.account, []).append(end)
        return False  # it is counted, not fetched

    for end in sorted({day_ends(now), month_ends(now)}):
        store.jobs_over_cap(end, partial(counted, end=end), limit=1)
    return [
        ParkedForCap(account=account, documents=len(each), until=stamp(min(each)))
        for account, each in sorted(ends.items())
    ]
