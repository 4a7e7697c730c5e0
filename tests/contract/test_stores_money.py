"""Accounts and tallies: no draw goes past a cap or out of turn, and a count is written with its cause."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from pigeonhole.domain.document import Allowance, Tier
from pigeonhole.jobs.job import OverCapBy
from pigeonhole.jobs.usage import Count, Tally
from pigeonhole.money.account import Account, Cap, Draw, Pace
from pigeonhole.ports import Ledger, Swap
from tests.support.builders import upload, work
from tests.support.fakes import START

TODAY, TOMORROW = date(2026, 11, 22), date(2026, 11, 23)
NEXT_MONTH = date(2026, 12, 1)
CAP = Cap(day=Decimal(10), month=Decimal(25))
MODEL, OTHER = "claude-haiku-5-5", "claude-sonnet-5-5"
SECOND = timedelta(seconds=1)
FIRST = 4 * SECOND
TALLY = Tally(
    day="2026-11-22", team="finance", model=MODEL, tier=Tier.FAST, category="invoice", shard=3, count=Count()
)


def draw(usd: str, day: date = TODAY, account: str = "stack", pace: Pace | None = None) -> Draw:
    return Draw(account=account, day=day, usd=Decimal(usd), cap=CAP, pace=pace)


def pace(model: str = MODEL, now: datetime = START, wait: int = 60, *, is_busy: bool = False) -> Pace:
    return Pace(
        model=model,
        step=SECOND,
        first=FIRST,
        rested=now - timedelta(minutes=5),
        now=now,
        latest=now + wait * SECOND,
        seen=now + SECOND if is_busy else None,
    )


def takes(ledger: Ledger, *draws: Draw) -> list[bool]:
    return [ledger.draw(each)[0] for each in draws]


def test_an_account_that_nobody_drew_on_is_empty(ledger: Ledger) -> None:
    assert ledger.account("stack", TODAY) == Account()


def test_what_is_drawn_counts_for_its_day_and_its_month(ledger: Ledger) -> None:
    taken, account = ledger.draw(draw("1.0000001"))
    assert taken
    assert ledger.account("stack", TODAY) == account
    ledger.draw(draw("2", TOMORROW))
    account = ledger.account("stack", TODAY)
    assert (account.usd, dict(account.days)) == (Decimal("3.0000001"), {22: Decimal("1.0000001"), 23: 2})
    assert ledger.account("stack", NEXT_MONTH) == Account()


@pytest.mark.parametrize(
    ("draws", "taken"),
    [
        ([draw("10")], [True]),
        ([draw("10.0000001")], [False]),
        ([draw("6"), draw("5"), draw("4")], [True, False, True]),
        ([draw("10"), draw("10", TOMORROW), draw("6", date(2026, 11, 24))], [True, True, False]),
        ([draw("10"), draw("10", TOMORROW), draw("5", date(2026, 11, 24))], [True, True, True]),
        ([draw("10"), draw("10", account="team:finance"), draw("1")], [True, True, False]),
        ([draw("10"), draw("10", NEXT_MONTH)], [True, True]),
    ],
    ids=["all", "too much", "by day", "by month", "to the last", "others", "anew"],
)
def test_no_draw_goes_past_a_cap(ledger: Ledger, draws: list[Draw], taken: list[bool]) -> None:
    assert takes(ledger, *draws) == taken


def test_what_was_refused_changes_nothing_and_is_told_how_it_stands(ledger: Ledger) -> None:
    ledger.draw(draw("9"))
    taken, account = ledger.draw(draw("2", pace=pace()))
    assert not taken
    assert account.usd == 9
    assert ledger.account("stack", TODAY) == account


def test_what_is_given_back_can_be_drawn_again(ledger: Ledger) -> None:
    ledger.draw(draw("10"))
    ledger.credit("stack", TODAY, Decimal("9.5"))
    assert takes(ledger, draw("9.6"), draw("9.5")) == [False, True]


each_guess = pytest.mark.parametrize("is_busy", [False, True], ids=["guessed free", "guessed busy"])


@each_guess
def test_each_call_begins_a_step_after_the_one_before_and_the_first_has_time_to_itself(
    ledger: Ledger, is_busy: bool
) -> None:
    drawn = [ledger.draw(draw("0.1", pace=pace(is_busy=is_busy)))[1] for _ in range(3)]
    assert [each.turn for each in drawn] == [START, START + FIRST, START + FIRST + SECOND]
    assert drawn[-1].next[MODEL] == START + FIRST + 2 * SECOND


@each_guess
@pytest.mark.parametrize(("minutes", "alone"), [(1, SECOND), (10, FIRST)], ids=["warm", "cold"])
def test_after_a_rest_the_next_call_begins_at_once(
    ledger: Ledger, minutes: int, alone: timedelta, is_busy: bool
) -> None:
    ledger.draw(draw("0.1", pace=pace()))
    later = START + timedelta(minutes=minutes)
    account = ledger.draw(draw("0.1", pace=pace(now=later, is_busy=is_busy)))[1]
    assert (account.turn, account.next[MODEL]) == (later, later + alone)


def test_a_call_that_would_begin_too_late_takes_neither_money_nor_a_turn(ledger: Ledger) -> None:
    for _ in range(3):
        ledger.draw(draw("0.1", pace=pace()))
    taken, account = ledger.draw(draw("0.1", pace=pace(wait=5)))
    assert not taken
    assert (account.usd, account.next[MODEL]) == (Decimal("0.3"), START + FIRST + 2 * SECOND)
    assert ledger.draw(draw("0.1", pace=pace(wait=6)))[0]


@each_guess
def test_a_few_may_begin_early_as_long_as_all_keep_the_pace(ledger: Ledger, is_busy: bool) -> None:
    eager = replace(pace(wait=1, is_busy=is_busy), first=SECOND, early=2 * SECOND)
    drawn = [ledger.draw(draw("0.1", pace=eager)) for _ in range(5)]
    assert [taken for taken, _ in drawn] == [True] * 4 + [False]
    assert [account.turn for taken, account in drawn if taken] == [START] * 3 + [START + SECOND]
    assert drawn[-1][1].next[MODEL] == START + 4 * SECOND


def test_the_models_have_turns_of_their_own(ledger: Ledger) -> None:
    ledger.draw(draw("0.1", pace=pace()))
    assert ledger.draw(draw("0.1", pace=pace(OTHER)))[1].turn == START


def test_what_one_learned_of_the_limits_the_others_hear(ledger: Ledger) -> None:
    said = Allowance(requests=60, output_tokens=1000)
    ledger.draw(draw("0.1", pace=replace(pace(), learned=said)))
    ledger.draw(draw("0.1", pace=pace()))
    assert ledger.account("stack", TODAY).limits == {MODEL: said}


def test_what_waits_for_money_is_found_by_its_end_the_oldest_upload_first(ledger: Ledger) -> None:
    until = START + timedelta(hours=12)
    over = OverCapBy(account="stack", usd=Decimal("0.02"))
    for name, age, due in (("b", 1, until), ("a", 3, until), ("c", 2, until), ("d", 4, until + SECOND)):
        of = replace(upload(f"finance/{name}.txt"), uploaded_at=START - timedelta(hours=age))
        ledger.swap(Swap(before=None, after=work(of, due=due, over_cap=over)))
    ledger.swap(Swap(before=None, after=work(upload("finance/e.txt"), due=until)))
    waiting = [each.upload.key for each in ledger.over_cap(until, lambda by: True, 10)]
    assert waiting == ["finance/a.txt", "finance/c.txt", "finance/b.txt"]
    assert [each.upload.key for each in ledger.over_cap(until, lambda by: True, 1)] == ["finance/a.txt"]
    assert len(ledger.due(until + timedelta(hours=1), 10)) == 5


def test_of_what_waits_for_money_only_that_is_found_that_can_pay(ledger: Ledger) -> None:
    until = START + timedelta(hours=12)
    asked: list[OverCapBy] = []
    waits = [("team:Büro 5 %", "0.02"), ("stack", "0.0000001"), ("team:Büro 5 %", "0.01"), ("stack", "12")]
    wants = [OverCapBy(account=account, usd=Decimal(usd)) for account, usd in waits]
    for number, want in enumerate(wants):
        of = replace(upload(f"a/{number}.txt"), uploaded_at=START - timedelta(hours=9 - number))
        ledger.swap(Swap(before=None, after=work(of, due=until, over_cap=want)))

    def pays(by: OverCapBy) -> bool:
        asked.append(by)
        return by.account == "stack"

    assert [each.over_cap for each in ledger.over_cap(until, pays, 10)] == [wants[1], wants[3]]
    assert asked == wants
    assert [each.over_cap for each in ledger.over_cap(until, pays, 1)] == [wants[1]]


def test_what_waited_for_money_until_now_is_due_the_oldest_upload_first(ledger: Ledger) -> None:
    until = START + timedelta(hours=12)
    over = OverCapBy(account="stack", usd=Decimal("0.02"))
    for name, age in (("b", 1), ("a", 3), ("c", 2)):
        of = replace(upload(f"finance/{name}.txt"), uploaded_at=START - timedelta(hours=age))
        ledger.swap(Swap(before=None, after=work(of, due=until, over_cap=over)))
    ledger.swap(Swap(before=None, after=work(upload("finance/d.txt"), due=until)))
    due = [each.upload.key for each in ledger.due(until + SECOND, 10)]
    assert due == ["finance/d.txt", "finance/a.txt", "finance/c.txt", "finance/b.txt"]


def test_what_is_counted_adds_up_by_day_team_model_tier_and_category(ledger: Ledger) -> None:
    one = Count(calls=1, input_tokens=10, usd=Decimal("0.0001"), saved_by_caching_usd=Decimal("-0.5"))
    mine, others = replace(TALLY, count=one), replace(TALLY, team="fi#nance", count=one)
    counted = [mine, mine, others, replace(mine, day="2026-11-23")]
    for number, each in enumerate(counted):
        assert ledger.swap(Swap(before=None, after=work(upload(f"{number}.txt"))), tallies=[each])
    found = {each.team: each for each in ledger.tallies("2026-11-22")}
    assert found == {
        "finance": replace(TALLY, count=one + one),
        "fi#nance": others,
    }


def test_nothing_is_counted_of_what_was_not_written(ledger: Ledger) -> None:
    ledger.swap(Swap(before=None, after=work()))
    assert not ledger.swap(Swap(before=None, after=work()), tallies=[replace(TALLY, count=Count(calls=1))])
    assert ledger.tallies("2026-11-22") == []
