"""What becomes of a key when S3 shows another version again: its outcome comes back, or work on it begins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pigeonhole.domain.document import Stage
from pigeonhole.domain.errors import StopAll, WaitReason
from pigeonhole.domain.record import Record
from pigeonhole.domain.row_attributes import Status
from pigeonhole.domain.upload import ObjectEvent, ObjectEventType, Upload
from pigeonhole.jobs.job import Task
from tests.support.builders import World, created, reply, upload

FIRST, SECOND = upload(order=1), upload(version="v2", order=2)
GONE = replace(SECOND, sequencer=upload(order=3).sequencer)
MARKER = upload(version="m", order=3)
EXPIRED = replace(FIRST, sequencer="")


def new_world(*answers) -> World:
    """A world in which two versions lie under the key, the first of them triaged."""
    world = World()
    world.put(FIRST, "Amount due: 12")
    world.claude.answers += answers
    world.triage(created(FIRST))
    world.put(SECOND, "Dear all")
    return world


def erased(world: World, of: Upload = SECOND) -> None:
    """The version is deleted for good."""
    del world.objects.versions[of.bucket, of.key, of.version_id]


def both_done() -> World:
    world = new_world(reply(), reply(category="letter", evidence=[]))
    world.triage(created(SECOND))
    return world


def removed(world: World, of: Upload = GONE) -> None:
    world.clock.pass_by(1)
    world.triage(ObjectEvent(type=ObjectEventType.REMOVED, upload=of))


def test_the_outcome_of_the_version_below_comes_back_without_a_call():
    world = both_done()
    erased(world)
    before = world.job(FIRST).draft
    removed(world)

    row = world.row(FIRST)
    assert (row.version_id, row.status, row.category) == ("v1", Status.DONE, "invoice")
    assert row.sequencer == GONE.sequencer
    assert row.outcome_id not in (before.outcome_id, None)
    assert len(world.claude.requests) == 2
    assert world.queues.tasks == []


def test_the_event_of_a_restored_upload_that_comes_late_changes_nothing():
    world = both_done()
    erased(world)
    removed(world)
    before = world.row(FIRST)
    world.triage(created(FIRST))

    assert world.row(FIRST) == before


def test_a_restore_twice_is_one_restore():
    world = both_done()
    erased(world)
    removed(world)
    before = world.row(FIRST)
    removed(world)

    assert world.row(FIRST) == before


def test_a_version_that_the_ledger_knows_nothing_of_is_worked_on_anew():
    world = both_done()
    erased(world)
    world.store.jobs.clear()
    removed(world)

    row = world.row(FIRST)
    assert (row.version_id, row.status, row.sequencer) == ("v1", Status.PROCESSING, GONE.sequencer)
    (order,) = world.queues.tasks
    assert (order.upload.version_id, order.stage, order.run) == ("v1", Stage.TRIAGE, 1)
    assert world.job(FIRST).wake_at is not None
    world.triage(order, world.invocation())
    assert world.row(FIRST).status is Status.DONE


def test_a_version_that_was_overtaken_before_its_outcome_is_worked_on_when_it_is_current_again():
    world = World()
    world.put(FIRST, "Amount due: 12")
    world.put(SECOND, "Dear all")
    world.claude.answers += [reply(category="letter", evidence=[]), reply()]
    world.triage(created(SECOND))
    world.triage(created(FIRST))
    erased(world)
    removed(world)
    (order,) = world.queues.tasks
    world.triage(order, world.invocation())

    assert (world.row(FIRST).version_id, world.row(FIRST).status) == ("v1", Status.DONE)


def test_an_escalation_that_was_overtaken_goes_on_without_a_second_fast_call():
    world = new_world(reply(confidence=20), reply(category="letter", evidence=[]), reply())
    world.triage(created(SECOND))
    world.escalate(world.handed[0])
    assert world.job(FIRST).superseded
    erased(world)
    removed(world)
    world.triage(world.queues.tasks[-1], world.invocation())
    world.escalate(world.queues.tasks[-1], world.invocation())

    assert (world.row(FIRST).version_id, world.row(FIRST).tier) == ("v1", "strong")
    assert [request["model"] for request in world.claude.requests].count("claude-haiku-5-5") == 2


def test_what_was_parked_when_it_was_overtaken_is_sent_again():
    world = new_world(StopAll(WaitReason.CLAUDE, "stop"))
    world.claimed(Task(upload=SECOND))
    erased(world)
    removed(world)

    assert world.row(FIRST).version_id == "v1"
    assert world.queues.tasks == [world.job(FIRST).task]


def test_the_highest_run_of_the_version_is_the_one_that_comes_back():
    world = both_done()
    first = world.job(FIRST)
    world.store.jobs[FIRST.document, "v1", 2] = replace(
        first,
        task=replace(first.task, run=2),
        draft=world.job(FIRST).draft.model_copy(update={"run": 2, "category": "letter"}),
    )
    erased(world)
    removed(world)

    assert (world.row(FIRST).run, world.row(FIRST).category) == (2, "letter")


def tombstone(world: World, event: Upload) -> Record:
    world.objects.put(MARKER, None)
    world.sync(event)
    return world.row(FIRST)


def test_a_tombstone_learns_of_a_newer_removal_without_a_word():
    world = new_world(reply())
    before = tombstone(world, MARKER)
    world.clock.pass_by(60)
    after = tombstone(world, upload(version="m2", order=9))

    newer = {"sequencer": upload(order=9).sequencer, "revision": before.revision + 1}
    assert after == before.model_copy(update=newer)
    assert world.telemetry.metrics["Removed"] == 1


def test_after_a_tombstone_learned_of_a_newer_removal_an_upload_before_it_stays_removed():
    world = new_world(reply())
    tombstone(world, MARKER)
    tombstone(world, upload(version="m2", order=9))
    world.triage(created(upload(version="v5", order=5)))

    assert world.row(FIRST).status is Status.REMOVED
    assert len(world.claude.requests) == 1


# An expiry says no order: S3 alone knows.


def expired(world: World) -> None:
    world.triage(ObjectEvent(type=ObjectEventType.EXPIRED, upload=EXPIRED))


def test_an_upload_whose_event_comes_after_its_expiry_stays_removed_and_costs_nothing():
    world = World()
    world.put(FIRST, "Amount due: 12")
    world.objects.put(MARKER, None)
    expired(world)
    world.triage(created(FIRST))

    assert world.row(FIRST).status is Status.REMOVED
    assert world.claude.requests == []


def test_an_expiry_that_comes_after_the_upload_removes_it():
    world = World()
    world.put(FIRST, "Amount due: 12")
    world.claude.answers += [reply()]
    world.triage(created(FIRST))
    world.objects.put(MARKER, None)
    expired(world)

    assert world.row(FIRST).status is Status.REMOVED


@pytest.mark.parametrize("expiry_first", [True, False], ids=["expiry first", "upload first"])
def test_an_upload_after_an_expiry_stands_in_either_order_of_their_events(expiry_first):
    world = new_world(reply(), reply(category="letter", evidence=[]))
    events = [lambda: expired(world), lambda: world.triage(created(SECOND))]
    for event in events if expiry_first else reversed(events):
        event()
    for order in world.queues.tasks:
        world.triage(order)

    row = world.row(FIRST)
    assert (row.version_id, row.status, row.category) == ("v2", Status.DONE, "letter")
    assert len(world.claude.requests) == 2


def test_an_upload_after_an_expiry_that_left_a_tombstone_is_worked_on_at_once():
    world = new_world(reply(), reply(category="letter", evidence=[]))
    del world.objects.versions[SECOND.bucket, SECOND.key, SECOND.version_id]
    erased(world, FIRST)
    expired(world)
    assert world.row(FIRST).status is Status.REMOVED
    world.put(SECOND, "Dear all")
    world.triage(created(SECOND))

    assert (world.row(FIRST).version_id, world.row(FIRST).status) == ("v2", Status.DONE)
    assert world.queues.tasks == []


def test_an_expiry_of_an_old_version_leaves_the_current_one_alone():
    world = both_done()
    erased(world, FIRST)
    before = world.row(FIRST)
    expired(world)

    assert world.row(FIRST) == before


def test_follow_says_whether_s3_shows_something_else_than_the_upload():
    world = both_done()

    assert world.sync(replace(FIRST, sequencer="")) is True
    assert world.sync(SECOND) is False
