"""The second opinion again: duplicates, leases, crashes and newer events cost nothing and lose nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from pigeonhole.domain.document import Stage, StopAll, TryLater
from pigeonhole.domain.record import Status
from pigeonhole.guards.s3_sync import follow
from pigeonhole.jobs.job import Order
from pigeonhole.pipeline.process import escalate, triage
from tests.support.builders import DEADLINE, SHIFT, World, breaks, created, ends, reply, reserves, upload

TEXT = "Amount due: 12"
UPLOAD = upload()
DOUBTFUL = reply(confidence=60)
BUSY = TryLater("DynamoDB", seconds=2)
BILLED = TryLater("no answer", seconds=2, billed=True)


def world(*answers) -> World:
    """A world in which triage has handed the upload over, and Claude has these answers."""
    made = World()
    made.put(UPLOAD, TEXT)
    made.analyst.answers += [DOUBTFUL]
    triage(created(UPLOAD), made.parts, SHIFT)
    made.analyst.answers += answers
    made.analyst.requests.clear()
    return made


def run(made: World) -> None:
    escalate(made.handed[0], made.parts, SHIFT)


def test_a_second_message_about_the_same_case_is_a_no_op():
    made = world(reply())
    run(made)
    before = made.row(UPLOAD)
    run(made)

    assert made.row(UPLOAD) == before
    assert len(made.analyst.requests) == 1


@pytest.mark.parametrize("held", [True, False], ids=["under way", "given back"])
def test_a_message_that_comes_before_its_stage_ends_since_triage_sends_another(held):
    made = World()
    made.put(UPLOAD, TEXT)
    if held:
        made.claimed(Order(upload=UPLOAD))
    else:
        made.analyst.answers += [BILLED]
        with pytest.raises(TryLater):
            triage(created(UPLOAD), made.parts, SHIFT)
    before = made.work(UPLOAD)
    escalate(Order(upload=UPLOAD, stage=Stage.ESCALATION), made.parts, SHIFT)

    assert made.work(UPLOAD) == before


def test_while_somebody_else_is_at_it_the_message_waits_until_their_lease_has_ended():
    made = world()
    made.claimed(made.handed[0], made.shift(75))

    with pytest.raises(TryLater) as told:
        run(made)

    assert 80 <= told.value.seconds <= 82


def test_a_strong_reply_that_was_paid_for_is_not_asked_for_again():
    made = world(reply())
    breaks(made.ledger, "swap", BUSY, when=ends, times=2)
    with pytest.raises(TryLater):
        run(made)
    run(made)

    assert made.row(UPLOAD).status is Status.DONE
    assert made.row(UPLOAD).cost_usd == Decimal("0.00315")
    assert len(made.analyst.requests) == 1


def test_no_call_begins_that_would_outlast_the_invocation():
    made = world(reply())
    made.clock.time = DEADLINE - timedelta(seconds=29)
    with pytest.raises(TryLater) as told:
        run(made)

    assert told.value.seconds == 0
    assert made.analyst.requests == []
    assert made.row(UPLOAD).status is Status.ESCALATED


@pytest.mark.parametrize(
    ("port", "method", "when"),
    [
        ("artifacts", "text", None),
        ("analyst", "ask", None),
        ("ledger", "swap", reserves),
        ("ledger", "swap", ends),
    ],
)
def test_whatever_is_busy_the_case_is_given_back_and_the_next_try_succeeds(port, method, when):
    made = world(reply())
    times = 2 if when is ends else 1
    breaks(getattr(made, port), method, BUSY, when=when or (lambda *args, **kwargs: True), times=times)
    with pytest.raises(TryLater):
        run(made)
    assert made.row(UPLOAD).status is Status.ESCALATED
    run(made)

    assert made.row(UPLOAD).status is Status.DONE


def test_while_claude_says_stop_the_case_is_parked_with_the_fast_answer_and_goes_on_from_there():
    made = world(StopAll("claude", "spend limit"), reply())
    run(made)

    row = made.row(UPLOAD)
    assert row.waiting
    assert (row.status, row.waiting.stage, row.category) == (Status.PARKED, "escalation", "invoice")
    made.ledger.gates.clear()
    run(made)
    assert (made.row(UPLOAD).status, made.row(UPLOAD).waiting) == (Status.DONE, None)


def test_the_attempts_of_the_first_pass_do_not_count():
    made = World()
    made.put(UPLOAD, TEXT)
    made.analyst.answers += [BILLED, BILLED, DOUBTFUL]
    for _ in range(2):
        with pytest.raises(TryLater):
            triage(created(UPLOAD), made.parts, SHIFT)
    triage(created(UPLOAD), made.parts, SHIFT)
    made.analyst.answers += [BILLED, reply()]
    with pytest.raises(TryLater):
        run(made)
    run(made)

    assert made.row(UPLOAD).status is Status.DONE


def test_after_three_calls_that_brought_nothing_the_fast_answer_goes_to_a_person():
    made = world(BILLED, BILLED, BILLED)
    for _ in range(2):
        with pytest.raises(TryLater):
            run(made)
    run(made)

    row = made.row(UPLOAD)
    assert (row.status, row.review_reasons, row.category) == (Status.NEEDS_REVIEW, ("upstream",), "invoice")


def test_a_case_that_a_newer_upload_has_overtaken_is_dropped_without_a_call():
    made = world()
    newer = made.put(upload(version="v2", order=2), "broken")
    triage(created(newer), made.parts, SHIFT)
    run(made)

    assert made.row(UPLOAD).version_id == "v2"
    assert made.analyst.requests == []
    assert made.work(UPLOAD).superseded


def test_a_case_that_is_overtaken_while_it_is_read_does_not_touch_the_newer_row():
    made = world()
    newer = made.put(upload(version="v2", order=2), "broken")

    def meanwhile():
        triage(created(newer), made.parts, SHIFT)
        return reply()

    made.analyst.answers += [meanwhile]
    run(made)

    assert (made.row(UPLOAD).version_id, made.row(UPLOAD).status) == ("v2", Status.FAILED)


def test_an_event_that_only_makes_the_version_newer_while_it_is_asked_about_is_not_forgotten():
    made = world()
    newer = upload(order=2)

    def meanwhile():
        triage(created(newer), made.parts, SHIFT)
        return reply()

    made.analyst.answers += [meanwhile]
    run(made)

    assert (made.row(UPLOAD).status, made.row(UPLOAD).sequencer) == (Status.DONE, newer.sequencer)


@pytest.mark.parametrize("sequencer", ["", upload(order=2).sequencer], ids=["expired", "removed"])
@pytest.mark.parametrize("version", ["v1", "v2"], ids=["the version itself", "a marker"])
def test_a_case_that_was_removed_is_dropped_without_a_call(version, sequencer):
    made = world(reply())
    made.objects.put(upload(version="v2"), None)
    follow(replace(UPLOAD, version_id=version, sequencer=sequencer), made.parts)
    run(made)

    assert made.row(UPLOAD).status is Status.REMOVED
    assert made.analyst.requests == []
