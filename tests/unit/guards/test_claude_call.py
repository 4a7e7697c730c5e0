"""One question, one call: what a team has paid for is reused, twins wait, and no reply is lost."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from dataclasses import replace
from decimal import Decimal

import pytest

from pigeonhole.domain.errors import DocumentError, RetryCause, StopAll, TryLater, WaitReason
from pigeonhole.domain.row_attributes import Status
from pigeonhole.domain.upload import Upload
from pigeonhole.jobs.job import Task
from pigeonhole.jobs.stored import BreakerState, Write
from tests.support.builders import World, breaks, keeps, reply, reserves, upload
from tests.support.fakes import START

TEXT = "Amount due: 12"
FIRST, TWIN = upload(), upload("finance/copy.txt")
OTHER_TEAM = upload("legal/a.txt")
BUSY = TryLater("DynamoDB", seconds=2)
UNUSABLE = [reply("refusal"), reply("max_tokens"), reply(text="?")]
each_unusable = pytest.mark.parametrize("unusable", UNUSABLE, ids=["refused", "truncated", "invalid"])


def new_world(*answers) -> World:
    """A world in which the same text lies under three names."""
    world = World()
    for each in (FIRST, TWIN, OTHER_TEAM):
        world.put(each, TEXT)
    world.claude.answers += answers
    return world


def run(
    world: World, of: Upload = FIRST, number: int = 1, *, forced: bool = False, isolated: bool = False
) -> None:
    world.triage(Task(upload=of, run=number, forced=forced), world.invocation(isolated=isolated))


def test_the_same_question_of_one_team_is_paid_for_once():
    world = new_world(reply())
    run(world)
    run(world, TWIN)

    assert len(world.claude.requests) == 1
    assert world.row(TWIN).category == world.row(FIRST).category == "invoice"


def test_what_was_reused_has_cost_nothing_and_bills_nothing():
    world = new_world(reply())
    run(world)
    run(world, TWIN)

    assert (world.row(TWIN).cost_usd, world.row(TWIN).usage) == (Decimal(0), None)
    assert world.row(FIRST).cost_usd == Decimal("0.00015")


def test_another_team_asks_for_itself():
    world = new_world(reply(), reply(category="letter"))
    run(world)
    run(world, OTHER_TEAM)

    assert len(world.claude.requests) == 2
    assert world.row(OTHER_TEAM).category == "letter"


def test_the_other_model_is_another_question():
    world = new_world(reply(confidence=20), reply())
    run(world)
    world.escalate(world.handed[0])

    assert len(world.claude.requests) == 2


def test_a_twin_waits_while_the_same_is_being_asked_and_is_served_then():
    world = new_world()

    def meanwhile():
        with pytest.raises(TryLater, match="identical request in flight") as exc_info:
            run(world, TWIN)
        assert exc_info.value.seconds == 15
        return reply()

    world.claude.answers += [meanwhile]
    run(world)
    run(world, TWIN)

    assert len(world.claude.requests) == 1
    assert world.row(TWIN).status is Status.DONE


def test_a_twin_need_not_wait_for_who_was_told_to_try_later():
    world = new_world(TryLater("overloaded", seconds=2), reply())
    with pytest.raises(TryLater, match="overloaded"):
        run(world)
    run(world, TWIN)

    assert world.row(TWIN).status is Status.DONE


def test_a_twin_takes_over_when_who_was_asking_never_came_back():
    world = new_world(reply(), reply())
    breaks(world.store, "commit", KeyboardInterrupt(), when=keeps)
    with pytest.raises(KeyboardInterrupt):
        run(world)
    with pytest.raises(TryLater, match="identical request"):
        run(world, TWIN)
    world.clock.pass_by(106)
    run(world, TWIN)

    assert world.row(TWIN).status is Status.DONE


def test_an_answer_that_comes_after_its_lease_takes_no_newer_ones_place():
    world = new_world()

    def late():
        world.clock.pass_by(106)
        run(world, isolated=True)
        return reply("refusal")

    world.claude.answers += [late, reply()]
    run(world)
    run(world, TWIN)

    assert world.row(TWIN).status is Status.DONE


@each_unusable
def test_an_unusable_answer_serves_twins_of_the_same_run_and_never_a_higher_one(unusable):
    world = new_world(unusable, reply())
    run(world)
    run(world, TWIN)
    assert (len(world.claude.requests), world.row(TWIN).status) == (1, Status.ESCALATED)
    world.store.jobs.clear()
    run(world, number=2)

    assert len(world.claude.requests) == 2
    assert world.row(FIRST).category == "invoice"


@each_unusable
def test_no_redrive_gets_the_unusable_answer_of_another_documents_redrive(unusable):
    world = new_world(unusable, unusable, reply())
    for number in (1, 2):
        run(world, number=number)
        run(world, TWIN, number=number)

    assert len(world.claude.requests) == 3


def test_a_usable_answer_serves_a_higher_run():
    world = new_world(reply())
    run(world)
    run(world, number=2)

    assert len(world.claude.requests) == 1
    assert (world.row(FIRST).run, world.row(FIRST).cost_usd) == (2, Decimal("0.00015"))


def test_a_forced_run_asks_afresh_and_its_answer_serves_from_then_on():
    world = new_world(reply(), reply(category="letter"))
    run(world)
    run(world, number=2, forced=True)
    run(world, TWIN)

    assert len(world.claude.requests) == 2
    assert world.row(FIRST).category == world.row(TWIN).category == "letter"
    assert world.row(FIRST).cost_usd == Decimal("0.0003")


def test_a_forced_run_is_forced_at_its_second_stage_too():
    world = new_world(reply(confidence=20), reply(), reply(confidence=20), reply(category="letter"))
    run(world)
    world.escalate(world.handed[0])
    run(world, number=2, forced=True)
    world.escalate(world.handed[1])

    assert world.row(FIRST).category == "letter"


@pytest.mark.parametrize("times", [2, 9])
def test_a_busy_table_costs_no_reply(times):
    world = new_world(reply())
    breaks(world.store, "commit", BUSY, when=keeps, times=times)
    run(world)

    assert world.row(FIRST).status is Status.DONE
    assert world.clock.now() > START


def test_a_reply_that_was_written_though_the_table_did_not_say_so_is_not_lost():
    world = new_world(reply())
    breaks(world.store, "commit", BUSY, when=keeps, after=True)
    run(world)

    assert world.row(FIRST).status is Status.DONE
    assert len(world.claude.requests) == 1


def test_a_reply_that_comes_after_the_lease_is_kept_for_whoever_has_the_work():
    world = new_world()

    def late():
        world.clock.pass_by(106)
        world.claimed(Task(upload=FIRST), world.invocation(isolated=True))
        return reply()

    world.claude.answers += [late]
    run(world)
    world.clock.pass_by(106)
    run(world, isolated=True)

    assert world.row(FIRST).status is Status.DONE
    assert len(world.claude.requests) == 1


def test_what_was_overtaken_while_it_was_asked_keeps_its_reply_for_twins():
    world = new_world()
    newer = upload(version="v2", order=2)

    def meanwhile():
        world.claimed(Task(upload=newer))
        return reply()

    world.claude.answers += [meanwhile]
    run(world)
    run(world, TWIN)

    assert world.job(FIRST).superseded
    assert len(world.claude.requests) == 1


@pytest.mark.parametrize(("left", "calls"), [(29.9, 0), (30, 1)], ids=["too little time", "just enough"])
def test_no_call_begins_that_would_outlast_the_invocation(left, calls):
    world = new_world(reply())
    with nullcontext() if calls else pytest.raises(TryLater, match=r"too little time left.* 0 s"):
        world.triage(Task(upload=FIRST), world.invocation(left))

    assert len(world.claude.requests) == calls


def test_no_call_begins_so_late_that_it_would_not_be_back_however_long_it_took_to_book():
    world = new_world()
    commit = world.store.commit

    def slow(*writes, **usage):
        world.clock.pass_by(71 if reserves(*writes) else 0)
        return commit(*writes, **usage)

    world.store.commit = slow  # type: ignore[method-assign]
    with pytest.raises(TryLater, match="too little time"):
        run(world)

    assert world.claude.requests == []
    assert world.job(FIRST).charges.reserved is None


def test_nothing_is_begun_that_could_not_be_asked_about_in_time():
    world = new_world(reply())
    with pytest.raises(TryLater, match="too little time"):
        world.triage(Task(upload=TWIN), world.invocation(1))

    assert world.store.jobs == {}


@pytest.mark.parametrize(
    ("error", "closes"),
    [
        (TryLater("overloaded", seconds=60, cause=RetryCause.THROTTLED), True),
        (StopAll(WaitReason.CREDENTIALS, "no key"), True),
        (TryLater("cut", seconds=60, cause=RetryCause.BILLED), False),
        (TryLater("our own pace", seconds=60), False),
    ],
    ids=["busy", "stop", "billed", "wait"],
)
def test_only_what_claude_says_of_itself_closes_the_gate(error, closes):
    world = new_world(error, reply())
    with suppress(TryLater):
        run(world)
    gate = world.store.breaker()

    assert (gate is not None and gate.is_tripped) is closes


def test_while_the_gate_is_closed_nobody_asks_and_one_call_opens_it():
    world = new_world(TryLater("overloaded", seconds=60, cause=RetryCause.THROTTLED), reply(), reply())
    for each in (FIRST, OTHER_TEAM):
        with pytest.raises(TryLater):
            run(world, each)
    assert len(world.claude.requests) == 1
    world.clock.pass_by(60)
    run(world, OTHER_TEAM)
    run(world)

    assert world.row(FIRST).status is Status.DONE
    gate = world.store.breaker()
    assert gate
    assert not gate.is_tripped


def test_a_reused_answer_passes_a_closed_gate():
    world = new_world(reply(), StopAll(WaitReason.CLAUDE, "stop"))
    run(world)
    run(world, OTHER_TEAM)
    run(world, TWIN)

    assert (world.row(OTHER_TEAM).status, world.row(TWIN).status) == (Status.PARKED, Status.DONE)


def test_the_answer_is_reserved_for_as_long_as_the_work_is():
    world = new_world()

    def meanwhile():
        (answer,) = world.store.cached.values()
        assert answer.lease == world.job(FIRST).lease is not None
        return reply()

    world.claude.answers += [meanwhile]
    run(world)
    (answer,) = world.store.cached.values()

    assert (answer.lease, answer.run) == (None, 1)
    assert answer.reply == replace(reply(), model="claude-haiku-5-5")


def behind_a_gate(*answers) -> World:
    """A world whose gate was closed for a moment that is over: the next call is the probe."""
    world = new_world(*answers)
    world.store.commit(Write(before=None, after=BreakerState(revision=1, is_tripped=True, until=START)))
    world.clock.pass_by(1)
    return world


def test_a_probe_whose_document_claude_rejects_opens_the_gate():
    world = behind_a_gate(DocumentError("refused"), reply())
    run(world)
    run(world, OTHER_TEAM)

    assert world.row(OTHER_TEAM).status is Status.DONE


def test_after_a_probe_that_brought_nothing_the_next_call_is_the_probe():
    world = behind_a_gate(TryLater("timed out", seconds=20, cause=RetryCause.BILLED), reply())
    with pytest.raises(TryLater, match="timed out"):
        run(world)
    run(world, OTHER_TEAM)

    assert world.row(OTHER_TEAM).status is Status.DONE


def test_who_waits_for_a_probe_that_never_comes_back_is_not_parked():
    world = behind_a_gate(reply())
    world.services.guards.breaker.check(120)
    for _ in range(5):
        with pytest.raises(TryLater, match="another call is the probe") as exc_info:
            run(world)
        world.clock.pass_by(exc_info.value.seconds)
    run(world)

    assert world.row(FIRST).status is Status.DONE
