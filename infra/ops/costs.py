"""Adds up the ledger's daily usage lines, grouped by one of their attributes (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pigeonhole.jobs.usage import UsageLine, UsageTotals

DEFAULT_DAYS = 30
# Usage lines expire from the ledger after so many.
RETENTION_DAYS = 400
_NUMBERS = ("calls", "reused", "unsettled")
_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
_DOLLARS = ("usd", "unsettled_usd")


class WrongDatesError(ValueError):
    """The days are not a valid range; the message says why."""


class By(StrEnum):
    """The attributes of a usage line by which costs can be grouped."""

    DAY = "day"
    TEAM = "team"
    CATEGORY = "category"
    TIER = "tier"
    MODEL = "model"


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """The sum of all usage lines with the same value, `name`, of the attribute."""

    name: str
    count: UsageTotals


@dataclass(frozen=True, kw_only=True, slots=True)
class Costs:
    """The groups and their total; days in their order, all else with the highest cost first."""

    groups: tuple[Group, ...]
    total: UsageTotals


def costs(usage: Iterable[UsageLine], by: By) -> Costs:
    """The sums of the usage lines, grouped by an attribute."""
    counts: dict[str, UsageTotals] = {}
    for line in usage:
        name = str(getattr(line, by))
        counts[name] = counts.get(name, UsageTotals()) + line.totals
    groups = [Group(name=name, count=count) for name, count in sorted(counts.items())]
    if by is not By.DAY:
        groups.sort(key=lambda group: -group.count.usd)
    return Costs(groups=tuple(groups), total=sum(counts.values(), UsageTotals()))


def date_range(today: date, *, number: int | None, first: str | None, last: str | None) -> Sequence[date]:
    """The last `number` days, or those from `first` to `last`, both included and in UTC; WrongDatesError."""
    if number is not None and (first or last):
        raise WrongDatesError("Use either --days, or --from and --to.")
    end = _day(last, today) if last else today
    begin = _day(first, today) if first else end - timedelta(days=(number or DEFAULT_DAYS) - 1)
    if begin > end:
        raise WrongDatesError(f"{begin} is after {end}.")
    return [begin + timedelta(days=each) for each in range((end - begin).days + 1)]


def costs_as_json(days: Sequence[date], by: By, found: Costs) -> dict[str, Any]:
    """The costs of these days as `costs --json` prints them."""
    total = found.total
    return {
        "from": str(days[0]),
        "to": str(days[-1]),
        "by": by.value,
        "groups": [{"name": each.name, **_numbers(each.count)} for each in found.groups],
        "total": _numbers(total),
        "saved": {
            "caching": json_number(total.saved_by_caching_usd),
            "cutting": json_number(total.saved_by_cutting_usd),
            "reuse": json_number(total.saved_by_reuse_usd),
        },
        "strong_alone_usd": json_number(total.alone_usd),
    }


def json_number(usd: Decimal) -> float:
    """Dollars as a JSON number: sums are exact before, and a float keeps fifteen digits."""
    return float(usd)


def _numbers(count: UsageTotals) -> dict[str, int | float]:
    counted = {name: getattr(count, name) for name in (*_NUMBERS, *_TOKENS)}
    return counted | {name: json_number(getattr(count, name)) for name in _DOLLARS}


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise WrongDatesError(f"{text} is not a day: write it as {today}, in UTC.") from None
    if not timedelta() <= today - day < timedelta(days=RETENTION_DAYS):
        raise WrongDatesError(f"{text} is not one of the last {RETENTION_DAYS} days until {today}, in UTC.")
    return day
