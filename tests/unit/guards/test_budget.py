"""Caps and pace: nothing is spent past a cap, nothing unspent is lost, and calls come one after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pigeonhole.domain.document import RateLimits, Tier
from pigeonhole.domain.errors import OverCap, RetryCause, TryLater
from pigeonhole.guards.budget import Budget
from pigeonhole.money.account import STACK, CallEstimate, Cap, Withdrawal, account_of, day_ends, month_ends
from tests.support.builders import breaks
from tests.support.fakes import START, FakeClock, FakeStore

FAST, STRONG = "claude-haiku-5-5", "claude-sonnet-5-5"
TEAM = account_of("finance")
ROOMY = Cap(day=Decimal(10), month=Decimal(100))
NEED = CallEstimate(
    team="finance",
    model=FAST,
    tier=Tier.FAST,
    by="me",
    usd=Decimal(1),
    input_tokens=2000,
    output_tokens=300,
)
SWIFT = RateLimits(requests=1_000_000)
TODAY = date(2026, 11, 22)
MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
# What one call a second may take is stretched by a hundredth, since the network shifts calls.
STEP = timedelta(seconds=1.01)


class Bank:
    """A ledger and a clock, and containers that share them."""

    def __init__(self, limits: RateLimits = SWIFT, **caps: Cap) -> None:
        self.store, self.clock = FakeStore(), FakeClock()
        self.limits = limits
        self.caps = {STACK: ROOMY} | {account_of(team): cap for team, cap in caps.items() if team != STACK}
        if STACK in caps:
            self.caps[STACK] = caps[STACK]
        self.budget = self.container()

    def container(self) -> Budget:
        return Budget(self.store, self.clock, self.caps, self.limits)

    def listen(
        self, asked: list[datetime | None], meanwhile: Callable[[], None] = lambda: None
    ) -> list[datetime | None]:
        """Behind whom each draw from now on believes to be; the rest happens before it is made."""

        def heard(withdrawal: Withdrawal) -> bool:
            assert withdrawal.slot
            asked.append(withdrawal.slot.seen)
            meanwhile()
            return False

        breaks(self.store, "withdraw", RuntimeError(), when=heard)
        return asked

    def reserve(self, need: CallEstimate = NEED, patience: float = 60, by: Budget | None = None):
        latest = self.clock.now() + timedelta(seconds=patience)
        return (by or self.budget).reserve(need, latest)

    def refused(self, need: CallEstimate = NEED) -> OverCap:
        with pytest.raises(OverCap) as exc_info:
            self.reserve(need)
        return exc_info.value

    def spent(self, account: str = STACK, day: date = TODAY) -> tuple[Decimal | int, Decimal | int]:
        """Of the day and of its month."""
        found = self.store.account(account, day)
        return found.spent_on(day), found.usd

    def began(self, *needs: CallEstimate, by: Budget | None = None) -> list[timedelta]:
        """When each of these calls may begin, after the start."""
        began = []
        for need in needs:
            self.reserve(need, by=by)
            began.append(self.clock.now() - START)
        return began


def cap(day: str, month: str = "100") -> Cap:
    return Cap(day=Decimal(day), month=Decimal(month))


@pytest.mark.parametrize(
    ("caps", "calls", "account", "until"),
    [
        ({STACK: cap("2.5")}, 2, STACK, MIDNIGHT),
        ({STACK: cap("2")}, 2, STACK, MIDNIGHT),
        ({STACK: cap("10", "3")}, 3, STACK, DECEMBER),
        ({STACK: cap("3", "3")}, 3, STACK, DECEMBER),
        ({"finance": cap("1")}, 1, TEAM, MIDNIGHT),
        ({"finance": cap("9", "4.99")}, 4, TEAM, DECEMBER),
        ({STACK: cap("1"), "finance": cap("2")}, 1, STACK, MIDNIGHT),
        ({STACK: cap("0.5")}, 0, STACK, MIDNIGHT),
    ],
    ids=[
        "day",
        "to the last cent",
        "month",
        "both, the longer wait",
        "team's day",
        "team's month",
        "the stack's before the team's",
        "a call dearer than the whole cap",
    ],
)
def test_calls_fit_under_every_cap_and_the_first_that_does_not_says_which_and_when_it_ends(
    caps, calls, account, until
):
    bank = Bank(**caps)
    for _ in range(calls):
        bank.reserve()
    exc_info = bank.refused()

    assert (exc_info.waiting_for, exc_info.account, exc_info.usd, exc_info.until) == (
        "spend_cap",
        account,
        NEED.usd,
        until,
    )


@pytest.mark.parametrize(
    ("now", "day_is_over", "month_is_over"),
    [
        (datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC), DECEMBER),
        (datetime(2026, 11, 30, 23, 59, 59, 999_999, tzinfo=UTC), DECEMBER, DECEMBER),
        (datetime(2026, 12, 31, 12, tzinfo=UTC), *[datetime(2027, 1, 1, tzinfo=UTC)] * 2),
        (
            datetime(2027, 1, 31, tzinfo=UTC),
            datetime(2027, 2, 1, tzinfo=UTC),
            datetime(2027, 2, 1, tzinfo=UTC),
        ),
        (
            datetime(2028, 2, 28, 1, tzinfo=UTC),
            datetime(2028, 2, 29, tzinfo=UTC),
            datetime(2028, 3, 1, tzinfo=UTC),
        ),
        (
            datetime(2026, 12, 1, tzinfo=UTC),
            datetime(2026, 12, 2, tzinfo=UTC),
            datetime(2027, 1, 1, tzinfo=UTC),
        ),
    ],
    ids=["midnight", "last moment of a month", "new year", "31 days", "leap year", "first of a month"],
)
def test_a_day_ends_at_midnight_and_a_month_with_its_last_day(now, day_is_over, month_is_over):
    assert (day_ends(now), month_ends(now)) == (day_is_over, month_is_over)


@given(st.integers(0, 4 * 366 * 86_400).map(lambda seconds: START + timedelta(seconds=seconds)))
def test_both_ends_are_ahead_and_a_month_never_ends_within_a_day(now):
    assert now < day_ends(now) <= month_ends(now)
    assert month_ends(now).day == 1
    assert month_ends(now) - now <= timedelta(days=31)


def test_after_midnight_the_day_begins_anew_and_the_month_goes_on():
    bank = Bank(stack=cap("2", "3"))
    for _ in range(2):
        bank.reserve()
    bank.refused()
    bank.clock.time = MIDNIGHT
    bank.reserve()

    assert bank.refused().until == DECEMBER
    bank.clock.time = DECEMBER
    bank.reserve()


def test_what_a_call_did_not_spend_goes_back_to_the_day_it_came_from():
    bank = Bank()
    bank.clock.time = MIDNIGHT - timedelta(seconds=1)
    reserved = bank.reserve()
    bank.clock.time = MIDNIGHT + timedelta(seconds=9)
    bank.budget.settle(reserved, Decimal("0.25"))
    bank.budget.refund_unspent()

    assert bank.spent() == (Decimal("0.25"), Decimal("0.25"))
    assert bank.spent(day=MIDNIGHT.date()) == (Decimal(0), Decimal("0.25"))


def test_at_the_turn_of_the_month_it_goes_back_to_the_month_it_came_from():
    bank = Bank(finance=ROOMY)
    bank.clock.time = DECEMBER - timedelta(seconds=1)
    reserved = bank.reserve()
    bank.clock.time = DECEMBER + timedelta(seconds=9)
    bank.reserve()
    bank.budget.settle(reserved, Decimal("0.25"))
    bank.budget.refund_unspent()

    for account in (STACK, TEAM):
        assert bank.spent(account, date(2026, 11, 30)) == (Decimal("0.25"), Decimal("0.25"))
        assert bank.spent(account, DECEMBER.date()) == (Decimal(1), Decimal(1))


def test_a_team_with_a_cap_draws_on_both_accounts_and_one_without_on_the_stacks_alone():
    bank = Bank(finance=ROOMY)
    reserved = bank.reserve()
    bank.reserve(replace(NEED, team="legal"))

    assert reserved.accounts == (TEAM, STACK)
    assert (bank.spent(TEAM)[0], bank.spent(STACK)[0]) == (1, 2)
    assert bank.spent(account_of("legal")) == (0, 0)


def test_a_reservation_says_all_that_is_needed_to_settle_it():
    reserved = Bank().reserve()

    assert (reserved.usd, reserved.day, reserved.model) == (NEED.usd, TODAY, FAST)
    assert (reserved.tier, reserved.by) == (Tier.FAST, "me")


def test_what_the_stack_refuses_costs_the_team_nothing():
    bank = Bank(stack=cap("1"), finance=ROOMY)
    bank.reserve(replace(NEED, team="legal"))
    bank.refused()
    bank.budget.refund_unspent()

    assert bank.spent(TEAM) == (0, 0)


def test_what_the_stack_has_no_turn_for_costs_the_team_nothing():
    bank = Bank(RateLimits(requests=1), finance=ROOMY)
    bank.reserve()
    with pytest.raises(TryLater):
        bank.reserve()
    bank.budget.refund_unspent()

    assert bank.spent(TEAM) == bank.spent(STACK) == (1, 1)


def test_what_the_table_was_too_busy_for_costs_the_team_nothing():
    bank = Bank(finance=ROOMY)
    breaks(bank.store, "withdraw", TryLater("DynamoDB", seconds=2), when=lambda draw: draw.account == STACK)
    with pytest.raises(TryLater, match="DynamoDB"):
        bank.reserve()
    bank.budget.refund_unspent()

    assert bank.spent(TEAM) == (0, 0)


@given(st.lists(st.tuples(st.sampled_from(["finance", "legal"]), st.integers(0, 100)), max_size=12))
def test_once_all_is_settled_the_accounts_hold_what_was_spent_and_nothing_else(calls):
    bank = Bank(finance=cap("4"))
    spent = dict.fromkeys((STACK, TEAM), Decimal(0))
    for team, percent in calls:
        cost = NEED.usd * percent / 100
        try:
            reserved = bank.reserve(replace(NEED, team=team))
        except OverCap:
            bank.budget.refund_unspent()
            continue
        bank.budget.settle(reserved, cost)
        for account in reserved.accounts:
            spent[account] += cost
    bank.budget.refund_unspent()

    assert {account: bank.spent(account)[0] for account in spent} == spent


def test_nothing_goes_back_twice():
    bank = Bank()
    bank.budget.settle(bank.reserve(), Decimal("0.25"))
    for _ in range(3):
        bank.budget.refund_unspent()

    assert bank.spent()[0] == Decimal("0.25")


def test_what_a_busy_table_would_not_take_back_it_takes_the_next_time():
    bank = Bank(finance=ROOMY)
    bank.budget.settle(bank.reserve(), Decimal("0.25"))
    breaks(bank.store, "refund", TryLater("busy", seconds=2))
    bank.budget.refund_unspent()
    bank.budget.settle(bank.reserve(), Decimal("0.5"))
    bank.budget.refund_unspent()

    assert bank.spent(STACK)[0] == bank.spent(TEAM)[0] == Decimal("0.75")


def test_what_may_have_gone_back_already_does_not_go_back_again():
    bank = Bank()
    bank.budget.settle(bank.reserve(), Decimal("0.25"))
    breaks(bank.store, "refund", TryLater("no answer", seconds=2, cause=RetryCause.UNCERTAIN), after=True)
    for _ in range(2):
        bank.budget.refund_unspent()

    assert bank.spent()[0] == Decimal("0.25")


def test_calls_side_by_side_begin_a_step_apart_whichever_container_makes_them():
    bank = Bank(RateLimits(requests=60))
    others = [bank.container() for _ in range(3)]
    began = [bank.began(NEED, by=each)[0] for each in others]

    assert began == [0 * STEP, STEP, 2 * STEP]


def test_what_a_second_allows_begins_at_once_and_then_the_calls_keep_the_pace():
    bank = Bank(RateLimits(requests=600))
    small, step = replace(NEED, usd=Decimal("0.1")), STEP / 10
    early = timedelta(seconds=1) - step
    began = bank.began(*[small] * 13)

    assert began == [max(number * step - early, 0 * step) for number in range(13)]
    assert began.count(0 * step) == 9


@given(st.lists(st.integers(0, 3_000), min_size=1, max_size=60), st.sampled_from([30, 60, 61, 240, 1000]))
def test_in_no_time_do_more_calls_begin_than_it_and_one_second_more_allow(rests, per_minute):
    bank = Bank(RateLimits(requests=per_minute))
    began = []
    for rest in rests:
        bank.clock.pass_by(rest / 1000)
        began += bank.began(replace(NEED, usd=Decimal(0)))

    for first, start in enumerate(began):
        for calls, end in enumerate(began[first:], start=1):
            assert calls <= (end - start).total_seconds() * per_minute / 60 + max(per_minute / 60, 1) + 0.01


def test_whoever_comes_while_others_of_the_container_ask_for_their_turn_asks_for_the_one_behind():
    bank = Bank(RateLimits(requests=60))
    asked: list[datetime | None] = []

    def meanwhile() -> None:
        if len(asked) < 3:
            bank.reserve()

    bank.listen(asked, meanwhile)
    bank.reserve()

    assert asked == [None, START + STEP, START + 2 * STEP]


def test_who_was_refused_a_turn_holds_up_nobody():
    bank = Bank(RateLimits(requests=1), stack=cap("1"))
    bank.reserve()
    for _ in range(3):
        bank.refused()
    asked = bank.listen([])
    bank.refused()

    assert asked == [START + 60 * STEP]


def test_after_a_rest_the_next_call_begins_at_once():
    bank = Bank(RateLimits(requests=60))
    bank.began(NEED, NEED)
    bank.clock.pass_by(30)
    before = bank.clock.now()
    bank.reserve()

    assert bank.clock.now() == before


def test_the_models_do_not_wait_for_each_other():
    bank = Bank(RateLimits(requests=60))

    assert bank.began(NEED, replace(NEED, model=STRONG)) == [timedelta(0)] * 2


@pytest.mark.parametrize(
    ("limits", "seconds"),
    [
        (RateLimits(requests=60), 1),
        (RateLimits(requests=60, input_tokens=20_000), 6),
        (RateLimits(requests=60, output_tokens=3_600), 5),
        (RateLimits(requests=6, input_tokens=20_000, output_tokens=3_600), 10),
        (RateLimits(), 0),
    ],
    ids=["requests", "input", "output", "requests are the strictest", "no limit"],
)
def test_the_strictest_limit_sets_the_pace(limits, seconds):
    assert Bank(limits).began(NEED, NEED)[1] == seconds * STEP


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (RateLimits(requests=30), 2),
        (RateLimits(requests=6000), 1),
        (RateLimits(requests=6000, input_tokens=12_000), 10),
        (RateLimits(), 1),
    ],
    ids=["stricter", "laxer than the setting", "stricter in another way", "says nothing"],
)
def test_what_the_api_says_makes_calls_slower_and_never_faster_than_the_setting(said, seconds):
    bank = Bank(RateLimits(requests=60))
    bank.budget.observe_limits(FAST, said)

    assert bank.began(NEED, NEED)[1] == seconds * STEP


def test_what_the_api_says_of_one_model_is_about_that_model():
    bank = Bank(RateLimits(requests=60))
    bank.budget.observe_limits(STRONG, RateLimits(requests=1))

    assert bank.began(NEED, NEED)[1] == STEP


def test_an_answer_that_says_nothing_of_limits_makes_nobody_forget_them():
    bank = Bank(RateLimits(requests=60))
    bank.budget.observe_limits(FAST, RateLimits(requests=30))
    bank.budget.observe_limits(FAST, RateLimits())

    assert bank.began(NEED, NEED)[1] == 2 * STEP


def test_a_cold_container_knows_what_others_were_told():
    bank = Bank(RateLimits(requests=60))
    bank.budget.observe_limits(FAST, RateLimits(requests=30))
    bank.reserve()
    bank.clock.pass_by(100)
    cold = bank.container()
    first, second = bank.began(NEED, NEED, by=cold)

    assert second - first == 2 * STEP


def test_a_turn_that_would_come_too_late_is_not_taken_and_says_how_much_too_late():
    bank = Bank(RateLimits(requests=1))
    bank.reserve()
    with pytest.raises(TryLater, match="rate limited") as exc_info:
        bank.reserve(patience=20)

    assert exc_info.value.seconds == pytest.approx(40.6)
    assert exc_info.value.cause is RetryCause.WAITING
    assert bank.clock.now() == START
    assert bank.spent() == (1, 1)


def test_who_can_wait_until_the_last_moment_gets_the_turn():
    bank = Bank(RateLimits(requests=1))
    bank.reserve()
    bank.reserve(patience=60.6)

    assert bank.clock.now() == START + 60 * STEP


def test_who_wants_it_at_once_gets_it_if_nobody_is_before():
    Bank(RateLimits(requests=1)).reserve(patience=0)


@pytest.mark.parametrize(
    ("ago", "is_warm"), [(0, True), (299, True), (300, False), (301, False), (None, False)]
)
def test_a_model_is_warm_for_so_long_after_a_call_by_anybody(ago, is_warm):
    bank = Bank()
    if ago is not None:
        bank.reserve()
        bank.clock.time = START + timedelta(seconds=ago + 0.001)

    assert bank.container().is_warm(FAST) is is_warm
    assert not bank.container().is_warm(STRONG)


def test_there_is_room_for_what_neither_the_day_nor_the_month_has_spent():
    bank = Bank(stack=cap("3", "100"), finance=cap("10", "4.5"))
    bank.reserve()

    assert bank.budget.headroom() == {STACK: Decimal(2), TEAM: Decimal("3.5")}
    bank.clock.time = MIDNIGHT
    assert bank.budget.headroom() == {STACK: Decimal(3), TEAM: Decimal("3.5")}
    bank.clock.time = DECEMBER
    assert bank.budget.headroom() == {STACK: Decimal(3), TEAM: Decimal("4.5")}


def test_where_a_cap_was_lowered_below_what_was_spent_there_is_no_room():
    bank = Bank()
    bank.reserve()
    bank.caps[STACK] = cap("0.5")

    assert bank.container().headroom()[STACK] < 0
    bank.refused()


@pytest.mark.parametrize(
    ("caps", "percent"),
    [
        ({}, 10),
        ({STACK: cap("8")}, 12),
        ({STACK: cap("1", "2")}, 100),
        ({STACK: cap("10", "2")}, 50),
        ({"finance": cap("4")}, 25),
        ({"legal": cap("0", "0")}, 10),
    ],
    ids=["day", "whole percents", "day before month", "month", "team", "a team that may spend nothing"],
)
def test_what_is_used_up_is_told_of_the_account_that_is_nearest_its_cap(caps, percent):
    bank = Bank(**caps)
    bank.reserve()

    assert bank.budget.percent_used() == percent


def test_a_new_day_has_used_up_nothing_of_its_own():
    bank = Bank(stack=cap("1", "10"))
    bank.reserve()
    bank.clock.time = MIDNIGHT

    assert bank.budget.percent_used() == 10
    bank.clock.time = DECEMBER
    assert bank.budget.percent_used() == 0


def test_whoever_comes_after_the_first_in_a_while_waits_until_its_prefix_can_be_read():
    first, second = Bank().began(*[replace(NEED, caches_prefix=True)] * 2)

    assert second - first == timedelta(seconds=4)


LAST_SECONDS = datetime(2026, 11, 22, 23, 59, 50, tzinfo=UTC)
TOMORROW = date(2026, 11, 23)


def test_a_call_that_waits_for_its_slot_over_midnight_counts_on_the_day_on_which_it_is_sent():
    bank = Bank(RateLimits(requests=3))
    bank.clock.time = LAST_SECONDS
    bank.reserve()
    late = bank.reserve()
    bank.budget.refund_unspent()

    assert bank.clock.now() > MIDNIGHT
    assert late.day == TOMORROW
    assert (bank.spent(), bank.spent(day=TOMORROW)) == ((1, 2), (1, 2))


def test_a_call_that_waits_over_midnight_does_not_pass_the_new_days_cap():
    bank = Bank(RateLimits(requests=3), **{STACK: cap("1.5")})
    other = Budget(bank.store, bank.clock, bank.caps, SWIFT)
    bank.clock.time = LAST_SECONDS
    bank.budget.settle(bank.reserve(), Decimal(0))
    bank.budget.refund_unspent()
    waits = bank.clock.wait

    def midnight_passes_and_somebody_else_is_quicker(seconds: float) -> None:
        waits(seconds)
        bank.clock.wait = waits  # type: ignore[method-assign]
        other.reserve(NEED, bank.clock.now() + timedelta(seconds=60))

    bank.clock.wait = midnight_passes_and_somebody_else_is_quicker  # type: ignore[method-assign]
    with pytest.raises(OverCap):
        bank.reserve()
    bank.budget.refund_unspent()

    assert bank.spent(day=TOMORROW)[0] == 1


def test_over_the_end_of_a_month_the_money_is_the_new_months():
    bank = Bank(RateLimits(requests=3))
    bank.clock.time = DECEMBER - timedelta(seconds=10)
    bank.reserve()
    late = bank.reserve()
    bank.budget.refund_unspent()

    assert late.day == DECEMBER.date()
    assert bank.spent(day=date(2026, 11, 30)) == (1, 1)
    assert bank.spent(day=DECEMBER.date()) == (1, 1)
