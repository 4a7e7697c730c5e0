"""One invocation's messages: each is finished or comes again in good time, and none hurts its neighbours."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pigeonhole.adapters import lambda_events
from pigeonhole.domain.document import Stage
from pigeonhole.domain.errors import Defect, DocumentError, StopAll, TryLater, WaitReason
from pigeonhole.domain.row_attributes import Status
from pigeonhole.guards.lease import Invocation
from pigeonhole.jobs.job import Task
from pigeonhole.jobs.message import Batch, Message
from pigeonhole.money.account import STACK
from pigeonhole.pipeline.batch import Request, finish, process_batch
from tests.support.builders import (
    DEADLINE,
    INVOCATION,
    World,
    breaks,
    created,
    message,
    reply,
    s3_record,
    sqs_event,
    upload,
)
from tests.support.fakes import START

TEXT = "Amount due: 12"
UPLOADS = [upload(key=f"finance/{number}.txt") for number in range(3)]


def new_world(*answers) -> World:
    world = World()
    for each in UPLOADS:
        world.put(each, f"{TEXT} for {each.key}")  # no two ask the same
    world.claude.answers += answers
    return world


def process(
    world: World, batch: Batch, invocation: Invocation = INVOCATION, *, function: str = "triage"
) -> list[str]:
    """What the function does in one invocation: the ids of the messages that must come again."""
    services = world.services
    unfinished = process_batch(batch, getattr(services, function), services.batch_ports, invocation)
    finish(services.budget, world.telemetry)
    return unfinished


def run(world: World, *messages: Message, function: str = "triage") -> list[str]:
    return process(world, Batch(messages=messages, queued=True), function=function)


def three() -> list[Message]:
    return [message(created(each), name=f"m{number}") for number, each in enumerate(UPLOADS)]


def statuses(world: World) -> list[Status]:
    return [world.row(each).status for each in UPLOADS]


def test_a_batch_that_is_finished_leaves_nothing_to_come_again():
    world = new_world(reply(), reply(), reply())

    assert run(world, *three()) == []
    assert statuses(world) == [Status.DONE] * 3
    assert world.queues.requeues == []


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (TryLater("overloaded", seconds=30), 30),
        (TryLater("much later", seconds=10**6), 900),
        (Defect("400"), 900),
        (ZeroDivisionError(), 900),
    ],
    ids=["later", "later than is sensible", "defect", "bug"],
)
def test_what_went_wrong_comes_again_in_good_time_and_its_neighbours_are_finished(error, seconds):
    world = new_world(reply(), error, reply())
    messages = three()

    assert run(world, *messages) == ["m1"]
    assert statuses(world) == [Status.DONE, Status.PROCESSING, Status.DONE]
    assert world.queues.requeues == [(messages[1], seconds)]


def test_while_claude_says_stop_every_document_is_parked_and_no_message_comes_again():
    world = new_world(StopAll(WaitReason.CREDENTIALS, "no key"))

    assert run(world, *three()) == []
    assert statuses(world) == [Status.PARKED] * 3
    assert len(world.claude.requests) == 1


def test_a_message_never_waits_longer_than_its_queue_can_hold_it():
    world = new_world(reply(), reply())
    world.claimed(Task(upload=UPLOADS[0]), world.invocation(10**6))

    assert run(world, *three()) == ["m0"]
    assert [seconds for _, seconds in world.queues.requeues] == [43_000]


def test_what_has_crashed_before_is_done_after_its_neighbours_and_in_isolation():
    world = new_world()
    world.claimed(Task(upload=UPLOADS[0]))
    world.clock.pass_by(106)
    before: list[Status] = []

    def last():
        before.extend(world.row(each).status for each in UPLOADS[1:])
        return reply()

    world.claude.answers += [reply(), reply(), last]
    batch = Batch(messages=tuple(three()), queued=True)

    assert process(world, batch, world.invocation()) == []
    assert before == [Status.DONE] * 2
    assert statuses(world) == [Status.DONE] * 3


def test_what_came_again_is_finished_then():
    world = new_world(TryLater("overloaded", seconds=30), reply(), reply())
    run(world, *three())
    world.claude.answers += [reply()]

    assert run(world, *three()) == []
    assert statuses(world) == [Status.DONE] * 3
    assert len(world.claude.requests) == 4


def test_a_message_about_a_leased_job_comes_again_when_the_lease_has_ended():
    world = new_world(reply(), reply())
    world.claimed(Task(upload=UPLOADS[0]), world.invocation(75))

    assert run(world, *three()) == ["m0"]
    ((_, seconds),) = world.queues.requeues
    assert 80 <= seconds <= 82


def test_a_message_for_which_too_little_time_is_left_comes_again_at_once():
    world = new_world()
    world.clock.time = DEADLINE - timedelta(seconds=1)

    assert run(world, *three()) == ["m0", "m1", "m2"]
    assert [seconds for _, seconds in world.queues.requeues] == [0, 0, 0]


def test_a_document_that_fails_is_finished():
    world = new_world(reply(), DocumentError("rejected"), reply())

    assert run(world, *three()) == []
    assert statuses(world) == [Status.DONE, Status.FAILED, Status.DONE]


def test_a_message_of_several_records_comes_again_for_the_one_that_waits_longest():
    world = new_world(TryLater("first", seconds=5), reply(), TryLater("last", seconds=60))
    several = message(*map(created, UPLOADS))

    assert run(world, several) == ["m1"]
    assert world.queues.requeues == [(several, 60)]
    assert statuses(world) == [Status.PROCESSING, Status.DONE, Status.PROCESSING]


def test_the_records_that_were_finished_cost_nothing_when_their_message_comes_again():
    world = new_world(TryLater("busy", seconds=5), reply(), reply())
    several = message(*map(created, UPLOADS))
    run(world, several)
    world.claude.answers += [reply()]

    assert run(world, several) == []
    assert len(world.claude.requests) == 4


def test_a_message_that_cannot_even_be_requeued_is_still_reported():
    world = new_world(TryLater("busy", seconds=5), reply(), reply())
    breaks(world.queues, "requeue", TryLater("SQS", seconds=5))

    assert run(world, *three()) == ["m0"]
    assert statuses(world)[1:] == [Status.DONE, Status.DONE]


def test_an_unreadable_message_is_quarantined_as_it_came_and_is_finished():
    world = new_world()
    batch = lambda_events.parse(sqs_event("{not JSON"))

    assert process(world, batch) == []
    ((kept, why),) = world.artifacts.unreadable
    assert kept.body == "{not JSON"
    assert why.startswith("not JSON: ")


def test_an_unreadable_message_that_cannot_be_quarantined_comes_again():
    world = new_world()
    breaks(world.artifacts, "quarantine", TryLater("S3", seconds=20))
    odd = message(unreadable="it is odd")

    assert run(world, odd) == ["m1"]
    assert world.queues.requeues == [(odd, 20)]


def test_the_readable_part_of_a_message_is_done_and_the_message_is_quarantined():
    world = new_world(reply())
    batch = lambda_events.parse(
        sqs_event({"Records": [s3_record(key=UPLOADS[0].key), {"eventName": "Odd:Thing"}]})
    )

    assert process(world, batch) == []
    assert world.row(UPLOADS[0]).status is Status.DONE
    assert len(world.artifacts.unreadable) == 1


@pytest.mark.parametrize(
    ("request_", "function"),
    [
        (Task(upload=upload(), stage=Stage.ESCALATION), "triage"),
        (Task(upload=upload()), "escalation"),
        (created(upload()), "escalation"),
    ],
    ids=["an escalation at triage", "a first pass at escalation", "an upload at escalation"],
)
def test_what_does_not_belong_into_this_queue_is_quarantined_and_not_worked_on(request_: Request, function):
    world = new_world()

    assert run(world, message(request_), function=function) == []
    assert world.store.jobs == {}
    ((_, why),) = world.artifacts.unreadable
    assert "does not belong into this queue" in why


def test_what_is_about_a_bucket_that_is_not_the_inbox_is_quarantined_and_its_neighbours_are_worked_on():
    world = new_world(reply())
    others = replace(UPLOADS[1], bucket="somebody-elses")

    assert run(world, message(created(UPLOADS[0])), message(created(others), name="m2")) == []
    assert world.row(UPLOADS[0]).status is Status.DONE
    assert others.document not in world.store.rows
    ((kept, why),) = world.artifacts.unreadable
    assert (kept.id, "somebody-elses" in why) == ("m2", True)


def test_the_test_event_leaves_no_trace():
    world = new_world()
    batch = lambda_events.parse(sqs_event({"Event": "s3:TestEvent"}))

    assert process(world, batch) == []
    assert (world.store.rows, world.artifacts.unreadable) == ({}, [])


def test_an_empty_batch_is_finished():
    assert run(new_world()) == []


@pytest.mark.parametrize("error", [Defect("400"), ZeroDivisionError()], ids=["defect", "bug"])
def test_a_defect_is_logged_as_one(error):
    world = new_world(error, reply(), reply())
    run(world, *three())

    assert world.telemetry.defects == [error]


def test_nothing_that_a_document_says_goes_into_the_log():
    world = new_world(reply(), reply(confidence=10), reply(text="Amount due: 12"))
    run(world, *three())

    assert "Amount due" not in str(world.telemetry.logs)
    assert "Invoice 7" not in str(world.telemetry.logs)


def test_what_was_not_spent_is_refunded_when_the_batch_is_over():
    world = new_world(reply(), reply(), reply())
    run(world, *three())

    assert world.store.account(STACK, START.date()).usd == sum(
        world.row(each).cost_usd or 0 for each in UPLOADS
    )


def test_a_refund_that_fails_is_logged_and_no_document_suffers():
    world = new_world(reply(), reply(), reply())
    breaks(world.store, "refund", Defect("no permission"))

    assert run(world, *three()) == []
    assert statuses(world) == [Status.DONE] * 3
    assert len(world.telemetry.defects) == 1
