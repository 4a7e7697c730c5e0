"""Sweep: what is parked, stuck or lost goes on, sent before marked, no faster than the gate takes it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pigeonhole.domain.document import Stage, StopAll, TryLater
from pigeonhole.domain.record import Status
from pigeonhole.jobs.job import Order
from pigeonhole.pipeline.process import escalate, triage
from pigeonhole.pipeline.upkeep import sweep
from pigeonhole.ports import Gate
from tests.support.builders import SHIFT, World, breaks, created, reply, upload
from tests.support.fakes import START

UPLOADS = [upload(f"finance/{number}.txt") for number in range(4)]
ORDERS = [Order(upload=each) for each in UPLOADS]


def world(*answers) -> World:
    made = World()
    for each in UPLOADS:
        made.put(each, f"Amount due: 12 for {each.key}")
    made.analyst.answers += answers
    return made


def parked(number: int = 1, *, until=None) -> World:
    """A world in which so many documents wait for Claude, and nothing else is under way."""
    made = world(StopAll("claude", "stop", until=until))
    for each in UPLOADS[:number]:
        triage(created(each), made.parts, SHIFT)
    made.queues.orders.clear()
    return made


def stuck() -> World:
    """A world in which an invocation died with its message."""
    made = world(reply())
    made.claimed(ORDERS[0])
    return made


def opened(made: World) -> None:
    made.ledger.gates.clear()


def test_work_whose_lease_and_message_must_be_gone_is_sent_again():
    made = stuck()
    made.clock.pass_by(105 + 719)
    assert sweep(made.parts) == 0
    made.clock.pass_by(1)

    assert sweep(made.parts) == 1
    assert made.queues.orders == [ORDERS[0]]


def test_an_escalation_that_never_came_back_is_sent_again():
    made = world(reply(confidence=20), reply())
    triage(created(UPLOADS[0]), made.parts, SHIFT)
    made.queues.orders.clear()
    made.clock.pass_by(2 * 1080)
    sweep(made.parts)
    (order,) = made.queues.orders
    escalate(order, made.parts, made.shift())

    assert order.stage is Stage.ESCALATION
    assert made.row(UPLOADS[0]).status is Status.DONE


def test_what_has_ended_is_never_sent():
    made = world(reply())
    triage(created(UPLOADS[0]), made.parts, SHIFT)
    made.clock.pass_by(10**7)

    assert sweep(made.parts) == 0


def test_what_was_sent_is_not_sent_again_before_its_message_can_have_come_back():
    made = stuck()
    made.clock.pass_by(1000)
    sweep(made.parts)
    made.clock.pass_by(2 * 720 - 1)
    assert sweep(made.parts) == 0
    made.clock.pass_by(1)

    assert sweep(made.parts) == 1


def test_what_could_not_be_marked_was_sent_all_the_same_and_holds_nothing_up():
    made = world()
    for order in ORDERS[:3]:
        made.claimed(order)
    made.clock.pass_by(1000)
    breaks(made.ledger, "swap", TryLater("TransactionConflict", seconds=2))
    sweep(made.parts)

    assert made.queues.orders == ORDERS[:3]


def test_what_could_not_be_sent_is_not_marked():
    made = stuck()
    made.clock.pass_by(1000)
    breaks(made.queues, "send", TryLater("SQS", seconds=20))
    with pytest.raises(TryLater):
        sweep(made.parts)

    assert sweep(made.parts) == 1


def test_two_sweeps_at_once_send_twice_and_nothing_is_done_twice():
    made = stuck()
    made.clock.pass_by(1000)
    due = made.ledger.due(made.clock.now(), 10)
    sweep(made.parts)
    made.ledger.due = lambda now, limit: due  # type: ignore[method-assign]
    sweep(made.parts)
    for order in made.queues.orders:
        triage(order, made.parts, made.shift(alone=True))

    assert len(made.queues.orders) == 2
    assert len(made.analyst.requests) == 1
    assert made.row(UPLOADS[0]).status is Status.DONE


def test_parked_work_stays_while_the_gate_is_closed_without_an_end():
    made = parked()
    made.clock.pass_by(10**6)

    assert sweep(made.parts) == 0
    assert made.row(UPLOADS[0]).status is Status.PARKED


def test_parked_work_goes_on_when_somebody_opened_the_gate():
    made = parked(3)
    opened(made)
    made.clock.pass_by(900)

    assert sweep(made.parts) == 3


def test_work_parked_until_a_time_is_left_alone_until_then():
    made = parked(until=START + timedelta(hours=8))
    made.clock.pass_by(8 * 3600 - 1)
    assert sweep(made.parts) == 0
    made.clock.pass_by(301)

    assert sweep(made.parts) == 1


def test_work_parked_until_a_time_goes_on_when_somebody_opens_the_gate_before():
    made = parked(until=START + timedelta(days=20))
    opened(made)
    made.clock.pass_by(900)

    assert sweep(made.parts) == 1


def test_when_the_gate_may_open_one_parked_document_goes_first():
    until = START + timedelta(hours=8)
    made = parked(3, until=until)
    made.clock.time = until
    assert sweep(made.parts) == 1
    made.analyst.answers += [reply()]
    triage(made.queues.orders[0], made.parts, made.shift())
    made.clock.pass_by(300)

    assert made.row(made.queues.orders[0].upload).status is Status.DONE
    assert sweep(made.parts) == 2


def test_stuck_work_is_sent_although_the_gate_is_closed():
    made = stuck()
    made.ledger.gates["claude"] = Gate(rev=1, is_closed=True)
    made.clock.pass_by(1000)

    assert sweep(made.parts) == 1


def test_a_superseded_parking_costs_nothing_more():
    made = parked()
    made.claimed(Order(upload=upload(UPLOADS[0].key, "v2", 2)), made.shift(900))
    opened(made)
    made.clock.pass_by(900)
    sweep(made.parts)
    triage(made.queues.orders[0], made.parts, made.shift())

    assert made.queues.orders == [Order(upload=UPLOADS[0])]
    assert made.work(UPLOADS[0]).superseded
    assert len(made.analyst.requests) == 1


def test_not_everything_goes_on_at_once():
    made = World()
    for number in range(1001):
        made.claimed(Order(upload=upload(f"finance/{number}.txt")))
    made.clock.pass_by(1000)

    assert [sweep(made.parts), sweep(made.parts)] == [1000, 1]
