"""One invocation's messages: each is finished or comes again in good time, and none hurts its neighbours."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pigeonhole.adapters import lambda_events
from pigeonhole.domain.document import Change, Defect, DocumentError, Stage, StopAll, TryLater
from pigeonhole.domain.record import Status
from pigeonhole.guards.budget import STACK
from pigeonhole.jobs.job import Order
from pigeonhole.jobs.message import Batch, Message
from pigeonhole.pipeline.batch import Works, settle
from pigeonhole.pipeline.process import escalate, triage
from tests.support.builders import (
    DEADLINE,
    SHIFT,
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
WORKS: Works = {Change: triage}
UPLOADS = [upload(key=f"finance/{number}.txt") for number in range(3)]
ORDER = Order(upload=upload())


def world(*answers) -> World:
    made = World()
    for each in UPLOADS:
        made.put(each, f"{TEXT} for {each.key}")  # no two ask the same
    made.analyst.answers += answers
    return made


def run(made: World, *messages: Message, works=WORKS) -> list[str]:
    return settle(Batch(messages=messages, queued=True), works, made.parts, SHIFT)


def three() -> list[Message]:
    return [message(created(each), name=f"m{number}") for number, each in enumerate(UPLOADS)]


def statuses(made: World) -> list[Status]:
    return [made.row(each).status for each in UPLOADS]


def test_a_batch_that_is_finished_leaves_nothing_to_come_again():
    made = world(reply(), reply(), reply())

    assert run(made, *three()) == []
    assert statuses(made) == [Status.DONE] * 3
    assert made.queues.put_backs == []


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
    made = world(reply(), error, reply())
    messages = three()

    assert run(made, *messages) == ["m1"]
    assert statuses(made) == [Status.DONE, Status.PROCESSING, Status.DONE]
    assert made.queues.put_backs == [(messages[1], seconds)]


def test_while_claude_says_stop_every_document_is_parked_and_no_message_comes_again():
    made = world(StopAll("credentials", "no key"))

    assert run(made, *three()) == []
    assert statuses(made) == [Status.PARKED] * 3
    assert len(made.analyst.requests) == 1


def test_a_lease_longer_than_a_queue_can_hold_a_message_is_asked_for_again_before():
    made = world(reply(), reply())
    made.claimed(Order(upload=UPLOADS[0]), made.shift(10**6))

    assert run(made, *three()) == ["m0"]
    assert [seconds for _, seconds in made.queues.put_backs] == [43_000]


def test_what_has_crashed_before_is_done_after_its_neighbours_and_with_none():
    made = world()
    made.claimed(Order(upload=UPLOADS[0]))
    made.clock.pass_by(106)
    before: list[Status] = []

    def last():
        before.extend(made.row(each).status for each in UPLOADS[1:])
        return reply()

    made.analyst.answers += [reply(), reply(), last]
    batch = Batch(messages=tuple(three()), queued=True)

    assert settle(batch, WORKS, made.parts, made.shift()) == []
    assert before == [Status.DONE] * 2
    assert statuses(made) == [Status.DONE] * 3


def test_what_came_again_is_finished_then():
    made = world(TryLater("overloaded", seconds=30), reply(), reply())
    run(made, *three())
    made.analyst.answers += [reply()]

    assert run(made, *three()) == []
    assert statuses(made) == [Status.DONE] * 3
    assert len(made.analyst.requests) == 4


def test_a_message_that_somebody_else_is_at_comes_again_when_their_lease_has_ended():
    made = world(reply(), reply())
    made.claimed(Order(upload=UPLOADS[0]), made.shift(75))

    assert run(made, *three()) == ["m0"]
    ((_, seconds),) = made.queues.put_backs
    assert 80 <= seconds <= 82


def test_a_message_for_which_too_little_time_is_left_comes_again_at_once():
    made = world()
    made.clock.time = DEADLINE - timedelta(seconds=1)

    assert run(made, *three()) == ["m0", "m1", "m2"]
    assert [seconds for _, seconds in made.queues.put_backs] == [0, 0, 0]


def test_a_document_that_fails_is_finished():
    made = world(reply(), DocumentError("rejected"), reply())

    assert run(made, *three()) == []
    assert statuses(made) == [Status.DONE, Status.FAILED, Status.DONE]


def test_a_message_of_several_records_comes_again_for_the_one_that_waits_longest():
    made = world(TryLater("first", seconds=5), reply(), TryLater("last", seconds=60))
    several = message(*map(created, UPLOADS))

    assert run(made, several) == ["m1"]
    assert made.queues.put_backs == [(several, 60)]
    assert statuses(made) == [Status.PROCESSING, Status.DONE, Status.PROCESSING]


def test_the_records_that_were_finished_cost_nothing_when_their_message_comes_again():
    made = world(TryLater("busy", seconds=5), reply(), reply())
    several = message(*map(created, UPLOADS))
    run(made, several)
    made.analyst.answers += [reply()]

    assert run(made, several) == []
    assert len(made.analyst.requests) == 4


def test_a_message_that_cannot_even_be_put_back_is_still_reported():
    made = world(TryLater("busy", seconds=5), reply(), reply())
    breaks(made.queues, "put_back", TryLater("SQS", seconds=5))

    assert run(made, *three()) == ["m0"]
    assert statuses(made)[1:] == [Status.DONE, Status.DONE]


def test_an_unreadable_message_is_kept_as_it_came_and_is_finished():
    made = world()
    batch = lambda_events.parse(sqs_event("{not JSON"))

    assert settle(batch, WORKS, made.parts, SHIFT) == []
    ((kept, why),) = made.artifacts.unreadable
    assert kept.body == "{not JSON"
    assert why.startswith("not JSON: ")


def test_an_unreadable_message_that_cannot_be_kept_comes_again():
    made = world()
    breaks(made.artifacts, "keep_unreadable", TryLater("S3", seconds=20))
    odd = message(unreadable="it is odd")

    assert run(made, odd) == ["m1"]
    assert made.queues.put_backs == [(odd, 20)]


def test_the_readable_part_of_a_message_is_done_and_the_message_is_kept():
    made = world(reply())
    batch = lambda_events.parse(
        sqs_event({"Records": [s3_record(key=UPLOADS[0].key), {"eventName": "Odd:Thing"}]})
    )

    assert settle(batch, WORKS, made.parts, SHIFT) == []
    assert made.row(UPLOADS[0]).status is Status.DONE
    assert len(made.artifacts.unreadable) == 1


@pytest.mark.parametrize(
    ("ask", "works"),
    [(ORDER, {Change: triage}), (created(upload()), {Stage.ESCALATION: escalate})],
    ids=["an order where only uploads are awaited", "an upload at escalation"],
)
def test_what_does_not_belong_into_this_queue_is_kept_and_not_worked_on(ask, works):
    made = world()

    assert run(made, message(ask), works=works) == []
    assert made.ledger.works == {}
    ((_, why),) = made.artifacts.unreadable
    assert "does not belong into this queue" in why


def test_what_is_about_a_bucket_that_is_not_the_inbox_is_kept_and_its_neighbours_are_worked_on():
    made = world(reply())
    others = replace(UPLOADS[1], bucket="somebody-elses")

    assert run(made, message(created(UPLOADS[0])), message(created(others), name="m2")) == []
    assert made.row(UPLOADS[0]).status is Status.DONE
    assert others.document not in made.ledger.rows
    ((kept, why),) = made.artifacts.unreadable
    assert (kept.id, "somebody-elses" in why) == ("m2", True)


def test_the_test_event_leaves_no_trace():
    made = world()
    batch = lambda_events.parse(sqs_event({"Event": "s3:TestEvent"}))

    assert settle(batch, WORKS, made.parts, SHIFT) == []
    assert (made.ledger.rows, made.artifacts.unreadable) == ({}, [])


def test_an_empty_batch_is_finished():
    assert run(world()) == []


@pytest.mark.parametrize("error", [Defect("400"), ZeroDivisionError()], ids=["defect", "bug"])
def test_a_mistake_of_ours_is_loud(error):
    made = world(error, reply(), reply())
    run(made, *three())

    assert made.journal.defects == [error]


def test_nothing_that_a_document_says_goes_into_the_log():
    made = world(reply(), reply(confidence=10), reply(text="Amount due: 12"))
    run(made, *three())

    assert "Amount due" not in str(made.journal.notes)
    assert "Invoice 7" not in str(made.journal.notes)


def test_what_was_not_spent_is_given_back_when_the_batch_is_over():
    made = world(reply(), reply(), reply())
    run(made, *three())

    assert made.ledger.account(STACK, START.date()).usd == sum(
        made.row(each).cost_usd or 0 for each in UPLOADS
    )


def test_a_mistake_in_giving_back_is_told_and_no_document_suffers():
    made = world(reply(), reply(), reply())
    breaks(made.ledger, "credit", Defect("no permission"))

    assert run(made, *three()) == []
    assert statuses(made) == [Status.DONE] * 3
    assert len(made.journal.defects) == 1
