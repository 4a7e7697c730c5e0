"""What calls come to: exact to the kind of token, written off and taken back, and nothing twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from pigeonhole.claude import model_catalog
from pigeonhole.domain.document import Reply, Stage, Tier, Usage
from pigeonhole.domain.policy import Signals
from pigeonhole.jobs import transitions, usage
from pigeonhole.jobs.job import Reservation, Work
from pigeonhole.jobs.usage import UNANSWERED, UNUSABLE, Count, Tally
from pigeonhole.money import pricing
from tests.support.builders import TAXONOMY, reply, upload, work
from tests.support.fakes import START

FAST, STRONG = "claude-haiku-5-5", "claude-sonnet-5-5"
MODELS = {Tier.FAST: FAST, Tier.STRONG: STRONG}
DAY = "2026-11-22"
USAGE = Usage(input_tokens=1000, output_tokens=100, cache_read_tokens=2000, cache_write_tokens=0)


def told(before: Work | None, after: Work) -> list[Tally]:
    return usage.told(before, after, DAY, STRONG, TAXONOMY)


def counted(tier: Tier = Tier.FAST, usage: Usage = USAGE, **about) -> Count:
    """What one reply comes to."""
    [one] = told(work(), transitions.replied(work(), tier, said(tier, usage, **about), None))
    return one.count


def said(tier: Tier = Tier.FAST, usage: Usage = USAGE, **about) -> Reply:
    return replace(reply(), model=MODELS[tier], usage=usage, **about)


def set_aside(by: str = "me", usd: str = "0.5", tier: Tier = Tier.FAST) -> Reservation:
    return Reservation(
        usd=Decimal(usd), day=date(2026, 11, 22), accounts=("stack",), model=MODELS[tier], tier=tier, by=by
    )


def asked(by: str = "me") -> Work:
    return transitions.reserved(work(owner=by), set_aside(by))


def test_a_call_counts_with_its_tokens_by_kind_and_their_exact_price():
    one = counted()

    assert (one.calls, one.reused, one.unsettled) == (1, 0, 0)
    assert (one.input_tokens, one.output_tokens, one.cache_read_tokens) == (1000, 100, 2000)
    assert one.usd == Decimal("0.00017")  # 1,000 at 0.10, 100 at 0.50 and 2,000 at 0.01 a million


def test_it_is_told_what_the_strong_model_alone_would_have_cost():
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
    assert counted(reused=True) == Count(
        reused=1, saved_by_reuse_usd=Decimal("0.00017"), alone_usd=Decimal("0.007")
    )


def test_without_any_of_them_it_would_have_cost_the_sum():
    one = counted(left_out_tokens=500)
    whole = pricing.uncached_usd(model_catalog.model(FAST), USAGE, 500)

    assert one.usd + one.saved_by_caching_usd + one.saved_by_cutting_usd == whole


@pytest.mark.parametrize(
    ("answer", "category"),
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
def test_it_counts_under_the_answers_own_category(answer, category):
    [one] = told(work(), transitions.replied(work(), Tier.FAST, answer, None))

    assert (one.day, one.team, one.model, one.tier) == (DAY, "finance", FAST, Tier.FAST)
    assert one.category == category


def test_a_reply_counts_in_the_step_that_keeps_it_and_in_no_other():
    kept = transitions.replied(asked(), Tier.FAST, said(), "me")

    assert [each.count.calls for each in told(asked(), kept)] == [1]
    assert told(kept, replace(kept, stage=Stage.ENDED)) == []
    assert told(asked(), transitions.released(asked())) == []
    assert told(None, work()) == []


def test_a_call_whose_answer_never_came_counts_at_its_full_price():
    [lost] = told(asked(), transitions.written_off(asked()))

    assert (lost.category, lost.model, lost.tier) == (UNANSWERED, FAST, Tier.FAST)
    assert lost.count == Count(unsettled=1, unsettled_usd=Decimal("0.5"))


def test_an_answer_that_comes_after_all_takes_that_back():
    lost = transitions.written_off(asked())
    answer, taken_back = told(lost, transitions.replied(lost, Tier.FAST, said(), "me"))

    assert answer.count == counted()
    assert (taken_back.category, taken_back.count) == (
        UNANSWERED,
        Count(unsettled=-1, unsettled_usd=Decimal("-0.5")),
    )


def test_the_late_answer_of_one_takes_nothing_of_anothers_back():
    lost = replace(asked("other"), unsettled=(set_aside("me"), set_aside("third")))
    after = transitions.replied(lost, Tier.FAST, said(), "me")

    assert after.unsettled == (set_aside("third"),)
    assert after.reserved == set_aside("other")


def test_a_second_answer_is_of_no_use_and_counts_at_its_price():
    first = transitions.replied(transitions.written_off(asked("first")), Tier.FAST, said(), "first")
    both = transitions.replied(transitions.reserved(first, set_aside("second")), Tier.FAST, said(), "second")
    [useless] = told(first, both)

    assert both.replies == first.replies
    assert useless.count == Count(unsettled=1, unsettled_usd=Decimal("0.00017"))
    assert both.draft.unsettled_usd == Decimal("0.00017")


def test_a_second_answer_that_had_been_written_off_counts_at_its_price_and_no_more():
    first = transitions.replied(transitions.written_off(asked("second")), Tier.FAST, said(), "first")
    [less] = told(first, transitions.replied(first, Tier.FAST, said(), "second"))

    assert less.count == Count(unsettled=0, unsettled_usd=Decimal("0.00017") - Decimal("0.5"))


def test_an_uploads_counts_lie_together_and_many_uploads_apart():
    def shard(key: str) -> int:
        [one] = told(None, transitions.replied(work(upload(key)), Tier.FAST, said(), None))
        return one.shard

    assert shard("a/1") == shard("a/1")
    assert {shard(f"a/{number}") for number in range(100)} == set(range(8))


def test_counts_add_up():
    one = counted()

    assert (one + one).usd == 2 * one.usd
    assert one + Count() == one


class AnyHistory(RuleBasedStateMachine):
    """One upload's work, whose owners come, ask, are cut off and come back too late, in any order.

    What Claude bills is known here: no step may lose it, or count it twice.
    """

    calls = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.names = count()
        self.work = work()
        self.sum = Count()
        self.billed = Decimal(0)
        self.under_way = Decimal(0)
        self.drafts = [self.work.draft]

    def steps_to(self, after: Work) -> None:
        tallies = told(self.work, after)
        assert len({replace(each, count=Count()) for each in tallies}) == len(tallies)
        self.sum = sum((each.count for each in tallies), self.sum)
        self.work = after

    @precondition(lambda self: self.work.stage is not Stage.ENDED)
    @rule(target=calls)
    def somebody_claims_and_asks(self):
        by, tier = f"owner-{next(self.names)}", transitions.TIERS[self.work.stage]
        self.steps_to(
            transitions.leased(
                self.work, owner=by, until=START, alone=False, due=START, now=START + timedelta(minutes=1)
            )
        )
        self.drafts.append(self.work.draft)
        mine = set_aside(by, "0.5", tier)
        if tier not in self.work.replies:
            self.steps_to(transitions.reserved(self.work, mine))
        return mine

    @rule(call=consumes(calls), tokens=st.integers(0, 1000))
    def an_answer_comes(self, call, tokens):
        if self.knows_of(call):
            answer = said(call.tier, Usage(input_tokens=tokens))
            self.billed += pricing.cost_usd(model_catalog.model(answer.model), answer.usage)
            self.steps_to(transitions.replied(self.work, call.tier, answer, call.by))

    @rule(call=consumes(calls))
    def claude_refuses(self, call):
        if self.work.reserved == call:
            self.steps_to(transitions.released(self.work))

    @rule(call=consumes(calls))
    def the_answer_is_cut_off(self, call):
        if self.work.reserved == call:
            self.billed += call.usd
            self.steps_to(transitions.written_off(self.work))

    @rule(call=consumes(calls))
    def the_owner_dies(self, call):
        if self.knows_of(call):
            self.billed += call.usd

    @rule()
    def it_is_put_back(self):
        self.steps_to(transitions.put_back(self.work, START))

    @precondition(lambda self: self.work.stage is Stage.TRIAGE and Tier.FAST in self.work.replies)
    @rule(data=st.data())
    def it_is_escalated(self, data):
        draft = data.draw(st.sampled_from(self.drafts))
        self.steps_to(transitions.escalated(self.work, draft, Signals(), eyes=False, due=START))

    @rule(data=st.data())
    def it_ends(self, data):
        self.steps_to(transitions.ended(self.work, data.draw(st.sampled_from(self.drafts)), {}))

    @rule()
    def it_is_overtaken(self):
        self.steps_to(transitions.superseded(self.work))

    @rule()
    def it_is_current_again(self):
        self.steps_to(transitions.reopened(self.work, "F" * 64, START))

    def knows_of(self, call: Reservation) -> bool:
        return call == self.work.reserved or call in self.work.unsettled

    @invariant()
    def what_was_written_off_is_counted_and_told_in_the_row(self):
        owed = sum((each.usd for each in self.work.unsettled), Decimal(0))
        assert (self.sum.unsettled, self.sum.unsettled_usd) == (len(self.work.unsettled), owed)
        assert (self.work.draft.unsettled_usd or 0) == owed

    @invariant()
    def every_reply_is_counted_once(self):
        costs = [
            pricing.cost_usd(model_catalog.model(each.model), each.usage)
            for each in self.work.replies.values()
        ]
        assert (self.sum.calls, self.sum.usd) == (len(costs), sum(costs))

    @invariant()
    def nothing_that_was_billed_is_forgotten(self):
        under_way = self.work.reserved.usd if self.work.reserved else 0
        assert self.billed <= self.sum.usd + self.sum.unsettled_usd + under_way


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=300, stateful_step_count=20)
