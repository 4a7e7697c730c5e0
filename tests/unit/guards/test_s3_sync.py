"""What becomes of a key when S3 shows another version again: its outcome comes back, or work on it begins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pigeonhole.domain.document import Change, Kind, Stage, StopAll, Upload
from pigeonhole.domain.record import Record, Status
from pigeonhole.guards.s3_sync import follow
from pigeonhole.jobs.job import Order
from pigeonhole.pipeline.process import escalate, triage
from tests.support.builders import SHIFT, World, created, reply, upload

FIRST, SECOND = upload(order=1), upload(version="v2", order=2)
GONE = replace(SECOND, sequencer=upload(order=3).sequencer)
MARKER = upload(version="m", order=3)
EXPIRED = replace(FIRST, sequencer="")


def world(*answers) -> World:
    """A world in which two versions lie under the key, the first of them triaged."""
    made = World()
    made.put(FIRST, "Amount due: 12")
    made.analyst.answers += answers
    triage(created(FIRST), made.parts, SHIFT)
    made.put(SECOND, "Dear all")
    return made


def erased(made: World, of: Upload = SECOND) -> None:
    """The version is deleted for good."""
    del made.objects.versions[of.bucket, of.key, of.version_id]


def both_done() -> World:
    made = world(reply(), reply(category="letter", evidence=[]))
    triage(created(SECOND), made.parts, SHIFT)
    return made


def removed(made: World, of: Upload = GONE) -> None:
    made.clock.pass_by(1)
    triage(Change(kind=Kind.REMOVED, upload=of), made.parts, SHIFT)


def test_the_outcome_of_the_version_below_comes_back_without_a_call():
    made = both_done()
    erased(made)
    before = made.work(FIRST).draft
    removed(made)

    row = made.row(FIRST)
    assert (row.version_id, row.status, row.category) == ("v1", Status.DONE, "invoice")
    assert row.sequencer == GONE.sequencer
    assert row.outcome_id not in (before.outcome_id, None)
    assert len(made.analyst.requests) == 2
    assert made.queues.orders == []


def test_the_event_of_a_restored_upload_that_comes_late_changes_nothing():
    made = both_done()
    erased(made)
    removed(made)
    before = made.row(FIRST)
    triage(created(FIRST), made.parts, SHIFT)

    assert made.row(FIRST) == before


def test_a_restore_twice_is_one_restore():
    made = both_done()
    erased(made)
    removed(made)
    before = made.row(FIRST)
    removed(made)

    assert made.row(FIRST) == before


def test_a_version_that_the_ledger_knows_nothing_of_is_worked_on_anew():
    made = both_done()
    erased(made)
    made.ledger.works.clear()
    removed(made)

    row = made.row(FIRST)
    assert (row.version_id, row.status, row.sequencer) == ("v1", Status.PROCESSING, GONE.sequencer)
    (order,) = made.queues.orders
    assert (order.upload.version_id, order.stage, order.run) == ("v1", Stage.TRIAGE, 1)
    assert made.work(FIRST).due is not None
    triage(order, made.parts, made.shift())
    assert made.row(FIRST).status is Status.DONE


def test_a_version_that_was_overtaken_before_its_outcome_is_worked_on_when_it_is_current_again():
    made = World()
    made.put(FIRST, "Amount due: 12")
    made.put(SECOND, "Dear all")
    made.analyst.answers += [reply(category="letter", evidence=[]), reply()]
    triage(created(SECOND), made.parts, SHIFT)
    triage(created(FIRST), made.parts, SHIFT)
    erased(made)
    removed(made)
    (order,) = made.queues.orders
    triage(order, made.parts, made.shift())

    assert (made.row(FIRST).version_id, made.row(FIRST).status) == ("v1", Status.DONE)


def test_an_escalation_that_was_overtaken_goes_on_without_a_second_fast_call():
    made = world(reply(confidence=20), reply(category="letter", evidence=[]), reply())
    triage(created(SECOND), made.parts, SHIFT)
    escalate(made.handed[0], made.parts, SHIFT)
    assert made.work(FIRST).superseded
    erased(made)
    removed(made)
    triage(made.queues.orders[-1], made.parts, made.shift())
    escalate(made.queues.orders[-1], made.parts, made.shift())

    assert (made.row(FIRST).version_id, made.row(FIRST).tier) == ("v1", "strong")
    assert [request["model"] for request in made.analyst.requests].count("claude-haiku-5-5") == 2


def test_what_was_parked_when_it_was_overtaken_is_sent_again():
    made = world(StopAll("claude", "stop"))
    made.claimed(Order(upload=SECOND))
    erased(made)
    removed(made)

    assert made.row(FIRST).version_id == "v1"
    assert made.queues.orders == [made.work(FIRST).order]


def test_the_highest_run_of_the_version_is_the_one_that_comes_back():
    made = both_done()
    made.ledger.works[FIRST.document, "v1", 2] = replace(
        made.work(FIRST),
        run=2,
        draft=made.work(FIRST).draft.model_copy(update={"run": 2, "category": "letter"}),
    )
    erased(made)
    removed(made)

    assert (made.row(FIRST).run, made.row(FIRST).category) == (2, "letter")


def tombstone(made: World, event: Upload) -> Record:
    made.objects.put(MARKER, None)
    follow(event, made.parts)
    return made.row(FIRST)


def test_a_tombstone_learns_of_a_newer_removal_without_a_word():
    made = world(reply())
    before = tombstone(made, MARKER)
    made.clock.pass_by(60)
    after = tombstone(made, upload(version="m2", order=9))

    assert after == before.model_copy(update={"sequencer": upload(order=9).sequencer})
    assert made.journal.counts["Removed"] == 1


def test_after_a_tombstone_learned_of_a_newer_removal_an_upload_before_it_stays_removed():
    made = world(reply())
    tombstone(made, MARKER)
    tombstone(made, upload(version="m2", order=9))
    triage(created(upload(version="v5", order=5)), made.parts, SHIFT)

    assert made.row(FIRST).status is Status.REMOVED
    assert len(made.analyst.requests) == 1


# An expiry says no order: S3 alone knows.


def expired(made: World) -> None:
    triage(Change(kind=Kind.EXPIRED, upload=EXPIRED), made.parts, SHIFT)


def test_an_upload_whose_event_comes_after_its_expiry_stays_removed_and_costs_nothing():
    made = World()
    made.put(FIRST, "Amount due: 12")
    made.objects.put(MARKER, None)
    expired(made)
    triage(created(FIRST), made.parts, SHIFT)

    assert made.row(FIRST).status is Status.REMOVED
    assert made.analyst.requests == []


def test_an_expiry_that_comes_after_the_upload_removes_it():
    made = World()
    made.put(FIRST, "Amount due: 12")
    made.analyst.answers += [reply()]
    triage(created(FIRST), made.parts, SHIFT)
    made.objects.put(MARKER, None)
    expired(made)

    assert made.row(FIRST).status is Status.REMOVED


@pytest.mark.parametrize("expiry_first", [True, False], ids=["expiry first", "upload first"])
def test_an_upload_after_an_expiry_stands_in_either_order_of_their_events(expiry_first):
    made = world(reply(), reply(category="letter", evidence=[]))
    events = [lambda: expired(made), lambda: triage(created(SECOND), made.parts, SHIFT)]
    for event in events if expiry_first else reversed(events):
        event()
    for order in made.queues.orders:
        triage(order, made.parts, SHIFT)

    row = made.row(FIRST)
    assert (row.version_id, row.status, row.category) == ("v2", Status.DONE, "letter")
    assert len(made.analyst.requests) == 2


def test_an_upload_after_an_expiry_that_left_a_tombstone_is_worked_on_at_once():
    made = world(reply(), reply(category="letter", evidence=[]))
    del made.objects.versions[SECOND.bucket, SECOND.key, SECOND.version_id]
    erased(made, FIRST)
    expired(made)
    assert made.row(FIRST).status is Status.REMOVED
    made.put(SECOND, "Dear all")
    triage(created(SECOND), made.parts, SHIFT)

    assert (made.row(FIRST).version_id, made.row(FIRST).status) == ("v2", Status.DONE)
    assert made.queues.orders == []


def test_an_expiry_of_an_old_version_leaves_the_current_one_alone():
    made = both_done()
    erased(made, FIRST)
    before = made.row(FIRST)
    expired(made)

    assert made.row(FIRST) == before


def test_follow_says_whether_s3_shows_something_else_than_the_upload():
    made = both_done()

    assert follow(replace(FIRST, sequencer=""), made.parts) is True
    assert follow(SECOND, made.parts) is False
