"""One question, one call: what a team has paid for is reused, twins wait, and no reply is lost."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from dataclasses import replace
from decimal import Decimal

import pytest

from pigeonhole.domain.document import DocumentError, StopAll, TryLater, Upload
from pigeonhole.domain.record import Status
from pigeonhole.jobs.job import Order
from pigeonhole.pipeline.process import escalate, triage
from pigeonhole.ports import Gate, Swap
from tests.support.builders import SHIFT, World, breaks, keeps, reply, reserves, upload
from tests.support.fakes import START

TEXT = "Amount due: 12"
FIRST, TWIN = upload(), upload("finance/copy.txt")
OTHER_TEAM = upload("legal/a.txt")
BUSY = TryLater("DynamoDB", seconds=2)
UNUSABLE = [reply("refusal"), reply("max_tokens"), reply(text="?")]
each_unusable = pytest.mark.parametrize("unusable", UNUSABLE, ids=["refused", "truncated", "invalid"])


def world(*answers) -> World:
    """A world in which the same text lies under three names."""
    made = World()
    for each in (FIRST, TWIN, OTHER_TEAM):
        made.put(each, TEXT)
    made.analyst.answers += answers
    return made


def run(
    made: World, of: Upload = FIRST, number: int = 1, *, forced: bool = False, alone: bool = False
) -> None:
    triage(Order(upload=of, run=number, forced=forced), made.parts, made.shift(alone=alone))


def test_the_same_question_of_one_team_is_paid_for_once():
    made = world(reply())
    run(made)
    run(made, TWIN)

    assert len(made.analyst.requests) == 1
    assert made.row(TWIN).category == made.row(FIRST).category == "invoice"


def test_what_was_reused_has_cost_nothing_and_bills_nothing():
    made = world(reply())
    run(made)
    run(made, TWIN)

    assert (made.row(TWIN).cost_usd, made.row(TWIN).usage) == (Decimal(0), None)
    assert made.row(FIRST).cost_usd == Decimal("0.00015")


def test_another_team_asks_for_itself():
    made = world(reply(), reply(category="letter"))
    run(made)
    run(made, OTHER_TEAM)

    assert len(made.analyst.requests) == 2
    assert made.row(OTHER_TEAM).category == "letter"


def test_the_other_model_is_another_question():
    made = world(reply(confidence=20), reply())
    run(made)
    escalate(made.handed[0], made.parts, SHIFT)

    assert len(made.analyst.requests) == 2


def test_a_twin_waits_while_the_same_is_being_asked_and_is_served_then():
    made = world()

    def meanwhile():
        with pytest.raises(TryLater, match="the same question is being asked") as told:
            run(made, TWIN)
        assert told.value.seconds == 15
        return reply()

    made.analyst.answers += [meanwhile]
    run(made)
    run(made, TWIN)

    assert len(made.analyst.requests) == 1
    assert made.row(TWIN).status is Status.DONE


def test_a_twin_need_not_wait_for_who_was_told_to_try_later():
    made = world(TryLater("overloaded", seconds=2), reply())
    with pytest.raises(TryLater, match="overloaded"):
        run(made)
    run(made, TWIN)

    assert made.row(TWIN).status is Status.DONE


def test_a_twin_takes_over_when_who_was_asking_never_came_back():
    made = world(reply(), reply())
    breaks(made.ledger, "swap", KeyboardInterrupt(), when=keeps)
    with pytest.raises(KeyboardInterrupt):
        run(made)
    with pytest.raises(TryLater, match="the same question"):
        run(made, TWIN)
    made.clock.pass_by(106)
    run(made, TWIN)

    assert made.row(TWIN).status is Status.DONE


def test_an_answer_that_comes_after_its_lease_takes_no_newer_ones_place():
    made = world()

    def late():
        made.clock.pass_by(106)
        run(made, alone=True)
        return reply("refusal")

    made.analyst.answers += [late, reply()]
    run(made)
    run(made, TWIN)

    assert made.row(TWIN).status is Status.DONE


@each_unusable
def test_an_unusable_answer_serves_twins_of_the_same_run_and_never_a_higher_one(unusable):
    made = world(unusable, reply())
    run(made)
    run(made, TWIN)
    assert (len(made.analyst.requests), made.row(TWIN).status) == (1, Status.ESCALATED)
    made.ledger.works.clear()
    run(made, number=2)

    assert len(made.analyst.requests) == 2
    assert made.row(FIRST).category == "invoice"


@each_unusable
def test_no_redrive_gets_the_unusable_answer_of_another_documents_redrive(unusable):
    made = world(unusable, unusable, reply())
    for number in (1, 2):
        run(made, number=number)
        run(made, TWIN, number=number)

    assert len(made.analyst.requests) == 3


def test_a_usable_answer_serves_a_higher_run():
    made = world(reply())
    run(made)
    run(made, number=2)

    assert len(made.analyst.requests) == 1
    assert (made.row(FIRST).run, made.row(FIRST).cost_usd) == (2, Decimal("0.00015"))


def test_a_forced_run_asks_afresh_and_its_answer_serves_from_then_on():
    made = world(reply(), reply(category="letter"))
    run(made)
    run(made, number=2, forced=True)
    run(made, TWIN)

    assert len(made.analyst.requests) == 2
    assert made.row(FIRST).category == made.row(TWIN).category == "letter"
    assert made.row(FIRST).cost_usd == Decimal("0.0003")


def test_a_forced_run_is_forced_at_its_second_stage_too():
    made = world(reply(confidence=20), reply(), reply(confidence=20), reply(category="letter"))
    run(made)
    escalate(made.handed[0], made.parts, SHIFT)
    run(made, number=2, forced=True)
    escalate(made.handed[1], made.parts, SHIFT)

    assert made.row(FIRST).category == "letter"


@pytest.mark.parametrize("times", [2, 9])
def test_a_busy_table_costs_no_reply(times):
    made = world(reply())
    breaks(made.ledger, "swap", BUSY, when=keeps, times=times)
    run(made)

    assert made.row(FIRST).status is Status.DONE
    assert made.clock.now() > START


def test_a_reply_that_was_written_though_the_table_did_not_say_so_is_not_lost():
    made = world(reply())
    breaks(made.ledger, "swap", BUSY, when=keeps, after=True)
    run(made)

    assert made.row(FIRST).status is Status.DONE
    assert len(made.analyst.requests) == 1


def test_a_reply_that_comes_after_the_lease_is_kept_for_whoever_has_the_work():
    made = world()

    def late():
        made.clock.pass_by(106)
        made.claimed(Order(upload=FIRST), made.shift(alone=True))
        return reply()

    made.analyst.answers += [late]
    run(made)
    made.clock.pass_by(106)
    run(made, alone=True)

    assert made.row(FIRST).status is Status.DONE
    assert len(made.analyst.requests) == 1


def test_what_was_overtaken_while_it_was_asked_keeps_its_reply_for_twins():
    made = world()
    newer = upload(version="v2", order=2)

    def meanwhile():
        made.claimed(Order(upload=newer))
        return reply()

    made.analyst.answers += [meanwhile]
    run(made)
    run(made, TWIN)

    assert made.work(FIRST).superseded
    assert len(made.analyst.requests) == 1


@pytest.mark.parametrize(("left", "calls"), [(29.9, 0), (30, 1)], ids=["too little time", "just enough"])
def test_no_call_begins_that_would_outlast_the_invocation(left, calls):
    made = world(reply())
    with nullcontext() if calls else pytest.raises(TryLater, match=r"too little time is left.* 0 s"):
        triage(Order(upload=FIRST), made.parts, made.shift(left))

    assert len(made.analyst.requests) == calls


def test_no_call_begins_so_late_that_it_would_not_be_back_however_long_it_took_to_book():
    made = world()
    swap = made.ledger.swap

    def slow(*swaps, **tallies):
        made.clock.pass_by(71 if reserves(*swaps) else 0)
        return swap(*swaps, **tallies)

    made.ledger.swap = slow  # type: ignore[method-assign]
    with pytest.raises(TryLater, match="too little time"):
        run(made)

    assert made.analyst.requests == []
    assert made.work(FIRST).reserved is None


def test_nothing_is_begun_that_could_not_be_asked_about_in_time():
    made = world(reply())
    with pytest.raises(TryLater, match="too little time"):
        triage(Order(upload=TWIN), made.parts, made.shift(1))

    assert made.ledger.works == {}


@pytest.mark.parametrize(
    ("error", "closes"),
    [
        (TryLater("overloaded", seconds=60, busy=True), True),
        (StopAll("credentials", "no key"), True),
        (TryLater("cut", seconds=60, billed=True), False),
        (TryLater("our own pace", seconds=60), False),
    ],
    ids=["busy", "stop", "billed", "wait"],
)
def test_only_what_claude_says_of_itself_closes_the_gate(error, closes):
    made = world(error, reply())
    with suppress(TryLater):
        run(made)
    gate = made.ledger.gate()

    assert (gate is not None and gate.is_closed) is closes


def test_while_the_gate_is_closed_nobody_asks_and_one_call_opens_it():
    made = world(TryLater("overloaded", seconds=60, busy=True), reply(), reply())
    for each in (FIRST, OTHER_TEAM):
        with pytest.raises(TryLater):
            run(made, each)
    assert len(made.analyst.requests) == 1
    made.clock.pass_by(60)
    run(made, OTHER_TEAM)
    run(made)

    assert made.row(FIRST).status is Status.DONE
    gate = made.ledger.gate()
    assert gate
    assert not gate.is_closed


def test_a_reused_answer_passes_a_closed_gate():
    made = world(reply(), StopAll("claude", "stop"))
    run(made)
    run(made, OTHER_TEAM)
    run(made, TWIN)

    assert (made.row(OTHER_TEAM).status, made.row(TWIN).status) == (Status.PARKED, Status.DONE)


def test_the_answer_is_reserved_for_as_long_as_the_work_is():
    made = world()

    def meanwhile():
        (answer,) = made.ledger.answers.values()
        assert answer.lease_until == made.work(FIRST).lease_until
        assert answer.owner == made.work(FIRST).owner
        return reply()

    made.analyst.answers += [meanwhile]
    run(made)
    (answer,) = made.ledger.answers.values()

    assert (answer.owner, answer.run) == (None, 1)
    assert answer.reply == replace(reply(), model="claude-haiku-5-5")


def behind_a_gate(*answers) -> World:
    """A world whose gate was closed for a moment that is over: the next call is the probe."""
    made = world(*answers)
    made.ledger.swap(Swap(before=None, after=Gate(rev=1, is_closed=True, until=START)))
    made.clock.pass_by(1)
    return made


def test_a_probe_whose_document_claude_rejects_opens_the_gate():
    made = behind_a_gate(DocumentError("refused"), reply())
    run(made)
    run(made, OTHER_TEAM)

    assert made.row(OTHER_TEAM).status is Status.DONE


def test_after_a_probe_that_brought_nothing_the_next_call_is_the_probe():
    made = behind_a_gate(TryLater("timed out", seconds=20, billed=True), reply())
    with pytest.raises(TryLater, match="timed out"):
        run(made)
    run(made, OTHER_TEAM)

    assert made.row(OTHER_TEAM).status is Status.DONE


def test_who_waits_for_a_probe_that_never_comes_back_is_not_parked():
    made = behind_a_gate(reply())
    made.parts.gate.enter(120)
    for _ in range(5):
        with pytest.raises(TryLater, match="one document tries the gate") as told:
            run(made)
        made.clock.pass_by(told.value.seconds)
    run(made)

    assert made.row(FIRST).status is Status.DONE
