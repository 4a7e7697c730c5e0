"""The rules of a claim and of what may go wrong: who may work, what counts as an attempt, what then."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pigeonhole.domain.document import Stage, StopAll, Tier, TryLater
from pigeonhole.domain.policy import Signals
from pigeonhole.domain.record import Status
from pigeonhole.jobs import transitions
from pigeonhole.jobs.job import GiveUp, Park, PutBack, Work, WorkAloneError
from tests.support.builders import record, reply, upload, work
from tests.support.fakes import START

BILLED = TryLater("no answer", seconds=2, billed=True)
BUSY = TryLater("overloaded", seconds=30, busy=True)
WAIT = TryLater("a twin", seconds=15)


def at(seconds: float):
    return START + timedelta(seconds=seconds)


def held(of: Work | None = None, seconds: float = 0, *, alone: bool = False) -> Work:
    """The work in somebody's hands for 105 seconds."""
    now, until = at(seconds), at(seconds + 105)
    return transitions.leased(of or work(), owner="somebody", until=until, alone=alone, due=at(825), now=now)


def crashed(times: int) -> Work:
    """Work whose owners never came back: the first time among others, then alone."""
    left = held()
    for number in range(1, times):
        left = held(left, number * 200, alone=True)
    return left


def put_backs(number: int) -> Work:
    return work(put_backs=number)


# Over, free, leased.


@pytest.mark.parametrize(
    ("stage", "asked", "over"),
    [
        (Stage.TRIAGE, Stage.TRIAGE, False),
        (Stage.TRIAGE, Stage.ESCALATION, False),
        (Stage.ESCALATION, Stage.TRIAGE, True),
        (Stage.ESCALATION, Stage.ESCALATION, False),
        (Stage.ENDED, Stage.TRIAGE, True),
        (Stage.ENDED, Stage.ESCALATION, True),
    ],
)
def test_a_stage_is_over_when_the_work_is_beyond_it(stage, asked, over):
    assert transitions.is_over(work(stage=stage), asked) is over


def test_work_that_was_never_begun_begins_with_triage_alone():
    assert not transitions.is_over(None, Stage.TRIAGE)
    assert transitions.is_over(None, Stage.ESCALATION)


def test_a_lease_holds_until_it_ends_and_says_when_to_come_back():
    with pytest.raises(TryLater) as told:
        transitions.check_free(held(), at(5), alone=True)

    assert told.value.seconds == 101
    transitions.check_free(held(), at(105), alone=True)


@pytest.mark.parametrize(
    "left", [crashed(1), replace(crashed(2), owner=None)], ids=["left behind", "crashed before"]
)
def test_what_has_crashed_before_is_worked_on_alone(left):
    with pytest.raises(WorkAloneError):
        transitions.check_free(left, at(1000), alone=False)
    transitions.check_free(left, at(1000), alone=True)


def test_what_was_given_back_is_nobodys_crash():
    again = held(transitions.put_back(held(), at(10)), 20)

    assert (again.crashes, again.put_backs) == (0, 1)
    transitions.check_free(transitions.put_back(held(), at(10)), at(11), alone=False)


def test_the_first_crash_counts_and_after_it_only_those_alone():
    among_others = held(held(), 200)
    assert among_others.crashes == 1
    again_among_others = held(among_others, 400)
    assert again_among_others.crashes == 1
    alone = held(held(among_others, 400, alone=True), 600, alone=True)
    assert alone.crashes == 2


def test_a_crash_after_the_reply_was_written_down_is_none():
    left = transitions.replied(held(), Tier.FAST, reply(), None)

    transitions.check_free(left, at(200), alone=False)
    assert held(left, 200).crashes == 0


def test_a_crash_after_the_first_reply_counts_at_the_second_stage():
    escalated = replace(held(), stage=Stage.ESCALATION, replies={Tier.FAST: reply()})

    assert held(escalated, 200).crashes == 1


# Attempts.


@pytest.mark.parametrize(
    ("crashes", "failures", "code"),
    [
        (0, 0, None),
        (2, 0, None),
        (1, 1, None),
        (0, 2, None),
        (3, 0, "crashed"),
        (2, 1, "crashed"),
        (1, 2, "upstream"),
        (0, 3, "upstream"),
        (9, 9, "upstream"),
    ],
)
def test_three_attempts_of_either_kind_are_enough_and_most_of_them_name_the_error(crashes, failures, code):
    assert work(crashes=crashes, failures=failures).spent == code


def test_a_call_that_may_have_been_billed_is_an_attempt():
    once = transitions.counted(work(), BILLED, START)
    twice = transitions.counted(once, BILLED, START)

    assert (once.failures, twice.failures) == (1, 2)
    assert transitions.aftermath(twice, BILLED, START) == PutBack(2)
    assert transitions.aftermath(transitions.counted(twice, BILLED, START), BILLED, START) == GiveUp(
        "upstream"
    )


@pytest.mark.parametrize("error", [BUSY, WAIT, StopAll("claude", "stop")], ids=["busy", "wait", "stop"])
def test_nothing_else_is_an_attempt(error):
    counted = transitions.counted(work(), error, START)

    assert (counted.failures, counted.crashes, counted.spent) == (0, 0, None)


def test_twenty_busy_answers_of_claude_within_a_day_are_enough():
    tried = work()
    for _ in range(19):
        tried = transitions.counted(tried, BUSY, START)
    assert transitions.aftermath(tried, BUSY, START) == PutBack(30)
    last = at(24 * 3600)
    assert transitions.aftermath(transitions.counted(tried, BUSY, last), BUSY, last) == GiveUp("upstream")


def test_busy_answers_of_the_day_before_are_forgotten():
    tried = replace(transitions.counted(work(), BUSY, START), refusals=19)
    counted = transitions.counted(tried, BUSY, at(24 * 3600 + 1))

    assert (counted.refusals, counted.refused_since) == (1, at(24 * 3600 + 1))


def test_waiting_is_no_busy_answer():
    assert transitions.counted(work(refusals=19, refused_since=START), WAIT, START).refusals == 19


# Put back, parked.


def test_a_message_is_put_back_for_as_long_as_was_asked_and_at_most_fifteen_minutes():
    assert transitions.aftermath(work(), WAIT, START) == PutBack(15)
    assert transitions.aftermath(work(), TryLater("later", seconds=901), START) == PutBack(900)


@pytest.mark.parametrize("error", [BUSY, WAIT, BILLED], ids=["busy", "wait", "billed"])
def test_a_message_is_put_back_five_times_and_then_parked(error):
    assert transitions.aftermath(put_backs(4), error, START) == PutBack(error.seconds)
    assert transitions.aftermath(put_backs(5), error, START) == Park("capacity", at(900))


def test_what_stops_all_parks_for_its_reason_until_its_end():
    for until in (None, at(86_400)):
        stop = StopAll("spend_cap", "the limit", until=until)
        assert transitions.aftermath(work(), stop, START) == Park("spend_cap", until)


def test_parked_work_says_what_it_waits_for_and_has_its_put_backs_again():
    parked = transitions.parked(held(put_backs(5)), Park("claude", at(3600)), START, at(3600))

    assert (parked.owner, parked.lease_until, parked.put_backs, parked.due) == (None, None, 0, at(3600))
    assert parked.draft.status is Status.PARKED
    assert parked.draft.outcome_id
    assert parked.draft.row()["waiting"] == {
        "for": "claude",
        "since": "2026-11-22T12:00:00.000Z",
        "until": "2026-11-22T13:00:00.000Z",
        "stage": "triage",
    }


def test_parking_without_an_end_names_none():
    waiting = transitions.parked(held(), Park("credentials", None), START, at(900)).draft.waiting

    assert waiting
    assert waiting.until is None


@pytest.mark.parametrize(
    ("stage", "status"), [(Stage.TRIAGE, Status.PROCESSING), (Stage.ESCALATION, Status.ESCALATED)]
)
def test_what_was_parked_goes_on_where_it_was(stage, status):
    before = held(work(stage=stage, draft=record(status=status)))
    again = held(transitions.parked(before, Park("claude", None), START, at(900)), 900)

    assert (again.draft.status, again.draft.waiting) == (status, None)


# Onward.


def test_the_first_reply_of_a_tier_stays():
    once = transitions.replied(work(), Tier.FAST, reply(title="first"), None)

    assert transitions.replied(once, Tier.FAST, reply(title="second"), None) == once


def test_the_attempts_of_the_second_stage_count_afresh():
    tired = held(work(crashes=1, failures=1, refusals=19, refused_since=START, put_backs=5))
    onward = transitions.escalated(
        tired, record(status=Status.ESCALATED), Signals(confidence=1), eyes=True, due=at(9)
    )

    assert (onward.stage, onward.eyes, onward.owner, onward.due) == (Stage.ESCALATION, True, None, at(9))
    assert (onward.crashes, onward.failures, onward.refusals, onward.refused_since) == (0, 0, 0, None)
    assert onward.put_backs == 0
    assert onward.signals == {Tier.FAST: Signals(confidence=1)}


def test_ended_work_is_nobodys_and_never_due():
    signals = {Tier.FAST: Signals(confidence=1), Tier.STRONG: Signals(confidence=2)}
    before = held(work(signals={Tier.FAST: Signals(confidence=1)}))
    over = transitions.ended(before, record(), {Tier.STRONG: Signals(confidence=2)})

    assert (over.stage, over.owner, over.due, over.draft, over.signals) == (
        Stage.ENDED,
        None,
        None,
        record(),
        signals,
    )


def test_work_says_what_to_send_so_that_it_goes_on():
    order = work(upload(), run=3, stage=Stage.ESCALATION, forced=True).order

    assert (order.upload, order.run, order.stage, order.forced) == (upload(), 3, Stage.ESCALATION, True)
