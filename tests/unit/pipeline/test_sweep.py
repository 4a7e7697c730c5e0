"""Sweep: what is parked, stuck or lost goes on, sent before marked, as fast as the circuit breaker allows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pigeonhole.domain.document import Stage
from pigeonhole.domain.errors import StopAll, TryLater, WaitReason
from pigeonhole.domain.row_attributes import Status
from pigeonhole.jobs.job import Task
from pigeonhole.jobs.stored import BreakerState
from tests.support.builders import World, breaks, created, reply, upload
from tests.support.fakes import START

UPLOADS = [upload(f"finance/{number}.txt") for number in range(4)]
TASKS = [Task(upload=each) for each in UPLOADS]


def new_world(*answers) -> World:
    world = World()
    for each in UPLOADS:
        world.put(each, f"Amount due: 12 for {each.key}")
    world.claude.answers += answers
    return world


def parked(number: int = 1, *, until=None) -> World:
    """A world in which so many documents wait for Claude, and nothing else is under way."""
    world = new_world(StopAll(WaitReason.CLAUDE, "stop", until=until))
    for each in UPLOADS[:number]:
        world.triage(created(each))
    world.queues.tasks.clear()
    return world


def stuck() -> World:
    """A world in which an invocation died with its message."""
    world = new_world(reply())
    world.claimed(TASKS[0])
    return world


def reset_breaker(world: World) -> None:
    world.store.breakers.clear()


def test_a_job_whose_lease_and_message_must_be_gone_is_sent_again():
    world = stuck()
    world.clock.pass_by(105 + 719)
    assert world.sweep() == 0
    world.clock.pass_by(1)

    assert world.sweep() == 1
    assert world.queues.tasks == [TASKS[0]]


def test_an_escalation_that_never_came_back_is_sent_again():
    world = new_world(reply(confidence=20), reply())
    world.triage(created(UPLOADS[0]))
    world.queues.tasks.clear()
    world.clock.pass_by(2 * 1080)
    world.sweep()
    (task,) = world.queues.tasks
    world.escalate(task, world.invocation())

    assert task.stage is Stage.ESCALATION
    assert world.row(UPLOADS[0]).status is Status.DONE


def test_what_has_ended_is_never_sent():
    world = new_world(reply())
    world.triage(created(UPLOADS[0]))
    world.clock.pass_by(10**7)

    assert world.sweep() == 0


def test_what_was_sent_is_not_sent_again_before_its_message_can_have_come_back():
    world = stuck()
    world.clock.pass_by(1000)
    world.sweep()
    world.clock.pass_by(2 * 720 - 1)
    assert world.sweep() == 0
    world.clock.pass_by(1)

    assert world.sweep() == 1


def test_what_could_not_be_marked_was_sent_all_the_same_and_holds_nothing_up():
    world = new_world()
    for task in TASKS[:3]:
        world.claimed(task)
    world.clock.pass_by(1000)
    breaks(world.store, "commit", TryLater("TransactionConflict", seconds=2))
    world.sweep()

    assert world.queues.tasks == TASKS[:3]


def test_what_could_not_be_sent_is_not_marked():
    world = stuck()
    world.clock.pass_by(1000)
    breaks(world.queues, "send", TryLater("SQS", seconds=20))
    with pytest.raises(TryLater):
        world.sweep()

    assert world.sweep() == 1


def test_two_sweeps_at_once_send_twice_and_nothing_is_done_twice():
    world = stuck()
    world.clock.pass_by(1000)
    due = world.store.due_jobs(world.clock.now(), 10)
    world.sweep()
    world.store.due_jobs = lambda now, limit: due  # type: ignore[method-assign]
    world.sweep()
    for task in world.queues.tasks:
        world.triage(task, world.invocation(isolated=True))

    assert len(world.queues.tasks) == 2
    assert len(world.claude.requests) == 1
    assert world.row(UPLOADS[0]).status is Status.DONE


def test_a_parked_job_stays_while_the_circuit_breaker_is_tripped_without_an_end():
    world = parked()
    world.clock.pass_by(10**6)

    assert world.sweep() == 0
    assert world.row(UPLOADS[0]).status is Status.PARKED


def test_parked_jobs_go_on_when_a_person_has_reset_the_circuit_breaker():
    world = parked(3)
    reset_breaker(world)
    world.clock.pass_by(900)

    assert world.sweep() == 3


def test_a_job_parked_until_a_time_is_left_alone_until_then():
    world = parked(until=START + timedelta(hours=8))
    world.clock.pass_by(8 * 3600 - 1)
    assert world.sweep() == 0
    world.clock.pass_by(301)

    assert world.sweep() == 1


def test_a_job_parked_until_a_time_goes_on_when_a_person_resets_the_circuit_breaker_before():
    world = parked(until=START + timedelta(days=20))
    reset_breaker(world)
    world.clock.pass_by(900)

    assert world.sweep() == 1


def test_when_the_circuit_breaker_is_half_open_one_parked_document_goes_first():
    until = START + timedelta(hours=8)
    world = parked(3, until=until)
    world.clock.time = until
    assert world.sweep() == 1
    world.claude.answers += [reply()]
    world.triage(world.queues.tasks[0], world.invocation())
    world.clock.pass_by(300)

    assert world.row(world.queues.tasks[0].upload).status is Status.DONE
    assert world.sweep() == 2


def test_a_stuck_job_is_sent_although_the_circuit_breaker_is_tripped():
    world = stuck()
    world.store.breakers["claude"] = BreakerState(revision=1, is_tripped=True)
    world.clock.pass_by(1000)

    assert world.sweep() == 1


def test_a_parked_job_that_was_overtaken_is_superseded_without_a_call():
    world = parked()
    world.claimed(Task(upload=upload(UPLOADS[0].key, "v2", 2)), world.invocation(900))
    reset_breaker(world)
    world.clock.pass_by(900)
    world.sweep()
    world.triage(world.queues.tasks[0], world.invocation())

    assert world.queues.tasks == [Task(upload=UPLOADS[0])]
    assert world.job(UPLOADS[0]).superseded
    assert len(world.claude.requests) == 1


def test_not_everything_goes_on_at_once():
    world = World()
    for number in range(1001):
        world.claimed(Task(upload=upload(f"finance/{number}.txt")))
    world.clock.pass_by(1000)

    assert [world.sweep(), world.sweep()] == [1000, 1]
