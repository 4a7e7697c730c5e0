"""Accounts and usage: no withdrawal goes past a cap or out of turn, and usage is written with its cause."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from pigeonhole.domain.document import RateLimits, Tier
from pigeonhole.jobs.job import CapWait
from pigeonhole.jobs.stored import Write
from pigeonhole.jobs.usage import UsageLine, UsageTotals
from pigeonhole.money.account import Account, Cap, RateSlot, Withdrawal
from pigeonhole.stores import Store
from tests.support.builders import job, upload
from tests.support.fakes import START

TODAY, TOMORROW = date(2026, 11, 22), date(2026, 11, 23)
NEXT_MONTH = date(2026, 12, 1)
CAP = Cap(day=Decimal(10), month=Decimal(25))
MODEL, OTHER = "claude-haiku-5-5", "claude-sonnet-5-5"
SECOND = timedelta(seconds=1)
FIRST = 4 * SECOND
LINE = UsageLine(
    day="2026-11-22",
    team="finance",
    model=MODEL,
    tier=Tier.FAST,
    category="invoice",
    shard=3,
    totals=UsageTotals(),
)


def withdrawal(
    usd: str, day: date = TODAY, account: str = "stack", slot: RateSlot | None = None
) -> Withdrawal:
    return Withdrawal(account=account, day=day, usd=Decimal(usd), cap=CAP, slot=slot)


def rate_slot(
    model: str = MODEL, now: datetime = START, wait: int = 60, *, is_busy: bool = False
) -> RateSlot:
    return RateSlot(
        model=model,
        interval=SECOND,
        warm_up=FIRST,
        idle_since=now - timedelta(minutes=5),
        now=now,
        latest=now + wait * SECOND,
        seen=now + SECOND if is_busy else None,
    )


def takes(store: Store, *withdrawals: Withdrawal) -> list[bool]:
    return [store.withdraw(each)[0] for each in withdrawals]


def test_an_account_that_nobody_withdrew_from_is_empty(store: Store) -> None:
    assert store.account("stack", TODAY) == Account()


def test_a_withdrawal_counts_for_its_day_and_its_month(store: Store) -> None:
    taken, account = store.withdraw(withdrawal("1.0000001"))
    assert taken
    assert store.account("stack", TODAY) == account
    store.withdraw(withdrawal("2", TOMORROW))
    account = store.account("stack", TODAY)
    assert (account.usd, dict(account.days)) == (Decimal("3.0000001"), {22: Decimal("1.0000001"), 23: 2})
    assert store.account("stack", NEXT_MONTH) == Account()


@pytest.mark.parametrize(
    ("withdrawals", "taken"),
    [
        ([withdrawal("10")], [True]),
        ([withdrawal("10.0000001")], [False]),
        ([withdrawal("6"), withdrawal("5"), withdrawal("4")], [True, False, True]),
        (
            [withdrawal("10"), withdrawal("10", TOMORROW), withdrawal("6", date(2026, 11, 24))],
            [True, True, False],
        ),
        (
            [withdrawal("10"), withdrawal("10", TOMORROW), withdrawal("5", date(2026, 11, 24))],
            [True, True, True],
        ),
        ([withdrawal("10"), withdrawal("10", account="team:finance"), withdrawal("1")], [True, True, False]),
        ([withdrawal("10"), withdrawal("10", NEXT_MONTH)], [True, True]),
    ],
    ids=["all", "too much", "by day", "by month", "to the last", "others", "anew"],
)
def test_no_withdrawal_goes_past_a_cap(
    store: Store, withdrawals: list[Withdrawal], taken: list[bool]
) -> None:
    assert takes(store, *withdrawals) == taken


def test_a_refused_withdrawal_changes_nothing_and_returns_how_the_account_stands(store: Store) -> None:
    store.withdraw(withdrawal("9"))
    taken, account = store.withdraw(withdrawal("2", slot=rate_slot()))
    assert not taken
    assert account.usd == 9
    assert store.account("stack", TODAY) == account


def test_what_is_refunded_can_be_withdrawn_again(store: Store) -> None:
    store.withdraw(withdrawal("10"))
    store.refund("stack", TODAY, Decimal("9.5"))
    assert takes(store, withdrawal("9.6"), withdrawal("9.5")) == [False, True]


each_guess = pytest.mark.parametrize("is_busy", [False, True], ids=["guessed free", "guessed busy"])


@each_guess
def test_each_call_starts_an_interval_after_the_one_before_and_the_first_has_time_to_itself(
    store: Store, is_busy: bool
) -> None:
    withdrawn = [store.withdraw(withdrawal("0.1", slot=rate_slot(is_busy=is_busy)))[1] for _ in range(3)]
    assert [each.starts_at for each in withdrawn] == [START, START + FIRST, START + FIRST + SECOND]
    assert withdrawn[-1].next_at[MODEL] == START + FIRST + 2 * SECOND


@each_guess
@pytest.mark.parametrize(("minutes", "until_next"), [(1, SECOND), (10, FIRST)], ids=["warm", "cold"])
def test_after_a_rest_the_next_call_starts_at_once(
    store: Store, minutes: int, until_next: timedelta, is_busy: bool
) -> None:
    store.withdraw(withdrawal("0.1", slot=rate_slot()))
    later = START + timedelta(minutes=minutes)
    account = store.withdraw(withdrawal("0.1", slot=rate_slot(now=later, is_busy=is_busy)))[1]
    assert (account.starts_at, account.next_at[MODEL]) == (later, later + until_next)


def test_a_call_that_would_start_too_late_takes_neither_money_nor_a_rate_slot(store: Store) -> None:
    for _ in range(3):
        store.withdraw(withdrawal("0.1", slot=rate_slot()))
    taken, account = store.withdraw(withdrawal("0.1", slot=rate_slot(wait=5)))
    assert not taken
    assert (account.usd, account.next_at[MODEL]) == (Decimal("0.3"), START + FIRST + 2 * SECOND)
    assert store.withdraw(withdrawal("0.1", slot=rate_slot(wait=6)))[0]


@each_guess
def test_a_burst_may_start_early_as_long_as_all_keep_the_rate(store: Store, is_busy: bool) -> None:
    eager = replace(rate_slot(wait=1, is_busy=is_busy), warm_up=SECOND, burst=2 * SECOND)
    withdrawn = [store.withdraw(withdrawal("0.1", slot=eager)) for _ in range(5)]
    assert [taken for taken, _ in withdrawn] == [True] * 4 + [False]
    assert [account.starts_at for taken, account in withdrawn if taken] == [START] * 3 + [START + SECOND]
    assert withdrawn[-1][1].next_at[MODEL] == START + 4 * SECOND


def test_the_models_have_rate_slots_of_their_own(store: Store) -> None:
    store.withdraw(withdrawal("0.1", slot=rate_slot()))
    assert store.withdraw(withdrawal("0.1", slot=rate_slot(OTHER)))[1].starts_at == START


def test_what_one_container_observed_of_the_limits_the_others_read(store: Store) -> None:
    said = RateLimits(requests=60, output_tokens=1000)
    store.withdraw(withdrawal("0.1", slot=replace(rate_slot(), observed=said)))
    store.withdraw(withdrawal("0.1", slot=rate_slot()))
    assert store.account("stack", TODAY).limits == {MODEL: said}


def test_jobs_over_a_cap_are_found_by_when_it_ends_the_oldest_upload_first(store: Store) -> None:
    until = START + timedelta(hours=12)
    over = CapWait(account="stack", usd=Decimal("0.02"))
    for name, age, due in (("b", 1, until), ("a", 3, until), ("c", 2, until), ("d", 4, until + SECOND)):
        of = replace(upload(f"finance/{name}.txt"), uploaded_at=START - timedelta(hours=age))
        store.commit(Write(before=None, after=job(of, wake_at=due, over_cap=over)))
    store.commit(Write(before=None, after=job(upload("finance/e.txt"), wake_at=until)))
    waiting = [each.upload.key for each in store.jobs_over_cap(until, lambda wait: True, 10)]
    assert waiting == ["finance/a.txt", "finance/c.txt", "finance/b.txt"]
    assert [each.upload.key for each in store.jobs_over_cap(until, lambda wait: True, 1)] == ["finance/a.txt"]
    assert len(store.due_jobs(until + timedelta(hours=1), 10)) == 5


def test_of_the_jobs_over_a_cap_only_those_are_found_that_fit_by_now(store: Store) -> None:
    until = START + timedelta(hours=12)
    asked: list[CapWait] = []
    waits = [("team:Büro 5 %", "0.02"), ("stack", "0.0000001"), ("team:Büro 5 %", "0.01"), ("stack", "12")]
    wants = [CapWait(account=account, usd=Decimal(usd)) for account, usd in waits]
    for number, want in enumerate(wants):
        of = replace(upload(f"a/{number}.txt"), uploaded_at=START - timedelta(hours=9 - number))
        store.commit(Write(before=None, after=job(of, wake_at=until, over_cap=want)))

    def fits(wait: CapWait) -> bool:
        asked.append(wait)
        return wait.account == "stack"

    assert [each.charges.over_cap for each in store.jobs_over_cap(until, fits, 10)] == [wants[1], wants[3]]
    assert asked == wants
    assert [each.charges.over_cap for each in store.jobs_over_cap(until, fits, 1)] == [wants[1]]


def test_jobs_that_waited_for_money_until_now_are_due_the_oldest_upload_first(store: Store) -> None:
    until = START + timedelta(hours=12)
    over = CapWait(account="stack", usd=Decimal("0.02"))
    for name, age in (("b", 1), ("a", 3), ("c", 2)):
        of = replace(upload(f"finance/{name}.txt"), uploaded_at=START - timedelta(hours=age))
        store.commit(Write(before=None, after=job(of, wake_at=until, over_cap=over)))
    store.commit(Write(before=None, after=job(upload("finance/d.txt"), wake_at=until)))
    due = [each.upload.key for each in store.due_jobs(until + SECOND, 10)]
    assert due == ["finance/d.txt", "finance/a.txt", "finance/c.txt", "finance/b.txt"]


def test_usage_adds_up_by_day_team_model_tier_and_category(store: Store) -> None:
    one = UsageTotals(calls=1, input_tokens=10, usd=Decimal("0.0001"), saved_by_caching_usd=Decimal("-0.5"))
    mine, others = replace(LINE, totals=one), replace(LINE, team="fi#nance", totals=one)
    lines = [mine, mine, others, replace(mine, day="2026-11-23")]
    for number, each in enumerate(lines):
        assert store.commit(Write(before=None, after=job(upload(f"{number}.txt"))), usage=[each])
    found = {each.team: each for each in store.usage("2026-11-22")}
    assert found == {
        "finance": replace(LINE, totals=one + one),
        "fi#nance": others,
    }


def test_a_commit_that_fails_adds_no_usage(store: Store) -> None:
    store.commit(Write(before=None, after=job()))
    assert not store.commit(
        Write(before=None, after=job()), usage=[replace(LINE, totals=UsageTotals(calls=1))]
    )
    assert store.usage("2026-11-22") == []
