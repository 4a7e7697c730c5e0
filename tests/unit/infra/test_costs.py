"""The sums of the usage lines: however they are grouped, nothing is lost and nothing is counted twice."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.ops.costs import By, Group, WrongDatesError, costs, costs_as_json, date_range
from pigeonhole.domain.document import Tier
from pigeonhole.jobs.usage import UsageLine, UsageTotals

TODAY = date(2026, 11, 22)
DOLLARS = st.decimals(-1000, 1000, places=9)
TOTALS = st.builds(
    UsageTotals,
    **{
        each.name: DOLLARS if each.name.endswith("usd") else st.integers(-5, 10**9)
        for each in fields(UsageTotals)
    },
)
LINES = st.builds(
    UsageLine,
    day=st.sampled_from(["2026-11-21", "2026-11-22"]),
    team=st.sampled_from(["-", "finance", "legal"]),
    model=st.sampled_from(["claude-haiku-5-5", "claude-sonnet-5-5"]),
    tier=st.sampled_from(Tier),
    category=st.sampled_from(["invoice", "unusable", "unanswered"]),
    shard=st.integers(0, 7),
    totals=TOTALS,
)


def usage(team: str = "finance", day: str = "2026-11-21", tier: Tier = Tier.FAST, **counted) -> UsageLine:
    return UsageLine(
        day=day, team=team, model="m", tier=tier, category="invoice", shard=0, totals=UsageTotals(**counted)
    )


@given(st.lists(LINES), st.sampled_from(By))
def test_the_groups_add_up_to_the_total(lines: list[UsageLine], by: By):
    found = costs(lines, by)
    for each in fields(UsageTotals):
        everything = sum(getattr(line.totals, each.name) for line in lines)
        assert sum(getattr(group.count, each.name) for group in found.groups) == everything
        assert getattr(found.total, each.name) == everything


@given(st.lists(LINES), st.sampled_from(By))
def test_each_value_of_the_attribute_is_one_group(lines: list[UsageLine], by: By):
    names = [group.name for group in costs(lines, by).groups]
    assert sorted(names) == sorted({str(getattr(line, by)) for line in lines})


def test_shards_are_added_up_and_the_highest_cost_comes_first():
    found = costs(
        [usage("legal", usd=Decimal("0.2")), usage("finance", usd=Decimal("0.15"), calls=1),
         usage("finance", usd=Decimal("0.15"), calls=2)],
        By.TEAM,
    )  # fmt: skip
    assert found.groups == (
        Group(name="finance", count=UsageTotals(usd=Decimal("0.30"), calls=3)),
        Group(name="legal", count=UsageTotals(usd=Decimal("0.2"))),
    )


def test_days_are_in_order_whatever_they_cost():
    found = costs([usage(day="2026-11-22", usd=Decimal(1)), usage(day="2026-11-21")], By.DAY)
    assert [group.name for group in found.groups] == ["2026-11-21", "2026-11-22"]


def test_sums_are_exact_in_json_too():
    found = costs([usage(usd=Decimal("0.1")), usage(usd=Decimal("0.2")), usage(usd=Decimal("1E-9"))], By.TIER)
    printed = costs_as_json([TODAY], By.TIER, found)
    assert printed["total"]["usd"] == 0.300000001
    assert [(group["name"], group["usd"]) for group in printed["groups"]] == [("fast", 0.300000001)]


def test_the_json_has_these_keys_and_no_others():
    counted = UsageTotals(
        calls=3, reused=1, unsettled=1, input_tokens=10, output_tokens=20, cache_read_tokens=30,
        cache_write_tokens=40, usd=Decimal("0.5"), unsettled_usd=Decimal("0.25"), alone_usd=Decimal(9),
        saved_by_caching_usd=Decimal(1), saved_by_cutting_usd=Decimal(2), saved_by_reuse_usd=Decimal(3),
    )  # fmt: skip
    numbers = {
        "calls": 3, "reused": 1, "unsettled": 1, "input_tokens": 10, "output_tokens": 20,
        "cache_read_tokens": 30, "cache_write_tokens": 40, "usd": 0.5, "unsettled_usd": 0.25,
    }  # fmt: skip
    found = costs([replace(usage(), totals=counted)], By.CATEGORY)
    assert costs_as_json([date(2026, 11, 21), TODAY], By.CATEGORY, found) == {
        "from": "2026-11-21",
        "to": "2026-11-22",
        "by": "category",
        "groups": [{"name": "invoice", **numbers}],
        "total": numbers,
        "saved": {"caching": 1.0, "cutting": 2.0, "reuse": 3.0},
        "strong_alone_usd": 9.0,
    }


@pytest.mark.parametrize(
    ("options", "first", "last", "number"),
    [
        ({}, "2026-10-24", "2026-11-22", 30),
        ({"number": 1}, "2026-11-22", "2026-11-22", 1),
        ({"first": "2026-11-20"}, "2026-11-20", "2026-11-22", 3),
        ({"last": "2026-10-31"}, "2026-10-02", "2026-10-31", 30),
        ({"first": "2026-02-28", "last": "2026-03-01"}, "2026-02-28", "2026-03-01", 2),
    ],
    ids=["default", "today", "since", "until", "both"],
)
def test_a_range_of_days_ends_today_or_includes_both_ends(options, first, last, number):
    found = date_range(TODAY, **{"number": None, "first": None, "last": None} | options)
    assert (str(found[0]), str(found[-1]), len(found)) == (first, last, number)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"first": "yesterday"}, "yesterday is not a day: write it as 2026-11-22, in UTC"),
        ({"last": "2026-02-30"}, "2026-02-30 is not a day"),
        ({"first": "2026-11-21", "last": "2026-11-20"}, "2026-11-21 is after 2026-11-20"),
        ({"number": 3, "last": "2026-11-20"}, "either --days, or --from and --to"),
        ({"first": "2026-11-23"}, "not one of the last 400 days until 2026-11-22"),
        ({"last": "0001-01-01"}, "not one of the last 400 days"),
    ],
    ids=["a word", "no such day", "backwards", "number and range", "future", "expired"],
)
def test_an_invalid_range_of_days_is_an_error_that_says_why(options, message):
    with pytest.raises(WrongDatesError, match=message):
        date_range(TODAY, **{"number": None, "first": None, "last": None} | options)
