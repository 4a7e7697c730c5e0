"""The second opinion again: duplicates, leases, crashes and newer events cost nothing and lose nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from pigeonhole.domain.document import Stage
from pigeonhole.domain.errors import RetryCause, StopAll, TryLater, WaitReason
from pigeonhole.domain.row_attributes import Status
from pigeonhole.jobs.job import Task
from tests.support.builders import DEADLINE, World, breaks, created, ends, reply, reserves, upload

TEXT = "Amount due: 12"
UPLOAD = upload()
DOUBTFUL = reply(confidence=60)
BUSY = TryLater("DynamoDB", seconds=2)
BILLED = TryLater("no answer", seconds=2, cause=RetryCause.BILLED)


def new_world(*answers) -> World:
    """A world in which triage has handed the upload over, and Claude has these answers."""
    world = World()
    world.put(UPLOAD, TEXT)
    world.claude.answers += [DOUBTFUL]
    world.triage(created(UPLOAD))
    world.claude.answers += answers
    world.claude.requests.clear()
    return world


def run(world: World) -> None:
    world.escalate(world.handed[0])


def test_a_second_message_about_the_same_case_is_a_no_op():
    world = new_world(reply())
    run(world)
    before = world.row(UPLOAD)
    run(world)

    assert world.row(UPLOAD) == before
    assert len(world.claude.requests) == 1


@pytest.mark.parametrize("is_leased", [True, False], ids=["under way", "requeued"])
def test_a_message_that_comes_before_its_stage_ends_since_triage_sends_another(is_leased):
    world = World()
    world.put(UPLOAD, TEXT)
    if is_leased:
        world.claimed(Task(upload=UPLOAD))
    else:
        world.claude.answers += [BILLED]
        with pytest.raises(TryLater):
            world.triage(created(UPLOAD))
    before = world.job(UPLOAD)
    world.escalate(Task(upload=UPLOAD, stage=Stage.ESCALATION))

    assert world.job(UPLOAD) == before


def test_while_another_invocation_has_the_lease_the_message_waits_until_it_has_ended():
    world = new_world()
    world.claimed(world.handed[0], world.invocation(75))

    with pytest.raises(TryLater) as exc_info:
        run(world)

    assert 80 <= exc_info.value.seconds <= 82


def test_a_strong_reply_that_was_paid_for_is_not_asked_for_again():
    world = new_world(reply())
    breaks(world.store, "commit", BUSY, when=ends, times=2)
    with pytest.raises(TryLater):
        run(world)
    run(world)

    assert world.row(UPLOAD).status is Status.DONE
    assert world.row(UPLOAD).cost_usd == Decimal("0.00315")
    assert len(world.claude.requests) == 1


def test_no_call_begins_that_would_outlast_the_invocation():
    world = new_world(reply())
    world.clock.time = DEADLINE - timedelta(seconds=29)
    with pytest.raises(TryLater) as exc_info:
        run(world)

    assert exc_info.value.seconds == 0
    assert world.claude.requests == []
    assert world.row(UPLOAD).status is Status.ESCALATED


@pytest.mark.parametrize(
    ("port", "method", "when"),
    [
        ("artifacts", "text", None),
        ("claude", "ask", None),
        ("store", "commit", reserves),
        ("store", "commit", ends),
    ],
)
def test_whatever_is_busy_the_case_is_requeued_and_the_next_try_succeeds(port, method, when):
    world = new_world(reply())
    times = 2 if when is ends else 1
    breaks(getattr(world, port), method, BUSY, when=when or (lambda *args, **kwargs: True), times=times)
    with pytest.raises(TryLater):
        run(world)
    assert world.row(UPLOAD).status is Status.ESCALATED
    run(world)

    assert world.row(UPLOAD).status is Status.DONE


def test_while_claude_says_stop_the_case_is_parked_with_the_fast_answer_and_goes_on_from_there():
    world = new_world(StopAll(WaitReason.CLAUDE, "spend limit"), reply())
    run(world)

    row = world.row(UPLOAD)
    assert row.waiting
    assert (row.status, row.waiting.stage, row.category) == (Status.PARKED, "escalation", "invoice")
    world.store.breakers.clear()
    run(world)
    assert (world.row(UPLOAD).status, world.row(UPLOAD).waiting) == (Status.DONE, None)


def test_the_attempts_of_the_first_pass_do_not_count():
    world = World()
    world.put(UPLOAD, TEXT)
    world.claude.answers += [BILLED, BILLED, DOUBTFUL]
    for _ in range(2):
        with pytest.raises(TryLater):
            world.triage(created(UPLOAD))
    world.triage(created(UPLOAD))
    world.claude.answers += [BILLED, reply()]
    with pytest.raises(TryLater):
        run(world)
    run(world)

    assert world.row(UPLOAD).status is Status.DONE


def test_after_three_calls_that_brought_nothing_the_fast_answer_goes_to_a_person():
    world = new_world(BILLED, BILLED, BILLED)
    for _ in range(2):
        with pytest.raises(TryLater):
            run(world)
    run(world)

    row = world.row(UPLOAD)
    assert (row.status, row.review_reasons, row.category) == (Status.NEEDS_REVIEW, ("upstream",), "invoice")


def test_a_case_that_a_newer_upload_has_overtaken_is_dropped_without_a_call():
    world = new_world()
    newer = world.put(upload(version="v2", order=2), "broken")
    world.triage(created(newer))
    run(world)

    assert world.row(UPLOAD).version_id == "v2"
    assert world.claude.requests == []
    assert world.job(UPLOAD).superseded


def test_a_case_that_is_overtaken_while_it_is_read_does_not_touch_the_newer_row():
    world = new_world()
    newer = world.put(upload(version="v2", order=2), "broken")

    def meanwhile():
        world.triage(created(newer))
        return reply()

    world.claude.answers += [meanwhile]
    run(world)

    assert (world.row(UPLOAD).version_id, world.row(UPLOAD).status) == ("v2", Status.FAILED)


def test_an_event_that_only_makes_the_version_newer_while_it_is_asked_about_is_not_forgotten():
    world = new_world()
    newer = upload(order=2)

    def meanwhile():
        world.triage(created(newer))
        return reply()

    world.claude.answers += [meanwhile]
    run(world)

    assert (world.row(UPLOAD).status, world.row(UPLOAD).sequencer) == (Status.DONE, newer.sequencer)


@pytest.mark.parametrize("sequencer", ["", upload(order=2).sequencer], ids=["expired", "removed"])
@pytest.mark.parametrize("version", ["v1", "v2"], ids=["the version itself", "a marker"])
def test_a_case_that_was_removed_is_dropped_without_a_call(version, sequencer):
    world = new_world(reply())
    world.objects.put(upload(version="v2"), None)
    world.sync(replace(UPLOAD, version_id=version, sequencer=sequencer))
    run(world)

    assert world.row(UPLOAD).status is Status.REMOVED
    assert world.claude.requests == []
