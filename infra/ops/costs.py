"""What the daily usage come to, by whatever they are told apart, and which days to ask for (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pigeonhole.jobs.usage import UsageLine, UsageTotals

USUAL_DAYS = 30
# The ledger forgets a line after as many.
KEPT_DAYS = 400
_NUMBERS = ("calls", "reused", "unsettled")
_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
_DOLLARS = ("usd", "unsettled_usd")


class WrongDatesError(ValueError):
    """These days cannot be asked for; the message says why."""


class By(StrEnum):
    """What usage are told apart by: each is an attribute of theirs."""

    DAY = "day"
    TEAM = "team"
    CATEGORY = "category"
    TIER = "tier"
    MODEL = "model"


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """All the usage of one name."""

    name: str
    count: UsageTotals


@dataclass(frozen=True, kw_only=True, slots=True)
class Costs:
    """The groups, days in their order and others by what they cost; `total` is all of them."""

    groups: tuple[Group, ...]
    total: UsageTotals


def costs(usage: Iterable[UsageLine], by: By) -> Costs:
    """The usage, told apart and in total."""
    counts: dict[str, UsageTotals] = {}
    for line in usage:
        name = str(getattr(line, by))
        counts[name] = counts.get(name, UsageTotals()) + line.totals
    groups = [Group(name=name, count=count) for name, count in sorted(counts.items())]
    if by is not By.DAY:
        groups.sort(key=lambda group: -group.count.usd)
    return Costs(groups=tuple(groups), total=sum(counts.values(), UsageTotals()))


def days(today: date, *, number: int | None, first: str | None, last: str | None) -> Sequence[date]:
    """So many days until today, or those from `first` to `last`, both included."""
    if number is not None and (first or last):
        raise WrongDatesError("Say either how many days, or from when to when.")
    end = _day(last, today) if last else today
    begin = _day(first, today) if first else end - timedelta(days=(number or USUAL_DAYS) - 1)
    if begin > end:
        raise WrongDatesError(f"{begin} is after {end}.")
    return [begin + timedelta(days=each) for each in range((end - begin).days + 1)]


def described(asked: Sequence[date], by: By, found: Costs) -> dict[str, Any]:
    """As JSON."""
    total = found.total
    return {
        "from": str(asked[0]),
        "to": str(asked[-1]),
        "by": by.value,
        "groups": [{"name": each.name, **_numbers(each.count)} for each in found.groups],
        "total": _numbers(total),
        "saved": {
            "caching": in_json(total.saved_by_caching_usd),
            "cutting": in_json(total.saved_by_cutting_usd),
            "reuse": in_json(total.saved_by_reuse_usd),
        },
        "strong_alone_usd": in_json(total.alone_usd),
    }


def in_json(usd: Decimal) -> float:
    """Dollars as JSON has them: summed exactly before, and of fifteen digits none is lost."""
    return float(usd)


def _numbers(count: UsageTotals) -> dict[str, int | float]:
    counted = {name: getattr(count, name) for name in (*_NUMBERS, *_TOKENS)}
    return counted | {name: in_json(getattr(count, name)) for name in _DOLLARS}


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise WrongDatesError(f"{text} is no day: write it as {today}, in UTC.") from None
    if not timedelta() <= today - day < timedelta(days=KEPT_DAYS):
        raise WrongDatesError(f"{text} is not one of the last {KEPT_DAYS} days until {today}, in UTC.")
    return day
