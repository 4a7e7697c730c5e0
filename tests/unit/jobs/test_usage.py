"""What calls come to: exact to the kind of token, written off and taken back, and nothing twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from pigeonhole.claude import model_catalog
from pigeonhole.domain.document import Reply, Stage, Tier, Usage
from pigeonhole.domain.errors import WaitReason
from pigeonhole.domain.row_attributes import Status
from pigeonhole.jobs import transitions
from pigeonhole.jobs.job import Job, Lease, Park, Reservation
from pigeonhole.jobs.reply import InterpretedReply
from pigeonhole.jobs.usage import UNANSWERED, UNUSABLE, UsageLine, UsageTotals, usage_of
from pigeonhole.money import pricing
from tests.support.builders import job, record, reply, upload
from tests.support.fakes import START
from tests.unit.jobs.replies import MODELS, interpreted

FAST, STRONG = MODELS[Tier.FAST], MODELS[Tier.STRONG]
TODAY, YESTERDAY = date(2026, 11, 22), date(2026, 11, 21)
USAGE = Usage(input_tokens=1000, output_tokens=100, cache_read_tokens=2000, cache_write_tokens=0)


def counted(tier: Tier = Tier.FAST, usage: Usage = USAGE, **about: Any) -> UsageTotals:
    """What one reply comes to."""
    said = answered(tier, usage, **about)
    [one] = usage_of(job(), transitions.with_reply(job(), said, None), said)
    return one.totals


def answered(tier: Tier = Tier.FAST, usage: Usage = USAGE, **about: Any) -> InterpretedReply:
    return interpreted(answer(tier, usage, **about), tier)


def answer(tier: Tier = Tier.FAST, usage: Usage = USAGE, **about: Any) -> Reply:
    return replace(reply(), model=MODELS[tier], usage=usage, **about)


def reservation(by: str = "me", usd: str = "0.5", tier: Tier = Tier.FAST, day: date = TODAY) -> Reservation:
    return Reservation(usd=Decimal(usd), day=day, accounts=("stack",), model=MODELS[tier], tier=tier, by=by)


def asking(by: str = "me") -> Job:
    """A job whose call is under way."""
    return job(owner=by, reserved=reservation(by))


def test_a_call_counts_with_its_tokens_by_kind_and_their_exact_price():
    one = counted()

    assert (one.calls, one.reused, one.unsettled) == (1, 0, 0)
    assert (one.input_tokens, one.output_tokens, one.cache_read_tokens) == (1000, 100, 2000)
    assert one.usd == Decimal("0.00017")  # 1,000 at 0.10, 100 at 0.50 and 2,000 at 0.01 a million


def test_it_says_what_the_strong_model_alone_would_have_cost():
    assert counted().alone_usd == Decimal("0.007")  # 3,000 at 2 and 100 at 10 a million
    assert counted(Tier.STRONG).alone_usd == 0


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        (Usage(cache_read_tokens=1000), "0.00009"),
        (Usage(cache_write_tokens=1000), "-0.000025"),
        (Usage(input_tokens=1000, output_tokens=1000), "0"),
        (Usage(input_tokens=1, cache_read_tokens=100_000), "0.045"),
    ],
    ids=["a read saves", "a write costs", "no cache", "at the price of a long prompt"],
)
def test_caching_has_saved_what_the_prompt_would_have_cost_without_it(usage, usd):
    assert counted(usage=usage).saved_by_caching_usd == Decimal(usd)


@pytest.mark.parametrize(
    ("left_out", "usd"),
    [(0, "0"), (10_000, "0.001"), (97_000, "0.0097"), (97_001, "0.0499005")],
    ids=["nothing", "some", "up to the step", "past the step all of it is dearer"],
)
def test_cutting_has_saved_what_the_rest_would_have_cost(left_out, usd):
    assert counted(left_out_tokens=left_out).saved_by_cutting_usd == Decimal(usd)


def test_what_was_reused_has_saved_its_price_and_counts_as_no_call():
    assert counted(reused=True) == UsageTotals(
        reused=1, saved_by_reuse_usd=Decimal("0.00017"), alone_usd=Decimal("0.007")
    )


def test_without_any_of_them_it_would_have_cost_the_sum():
    one = counted(left_out_tokens=500)
    whole = pricing.cost_usd(model_catalog.model(FAST), Usage(input_tokens=3500, output_tokens=100))

    assert one.usd + one.saved_by_caching_usd + one.saved_by_cutting_usd == whole


@pytest.mark.parametrize(
    ("said", "category"),
    [
        (reply(), "invoice"),
        (reply(category="letter"), "letter"),
        (reply(text="?"), UNUSABLE),
        (reply("refusal"), UNUSABLE),
        (reply("max_tokens"), UNUSABLE),
        (reply(category="tax"), UNUSABLE),
    ],
    ids=["one", "another", "invalid", "refused", "truncated", "unknown"],
)
def test_it_counts_under_the_answers_own_category(said, category):
    [one] = usage_of(job(), transitions.with_reply(job(), interpreted(said), None), interpreted(said))

    assert (one.day, one.team, one.model, one.tier) == ("2026-11-22", "finance", FAST, Tier.FAST)
    assert one.category == category


def test_each_counts_on_the_day_on_which_its_call_was_sent():
    said = interpreted(sent_on=YESTERDAY)
    before = job(owner="me", reserved=reservation(day=YESTERDAY))
    lost = transitions.written_off(before)
    settled = transitions.with_reply(lost, said, "me")

    assert [each.day for each in usage_of(before, lost)] == ["2026-11-21"]
    assert [each.day for each in usage_of(lost, settled, said)] == ["2026-11-21", "2026-11-21"]


def test_a_reply_counts_in_the_write_that_records_it_and_in_no_other():
    said = answered()
    recorded = transitions.with_reply(asking(), said, "me")

    assert [each.totals.calls for each in usage_of(asking(), recorded, said)] == [1]
    assert usage_of(recorded, transitions.ended(recorded, record())) == []
    assert usage_of(recorded, transitions.ended(recorded, record()), said) == []
    assert usage_of(asking(), transitions.unreserved(asking())) == []
    assert usage_of(None, job()) == []


def test_a_call_whose_answer_never_came_counts_at_its_full_price():
    [lost] = usage_of(asking(), transitions.written_off(asking()))

    assert (lost.category, lost.model, lost.tier) == (UNANSWERED, FAST, Tier.FAST)
    assert lost.totals == UsageTotals(unsettled=1, unsettled_usd=Decimal("0.5"))


def test_an_answer_that_comes_after_all_takes_that_back():
    lost, said = transitions.written_off(asking()), answered()
    one, taken_back = usage_of(lost, transitions.with_reply(lost, said, "me"), said)

    assert one.totals == counted()
    assert (taken_back.category, taken_back.totals) == (
        UNANSWERED,
        UsageTotals(unsettled=-1, unsettled_usd=Decimal("-0.5")),
    )


def test_the_late_answer_of_one_takes_nothing_of_anothers_back():
    lost = job(
        owner="other", reserved=reservation("other"), unsettled=(reservation("me"), reservation("third"))
    )
    charges = transitions.with_reply(lost, answered(), "me").charges

    assert charges.unsettled == (reservation("third"),)
    assert charges.reserved == reservation("other")


def test_a_second_answer_is_of_no_use_and_counts_at_its_price():
    said = answered()
    first = transitions.with_reply(transitions.written_off(asking("first")), said, "first")
    both = transitions.with_reply(transitions.with_reservation(first, reservation("second")), said, "second")
    [useless] = usage_of(first, both, said)

    assert both.replies == first.replies
    assert useless.totals == UsageTotals(unsettled=1, unsettled_usd=Decimal("0.00017"))
    assert both.draft.unsettled_usd == Decimal("0.00017")


def test_a_second_answer_that_had_been_written_off_counts_at_its_price_and_no_more():
    said = answered()
    first = transitions.with_reply(transitions.written_off(asking("second")), said, "first")
    [less] = usage_of(first, transitions.with_reply(first, said, "second"), said)

    assert less.totals == UsageTotals(unsettled=0, unsettled_usd=Decimal("0.00017") - Decimal("0.5"))


def test_an_uploads_usage_lies_together_and_that_of_many_apart():
    said = answered()

    def shard(key: str) -> int:
        [one] = usage_of(None, transitions.with_reply(job(upload(key)), said, None), said)
        return one.shard

    assert shard("a/1") == shard("a/1")
    assert {shard(f"a/{number}") for number in range(100)} == set(range(8))


def test_totals_add_up():
    one = counted()

    assert (one + one).usd == 2 * one.usd
    assert one + UsageTotals() == one


class AnyHistory(RuleBasedStateMachine):
    """One upload's job, whose owners come, ask, are cut off and come back too late, in any order.

    What Claude bills is known here: no transition may lose it, or count it twice.
    """

    calls = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.names = count()
        self.job = job()
        self.sum = UsageTotals()
        self.billed = Decimal(0)
        self.drafts = [self.job.draft]

    def moves_to(self, after: Job, said: InterpretedReply | None = None) -> None:
        usage: list[UsageLine] = usage_of(self.job, after, said)
        assert len({replace(each, totals=UsageTotals()) for each in usage}) == len(usage)
        self.sum = sum((each.totals for each in usage), self.sum)
        self.job = after

    @property
    def is_open(self) -> bool:
        return self.job.stage is not Stage.ENDED

    @precondition(lambda self: self.is_open)
    @rule(target=calls)
    def somebody_claims_and_asks(self):
        by, tier = f"owner-{next(self.names)}", transitions.TIERS[self.job.stage]
        lease = Lease(owner=by, until=START)
        self.moves_to(transitions.leased(self.job, lease, START, START + timedelta(minutes=1)))
        self.drafts.append(self.job.draft)
        mine = reservation(by, "0.5", tier)
        if tier not in self.job.replies:
            self.moves_to(transitions.with_reservation(self.job, mine))
        return mine

    @rule(call=consumes(calls), tokens=st.integers(0, 1000))
    def an_answer_comes(self, call, tokens):
        if self.knows_of(call):
            said = answered(call.tier, Usage(input_tokens=tokens))
            self.billed += said.cost.usd
            self.moves_to(transitions.with_reply(self.job, said, call.by), said)

    @rule(call=consumes(calls))
    def claude_refuses(self, call):
        if self.job.charges.reserved == call:
            self.moves_to(transitions.unreserved(self.job))

    @rule(call=consumes(calls))
    def the_answer_is_cut_off(self, call):
        if self.job.charges.reserved == call:
            self.billed += call.usd
            self.moves_to(transitions.written_off(self.job))

    @rule(call=consumes(calls))
    def the_owner_dies(self, call):
        if self.knows_of(call):
            self.billed += call.usd

    @precondition(lambda self: self.is_open)
    @rule()
    def it_is_requeued(self):
        self.moves_to(transitions.requeued(self.job, START))

    @precondition(lambda self: self.is_open)
    @rule()
    def it_is_released(self):
        self.moves_to(transitions.released(self.job, START))

    @precondition(lambda self: self.is_open and self.job.draft.status is not Status.PARKED)
    @rule()
    def it_is_parked(self):
        self.moves_to(transitions.parked(self.job, Park(WaitReason.CLAUDE, None), START, START))

    @precondition(lambda self: self.job.stage is Stage.TRIAGE and Tier.FAST in self.job.replies)
    @rule(data=st.data())
    def it_is_escalated(self, data):
        draft = data.draw(st.sampled_from(self.drafts)).escalated((), START)
        self.moves_to(transitions.escalated(self.job, draft, needs_vision=False, wake_at=START))

    @precondition(lambda self: self.is_open)
    @rule(data=st.data())
    def it_ends(self, data):
        draft = data.draw(st.sampled_from(self.drafts)).done(START)
        self.moves_to(transitions.ended(self.job, draft))

    @rule(data=st.data())
    def a_person_decides(self, data):
        draft = data.draw(st.sampled_from(self.drafts)).decided("letter", "ada", START)
        self.moves_to(transitions.decided(self.job, draft))

    @precondition(lambda self: self.is_open)
    @rule()
    def it_is_overtaken(self):
        self.moves_to(transitions.superseded(self.job))

    @rule()
    def it_is_current_again(self):
        self.moves_to(transitions.restored(self.job, "F" * 64, START))

    def knows_of(self, call: Reservation) -> bool:
        return call == self.job.charges.reserved or call in self.job.charges.unsettled

    @invariant()
    def what_was_written_off_is_counted_and_stands_in_the_row(self):
        unsettled = self.job.charges.unsettled
        owed = sum((each.usd for each in unsettled), Decimal(0))
        assert (self.sum.unsettled, self.sum.unsettled_usd) == (len(unsettled), owed)
        assert (self.job.draft.unsettled_usd or 0) == owed

    @invariant()
    def every_reply_is_counted_once_and_on_the_bill_of_the_row(self):
        replies = [each.reply for each in self.job.replies.values()]
        costs = [pricing.cost_usd(model_catalog.model(each.model), each.usage) for each in replies]
        assert (self.sum.calls, self.sum.usd) == (len(costs), sum(costs))
        assert (self.job.draft.cost_usd or 0) == sum(costs)
        usage = sum((self.job.draft.usage or {}).values(), Usage())
        assert usage == sum((each.usage for each in replies), Usage())

    @invariant()
    def nothing_that_was_billed_is_forgotten(self):
        reserved = self.job.charges.reserved
        under_way = reserved.usd if reserved else 0
        assert self.billed <= self.sum.usd + self.sum.unsettled_usd + under_way


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=300, stateful_step_count=20)
