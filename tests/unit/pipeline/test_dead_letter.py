"""Dead letters: a document that has an outcome keeps it, any other gets a row that says we gave up."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pigeonhole.domain.document import Stage
from pigeonhole.domain.errors import StopAll, TryLater, WaitReason
from pigeonhole.domain.row_attributes import Status
from pigeonhole.domain.upload import ObjectEvent, ObjectEventType
from pigeonhole.jobs.job import Task
from tests.support.builders import World, breaks, created, ends, reply, upload

TEXT = "Amount due: 12"
UPLOAD = upload()


def new_world(*answers) -> World:
    world = World()
    world.put(UPLOAD, TEXT)
    world.claude.answers += answers
    return world


def escalated() -> World:
    world = new_world(reply(confidence=20))
    world.triage(created(UPLOAD))
    return world


def test_an_upload_that_was_given_up_fails_and_says_what_to_do():
    world = new_world()
    world.record_dead_letter(created(UPLOAD))

    row = world.row(UPLOAD)
    assert row.status is Status.FAILED
    assert row.error
    assert (row.error.code, row.error.retryable) == ("gave_up", True)
    assert row.outcome_id


def test_an_escalation_that_was_given_up_leaves_the_fast_answer_to_a_person():
    world = escalated()
    world.record_dead_letter(world.handed[0])

    row = world.row(UPLOAD)
    assert (row.status, row.review_reasons) == (Status.NEEDS_REVIEW, ("gave_up",))
    assert (row.category, row.tier) == ("invoice", "fast")
    assert row.error
    assert row.error.code == "gave_up"


def test_the_dead_letter_of_a_document_that_has_its_outcome_changes_nothing():
    world = new_world(reply())
    world.triage(created(UPLOAD))
    before = world.row(UPLOAD)
    world.record_dead_letter(created(UPLOAD))

    assert world.row(UPLOAD) == before


def test_the_dead_letter_of_an_escalation_that_has_its_outcome_changes_nothing():
    world = escalated()
    world.claude.answers += [reply()]
    world.escalate(world.handed[0])
    before = world.row(UPLOAD)
    world.record_dead_letter(world.handed[0])

    assert world.row(UPLOAD) == before


def test_the_dead_letter_of_an_upload_that_is_escalated_changes_nothing():
    world = escalated()
    before = world.row(UPLOAD)
    world.record_dead_letter(created(UPLOAD))

    assert world.row(UPLOAD) == before


def test_the_dead_letter_of_an_older_upload_changes_nothing():
    world = new_world(reply())
    newer = world.put(upload(version="v2", order=2), TEXT)
    world.triage(created(newer))
    world.record_dead_letter(created(UPLOAD))

    assert (world.row(UPLOAD).version_id, world.row(UPLOAD).status) == ("v2", Status.DONE)


def test_the_dead_letter_of_an_overtaken_escalation_changes_nothing():
    world = escalated()
    newer = world.put(upload(version="v2", order=2), "broken")
    world.triage(created(newer))
    before = world.row(UPLOAD)
    world.record_dead_letter(world.handed[0])

    assert world.row(UPLOAD) == before


@pytest.mark.parametrize("event_type", [ObjectEventType.REMOVED, ObjectEventType.EXPIRED])
def test_the_dead_letter_of_a_removal_still_removes(event_type):
    world = new_world(reply())
    world.triage(created(UPLOAD))
    marker = upload(version="m", order=2)
    world.objects.put(marker, None)
    world.record_dead_letter(ObjectEvent(type=event_type, upload=marker))

    assert world.row(UPLOAD).status is Status.REMOVED


def test_a_dead_letter_waits_while_its_job_is_leased():
    world = new_world()
    world.claimed(Task(upload=UPLOAD))

    with pytest.raises(TryLater):
        world.record_dead_letter(created(UPLOAD))

    assert world.row(UPLOAD).status is Status.PROCESSING


def test_what_was_paid_for_is_on_the_bill_of_an_upload_that_was_given_up():
    world = new_world(reply())
    breaks(world.store, "commit", TryLater("DynamoDB", seconds=2), when=ends, times=2)
    with pytest.raises(TryLater):
        world.triage(created(UPLOAD))
    world.record_dead_letter(created(UPLOAD))

    assert world.row(UPLOAD).status is Status.FAILED
    assert world.row(UPLOAD).cost_usd == Decimal("0.00015")


def test_a_dead_letter_that_could_not_be_recorded_can_be_tried_again():
    world = new_world()
    breaks(world.store, "commit", TryLater("DynamoDB", seconds=2), when=ends)
    with pytest.raises(TryLater):
        world.record_dead_letter(created(UPLOAD))
    world.record_dead_letter(created(UPLOAD))

    assert world.row(UPLOAD).status is Status.FAILED


def test_a_dead_letter_of_what_has_crashed_before_needs_no_second_invocation():
    world = new_world()
    world.claimed(Task(upload=UPLOAD))
    world.clock.pass_by(106)
    world.record_dead_letter(created(UPLOAD), world.invocation())

    assert world.row(UPLOAD).status is Status.FAILED


def test_the_dead_letter_of_an_escalation_without_a_job_begins_nothing():
    world = World()
    world.record_dead_letter(Task(upload=UPLOAD, stage=Stage.ESCALATION))

    assert world.store.rows == {}


def test_the_dead_letter_of_a_higher_run_leaves_the_outcome_until_the_run_has_its_own():
    world = new_world(reply())
    world.triage(created(UPLOAD))
    world.record_dead_letter(Task(upload=UPLOAD, run=2))

    assert (world.row(UPLOAD).run, world.row(UPLOAD).status) == (2, Status.FAILED)


def test_the_dead_letter_of_a_higher_run_that_is_parked_changes_nothing():
    world = new_world(reply(), StopAll(WaitReason.CLAUDE, "stop"))
    world.triage(created(UPLOAD))
    task = world.redrive(world.row(UPLOAD), forced=True).task
    world.triage(task)
    before = world.row(UPLOAD), world.job(UPLOAD, 2)
    world.record_dead_letter(task)

    assert (world.row(UPLOAD), world.job(UPLOAD, 2)) == before
