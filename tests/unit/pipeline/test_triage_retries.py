"""The first pass again: duplicates, leases, crashes and newer uploads cost nothing and lose nothing."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest

from pigeonhole.domain.document import Stage
from pigeonhole.domain.errors import Defect, StopAll, TryLater, WaitReason
from pigeonhole.domain.row_attributes import Status
from pigeonhole.guards.lease import Invocation
from pigeonhole.jobs.job import NeedsIsolationError, Task
from pigeonhole.pipeline import triage
from tests.support.builders import (
    DEADLINE,
    INVOCATION,
    World,
    breaks,
    created,
    ends,
    keeps,
    reply,
    reserves,
    takes,
    upload,
)
from tests.support.fakes import START

TEXT = "Amount due: 12"
UPLOAD = upload()
TASK = Task(upload=UPLOAD)
BUSY = TryLater("DynamoDB", seconds=2)


def new_world(*answers) -> World:
    """A world in which the upload lies in the inbox, and Claude has these answers."""
    world = World()
    world.put(UPLOAD, TEXT)
    world.claude.answers += answers
    return world


def run(world: World, invocation: Invocation = INVOCATION) -> None:
    world.triage(created(UPLOAD), invocation)


def test_a_second_event_about_the_same_upload_is_a_no_op():
    world = new_world(reply())
    run(world)
    before = world.row(UPLOAD), world.job(UPLOAD)
    run(world)

    assert (world.row(UPLOAD), world.job(UPLOAD)) == before
    assert len(world.claude.requests) == 1


def test_a_second_event_about_an_escalated_upload_is_a_no_op():
    world = new_world(reply(confidence=20))
    run(world)
    run(world)

    assert len(world.handed) == 1
    assert len(world.claude.requests) == 1


def test_while_another_invocation_has_the_lease_the_event_waits_until_it_has_ended():
    world = new_world()
    world.claimed(TASK, world.invocation(75))

    with pytest.raises(TryLater) as exc_info:
        run(world)

    assert 80 <= exc_info.value.seconds <= 82


def test_a_lease_lasts_a_little_longer_than_the_invocation():
    world = new_world()
    world.claimed(TASK)

    lease = world.job(UPLOAD).lease
    assert lease
    assert lease.until == DEADLINE + timedelta(seconds=5)


def test_a_job_that_was_left_behind_is_claimed_in_isolation_when_its_lease_has_ended():
    world = new_world(reply())
    world.claimed(TASK)
    world.clock.pass_by(106)
    with pytest.raises(NeedsIsolationError):
        run(world, world.invocation())
    run(world, world.invocation(isolated=True))

    assert world.row(UPLOAD).status is Status.DONE


def test_a_document_that_crashes_us_three_times_fails_without_a_fourth_try():
    world = new_world(reply())
    world.claimed(TASK)
    for _ in range(2):
        world.clock.pass_by(106)
        world.claimed(TASK, world.invocation(isolated=True))
    world.clock.pass_by(106)
    run(world, world.invocation(isolated=True))

    row = world.row(UPLOAD)
    assert row.error
    assert (row.status, row.error.code, row.error.retryable) == (Status.FAILED, "crashed", True)
    assert world.claude.requests == []


def test_a_reply_that_was_paid_for_is_not_asked_for_again():
    world = new_world(reply())
    breaks(world.store, "commit", BUSY, when=ends, times=2)
    with pytest.raises(TryLater):
        run(world)
    run(world)

    assert world.row(UPLOAD).status is Status.DONE
    assert world.row(UPLOAD).cost_usd == Decimal("0.00015")
    assert len(world.claude.requests) == 1


def test_what_was_paid_for_is_on_the_bill_even_if_the_document_cannot_be_read_again():
    world = new_world(reply())
    breaks(world.store, "commit", BUSY, when=ends, times=2)
    with pytest.raises(TryLater):
        run(world)
    world.put(UPLOAD, "broken")
    run(world)

    assert world.row(UPLOAD).status is Status.FAILED
    assert world.row(UPLOAD).cost_usd == Decimal("0.00015")


def test_a_crash_between_a_reply_and_its_being_written_down_is_the_one_window_for_a_second_call():
    world = new_world(reply(), reply())
    breaks(world.store, "commit", KeyboardInterrupt(), when=keeps)
    with pytest.raises(KeyboardInterrupt):
        run(world)
    world.clock.pass_by(106)
    run(world, world.invocation(isolated=True))

    assert world.row(UPLOAD).status is Status.DONE
    assert len(world.claude.requests) == 2


def test_a_busy_table_costs_neither_the_reply_nor_another_try():
    world = new_world(reply())
    breaks(world.store, "commit", BUSY, when=ends)
    run(world)

    assert world.row(UPLOAD).status is Status.DONE


@pytest.mark.parametrize("lost", [BUSY, KeyboardInterrupt()], ids=["busy", "crash"])
def test_an_escalation_whose_message_was_lost_is_sent_again_when_it_is_due(lost):
    world = new_world(reply(confidence=20))
    breaks(world.queues, "send", lost)
    with suppress(KeyboardInterrupt):
        run(world)
    assert (world.row(UPLOAD).status, world.handed) == (Status.ESCALATED, [])
    world.clock.pass_by(2 * 1080)
    world.sweep()

    assert [task.stage for task in world.handed] == [Stage.ESCALATION]
    assert len(world.claude.requests) == 1


@pytest.mark.parametrize("name", ["with_answer", "judge"])
def test_a_defect_in_judging_a_reply_does_not_lose_it(monkeypatch, name):
    world = new_world(reply())
    with monkeypatch.context() as mistaken:
        mistaken.setattr(triage, name, None)
        with pytest.raises(TypeError):
            run(world)
    world.clock.pass_by(106)
    run(world, world.invocation())

    assert world.row(UPLOAD).status is Status.DONE
    assert len(world.claude.requests) == 1


def test_an_upload_whose_job_cannot_be_read_comes_again():
    world = new_world(BUSY, reply())
    with pytest.raises(TryLater):
        run(world)
    breaks(world.store, "job_and_row", BUSY)
    with pytest.raises(TryLater):
        run(world)
    run(world)

    assert world.row(UPLOAD).status is Status.DONE


@pytest.mark.parametrize(
    ("port", "method", "when"),
    [
        ("objects", "fetch", None),
        ("artifacts", "save_text", None),
        ("claude", "ask", None),
        ("store", "cached_reply", None),
        ("store", "breaker", None),
        ("store", "commit", takes),
        ("store", "commit", reserves),
        ("store", "commit", ends),
    ],
)
def test_whatever_is_busy_the_upload_is_requeued_and_the_next_try_succeeds(port, method, when):
    world = new_world(reply())
    times = 2 if when is ends else 1
    breaks(getattr(world, port), method, BUSY, when=when or (lambda *args, **kwargs: True), times=times)
    with pytest.raises(TryLater) as exc_info:
        run(world)
    if method == "ask":
        world.claude.answers += [reply()]
    run(world)

    assert exc_info.value.seconds == 2
    assert world.row(UPLOAD).status is Status.DONE
    assert world.job(UPLOAD).attempts.crashes == 0


@pytest.mark.parametrize("error", [Defect("400"), ZeroDivisionError()], ids=["defect", "bug"])
@pytest.mark.parametrize(("port", "method"), [("objects", "fetch"), ("claude", "ask"), ("queues", "send")])
def test_a_defect_is_tried_again_in_isolation_when_the_lease_has_ended(port, method, error):
    world = new_world(reply(confidence=20), reply(confidence=20))
    breaks(getattr(world, port), method, error)
    with pytest.raises(type(error)):
        run(world)
    world.clock.pass_by(106)
    run(world, world.invocation(isolated=True))

    assert world.row(UPLOAD).status is Status.ESCALATED


@pytest.mark.parametrize(("error", "tries"), [(BUSY, 12), (Defect("too large"), 2)], ids=["busy", "defect"])
def test_what_can_never_be_written_down_is_paid_for_three_times_and_no_more(error, tries):
    world = new_world(*[reply()] * 5)
    breaks(world.store, "commit", error, when=keeps, times=5 * tries)
    for _ in range(5):
        with suppress(TryLater, Defect):
            run(world, world.invocation())
        world.clock.pass_by(900)

    row = world.row(UPLOAD)
    assert row.error
    assert (row.status, row.error.code) == (Status.FAILED, "upstream")
    assert row.unsettled_usd
    assert len(world.claude.requests) == 3


def test_while_claude_says_stop_the_document_is_parked_and_its_message_ends():
    world = new_world(StopAll(WaitReason.SPEND_CAP, "the month's limit", until=DEADLINE + timedelta(days=8)))
    run(world)

    row = world.row(UPLOAD)
    assert row.waiting
    assert (row.status, row.waiting.reason, row.waiting.stage) == (Status.PARKED, "spend_cap", "triage")
    assert row.outcome_id
    assert world.job(UPLOAD).wake_at == START + timedelta(minutes=15)
    assert world.job(UPLOAD).owner is None


def test_an_outcome_that_was_written_though_the_confirmation_was_lost_stands():
    world = new_world(reply())
    breaks(world.store, "commit", BUSY, when=ends, after=True)
    run(world)
    before = world.row(UPLOAD)
    run(world)

    assert before.status is Status.DONE
    assert world.row(UPLOAD) == before
    assert len(world.claude.requests) == 1


def test_an_upload_that_was_overtaken_before_it_began_costs_nothing():
    world = new_world(reply())
    newer = world.put(upload(version="v2", order=2), TEXT)
    world.triage(created(newer))
    run(world)

    assert world.row(UPLOAD).version_id == "v2"
    assert len(world.claude.requests) == 1
    assert world.job(UPLOAD).superseded


def test_an_upload_that_is_overtaken_while_it_is_read_does_not_touch_the_newer_row():
    world = new_world()
    newer = world.put(upload(version="v2", order=2), TEXT + "!")

    def meanwhile():
        world.triage(created(newer))
        return reply(category="letter")

    world.claude.answers += [meanwhile, reply()]
    run(world)

    row = world.row(UPLOAD)
    assert (row.version_id, row.status, row.category) == ("v2", Status.DONE, "invoice")
    assert world.job(UPLOAD).superseded


def test_a_newer_upload_takes_the_row_over_and_the_old_answer_is_gone():
    world = new_world(reply())
    run(world)
    newer = world.put(upload(version="v2", order=2), "broken")
    world.triage(created(newer))

    row = world.row(UPLOAD)
    assert (row.version_id, row.status, row.category, row.cost_usd) == ("v2", Status.FAILED, None, None)


def test_a_task_of_a_stage_that_nothing_has_led_to_begins_nothing():
    world = new_world(reply())
    world.escalate(Task(upload=UPLOAD, run=7, stage=Stage.ESCALATION))

    assert (world.store.jobs, world.store.rows) == ({}, {})


def test_a_defect_never_counts_against_the_document():
    world = new_world(*[Defect("a parameter")] * 5, reply())
    for _ in range(5):
        with pytest.raises(Defect):
            run(world)
    run(world)

    assert world.row(UPLOAD).status is Status.DONE
