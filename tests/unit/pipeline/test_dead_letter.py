"""Dead letters: a document that has an outcome keeps it, any other gets a row that says we gave up."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pigeonhole.domain.document import Change, Kind, Stage, StopAll, TryLater
from pigeonhole.domain.record import Status
from pigeonhole.jobs.job import Order
from pigeonhole.pipeline.process import bury, escalate, triage
from pigeonhole.pipeline.upkeep import redrive
from tests.support.builders import SHIFT, World, breaks, created, ends, reply, upload

TEXT = "Amount due: 12"
UPLOAD = upload()


def world(*answers) -> World:
    made = World()
    made.put(UPLOAD, TEXT)
    made.analyst.answers += answers
    return made


def escalated() -> World:
    made = world(reply(confidence=20))
    triage(created(UPLOAD), made.parts, SHIFT)
    return made


def test_an_upload_that_was_given_up_fails_and_says_what_to_do():
    made = world()
    bury(created(UPLOAD), made.parts, SHIFT)

    row = made.row(UPLOAD)
    assert row.status is Status.FAILED
    assert row.error
    assert (row.error.code, row.error.retryable) == ("gave_up", True)
    assert row.outcome_id


def test_an_escalation_that_was_given_up_leaves_the_fast_answer_to_a_person():
    made = escalated()
    bury(made.handed[0], made.parts, SHIFT)

    row = made.row(UPLOAD)
    assert (row.status, row.review_reasons) == (Status.NEEDS_REVIEW, ("gave_up",))
    assert (row.category, row.tier) == ("invoice", "fast")
    assert row.error
    assert row.error.code == "gave_up"


def test_the_dead_letter_of_a_document_that_has_its_outcome_changes_nothing():
    made = world(reply())
    triage(created(UPLOAD), made.parts, SHIFT)
    before = made.row(UPLOAD)
    bury(created(UPLOAD), made.parts, SHIFT)

    assert made.row(UPLOAD) == before


def test_the_dead_letter_of_an_escalation_that_has_its_outcome_changes_nothing():
    made = escalated()
    made.analyst.answers += [reply()]
    escalate(made.handed[0], made.parts, SHIFT)
    before = made.row(UPLOAD)
    bury(made.handed[0], made.parts, SHIFT)

    assert made.row(UPLOAD) == before


def test_the_dead_letter_of_an_upload_that_is_escalated_changes_nothing():
    made = escalated()
    before = made.row(UPLOAD)
    bury(created(UPLOAD), made.parts, SHIFT)

    assert made.row(UPLOAD) == before


def test_the_dead_letter_of_an_older_upload_changes_nothing():
    made = world(reply())
    newer = made.put(upload(version="v2", order=2), TEXT)
    triage(created(newer), made.parts, SHIFT)
    bury(created(UPLOAD), made.parts, SHIFT)

    assert (made.row(UPLOAD).version_id, made.row(UPLOAD).status) == ("v2", Status.DONE)


def test_the_dead_letter_of_an_overtaken_escalation_changes_nothing():
    made = escalated()
    newer = made.put(upload(version="v2", order=2), "broken")
    triage(created(newer), made.parts, SHIFT)
    before = made.row(UPLOAD)
    bury(made.handed[0], made.parts, SHIFT)

    assert made.row(UPLOAD) == before


@pytest.mark.parametrize("kind", [Kind.REMOVED, Kind.EXPIRED])
def test_the_dead_letter_of_a_removal_still_removes(kind):
    made = world(reply())
    triage(created(UPLOAD), made.parts, SHIFT)
    marker = upload(version="m", order=2)
    made.objects.put(marker, None)
    bury(Change(kind=kind, upload=marker), made.parts, SHIFT)

    assert made.row(UPLOAD).status is Status.REMOVED


def test_a_dead_letter_waits_for_whoever_is_at_it():
    made = world()
    made.claimed(Order(upload=UPLOAD))

    with pytest.raises(TryLater):
        bury(created(UPLOAD), made.parts, SHIFT)

    assert made.row(UPLOAD).status is Status.PROCESSING


def test_what_was_paid_for_is_on_the_bill_of_an_upload_that_was_given_up():
    made = world(reply())
    breaks(made.ledger, "swap", TryLater("DynamoDB", seconds=2), when=ends, times=2)
    with pytest.raises(TryLater):
        triage(created(UPLOAD), made.parts, SHIFT)
    bury(created(UPLOAD), made.parts, SHIFT)

    assert made.row(UPLOAD).status is Status.FAILED
    assert made.row(UPLOAD).cost_usd == Decimal("0.00015")


def test_a_burial_that_failed_can_be_tried_again():
    made = world()
    breaks(made.ledger, "swap", TryLater("DynamoDB", seconds=2), when=ends)
    with pytest.raises(TryLater):
        bury(created(UPLOAD), made.parts, SHIFT)
    bury(created(UPLOAD), made.parts, SHIFT)

    assert made.row(UPLOAD).status is Status.FAILED


def test_a_dead_letter_of_what_has_crashed_before_needs_no_second_invocation():
    made = world()
    made.claimed(Order(upload=UPLOAD))
    made.clock.pass_by(106)
    bury(created(UPLOAD), made.parts, made.shift())

    assert made.row(UPLOAD).status is Status.FAILED


def test_the_dead_letter_of_what_nobody_began_and_nothing_shows_begins_nothing():
    made = World()
    bury(Order(upload=UPLOAD, stage=Stage.ESCALATION), made.parts, SHIFT)

    assert made.ledger.rows == {}


def test_the_dead_letter_of_a_higher_run_leaves_the_outcome_until_the_run_has_its_own():
    made = world(reply())
    triage(created(UPLOAD), made.parts, SHIFT)
    bury(Order(upload=UPLOAD, run=2), made.parts, SHIFT)

    assert (made.row(UPLOAD).run, made.row(UPLOAD).status) == (2, Status.FAILED)


def test_the_dead_letter_of_a_higher_run_that_is_parked_changes_nothing():
    made = world(reply(), StopAll("claude", "stop"))
    triage(created(UPLOAD), made.parts, SHIFT)
    order = redrive(made.row(UPLOAD), made.parts, forced=True).order
    triage(order, made.parts, SHIFT)
    before = made.row(UPLOAD), made.work(UPLOAD, 2)
    bury(order, made.parts, SHIFT)

    assert (made.row(UPLOAD), made.work(UPLOAD, 2)) == before
