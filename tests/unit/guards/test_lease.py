"""Work in somebody's hands: what stands in its way is counted and settled, and no change is lost."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from pigeonhole.domain.document import Stage, Tier
from pigeonhole.domain.errors import RetryCause, StopAll, TryLater, WaitReason
from pigeonhole.domain.row_attributes import Status
from pigeonhole.guards.claimed_job import LeaseLostError
from pigeonhole.jobs.job import NeedsIsolationError, Task
from pigeonhole.jobs.stored import Write
from tests.support.builders import DEADLINE, INVOCATION, World, breaks, record, upload
from tests.support.fakes import START

UPLOAD = upload()
TASK = Task(upload=UPLOAD)
BUSY = TryLater("overloaded", seconds=30, cause=RetryCause.THROTTLED)
BILLED = TryLater("no answer", seconds=2, cause=RetryCause.BILLED)
WAIT = TryLater("a twin", seconds=15)


def fail_with(error: Exception) -> None:
    raise error


def attempt(world: World, error: Exception, *, isolated: bool = False) -> None:
    """An invocation in which the step ends in this error."""

    leases = world.services.leases
    if claimed := leases.claim(TASK, world.invocation(isolated=isolated)):
        with leases.handling_failures(claimed):
            raise error


def requeue(world: World, error: Exception, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(TryLater):
            attempt(world, error)


def test_a_claim_is_written_in_the_work_and_in_the_row():
    world = World()
    claim = world.claimed(TASK)

    assert claim.row == world.row(UPLOAD) == record(status=Status.PROCESSING).with_revision(1)
    assert claim.job == world.job(UPLOAD)
    assert claim.job.lease
    assert claim.job.lease.until == DEADLINE + timedelta(seconds=5)


def test_claimed_work_is_due_when_its_lease_and_its_message_must_be_gone():
    world = World()
    world.claimed(TASK)

    assert world.job(UPLOAD).wake_at == DEADLINE + timedelta(seconds=5 + 720)


def test_work_that_was_put_back_is_due_when_its_message_must_be_gone():
    world = World()
    requeue(world, WAIT)

    assert world.job(UPLOAD).wake_at == START + timedelta(seconds=15 + 720)
    assert world.job(UPLOAD).owner is None


def test_a_message_is_put_back_with_jitter():
    world = World()
    world.randomness.jitter = lambda seconds: seconds * 1.1  # type: ignore[method-assign]
    with pytest.raises(TryLater) as exc_info:
        attempt(world, BUSY)

    assert exc_info.value.seconds == pytest.approx(33)


def test_no_jitter_puts_a_message_back_for_longer_than_fifteen_minutes():
    world = World()
    world.randomness.jitter = lambda seconds: seconds * 1.2  # type: ignore[method-assign]
    with pytest.raises(TryLater) as exc_info:
        attempt(world, TryLater("overloaded", seconds=3600, cause=RetryCause.THROTTLED))

    assert exc_info.value.seconds == 900


def test_after_five_times_the_message_ends_and_the_document_is_parked():
    world = World()
    requeue(world, WAIT, 5)
    attempt(world, WAIT)

    row = world.row(UPLOAD)
    assert row.waiting
    assert (row.status, row.waiting.reason) == (Status.PARKED, "capacity")
    assert world.job(UPLOAD).wake_at == START + timedelta(minutes=15)
    assert world.job(UPLOAD).attempts.requeues == 0


@pytest.mark.parametrize(
    ("error", "kind"), [(BILLED, "billed_failures"), (BUSY, "throttles")], ids=["billed", "busy"]
)
def test_what_parks_a_document_counts_like_what_puts_it_back(error, kind):
    world = World()
    requeue(world, WAIT, 5)
    attempt(world, error)

    assert world.row(UPLOAD).status is Status.PARKED
    assert getattr(world.job(UPLOAD).attempts, kind) == 1


def test_a_parked_document_goes_on_with_a_new_order():
    world = World()
    attempt(world, StopAll(WaitReason.CLAUDE, "stop"))
    world.claimed(world.job(UPLOAD).task).complete(record())

    assert world.row(UPLOAD) == record().with_revision(world.row(UPLOAD).revision)


def test_twenty_busy_answers_fail_the_document_although_it_was_parked_between_them():
    world = World()
    for number in range(20):
        if (number + 1) % 6 and number < 19:
            requeue(world, BUSY)
        else:
            attempt(world, BUSY)
        world.clock.pass_by(60)

    row = world.row(UPLOAD)
    assert row.error
    assert (row.status, row.error.code, row.error.retryable) == (Status.FAILED, "upstream", True)


def test_waiting_alone_never_fails_a_document():
    world = World()
    for number in range(60):
        if (number + 1) % 6:
            requeue(world, WAIT)
        else:
            attempt(world, WAIT)

    assert world.row(UPLOAD).status is Status.PARKED


def test_three_calls_that_may_have_been_billed_fail_the_document():
    world = World()
    requeue(world, BILLED, 2)
    attempt(world, BILLED)

    row = world.row(UPLOAD)
    assert row.error
    assert (row.status, row.error.code) == (Status.FAILED, "upstream")


def test_a_crash_and_two_billed_calls_are_three_attempts():
    world = World()
    world.claimed(TASK)
    world.clock.pass_by(106)
    with pytest.raises(NeedsIsolationError):
        attempt(world, BILLED)
    with pytest.raises(TryLater):
        attempt(world, BILLED, isolated=True)
    attempt(world, BILLED, isolated=True)

    assert world.row(UPLOAD).status is Status.FAILED


def test_a_change_that_another_write_came_before_is_made_on_top_of_it():
    world = World()
    claim = world.claimed(TASK)
    before = world.job(UPLOAD)
    other = Write.of(before, replace(before, needs_vision=True)).after
    assert world.store.commit(Write(before=before, after=other))
    claim.complete(record())

    assert (world.job(UPLOAD).needs_vision, world.job(UPLOAD).stage) == (True, Stage.ENDED)
    assert world.row(UPLOAD) == record().with_revision(world.row(UPLOAD).revision)


def test_who_has_lost_the_work_writes_nothing_any_more():
    world = World()
    late = world.claimed(TASK)
    world.clock.pass_by(106)
    world.claimed(TASK, world.invocation(isolated=True))
    before = world.job(UPLOAD), world.row(UPLOAD)
    with pytest.raises(LeaseLostError):
        late.complete(record())

    assert (world.job(UPLOAD), world.row(UPLOAD)) == before


def test_who_was_overtaken_ends_without_an_outcome_and_without_a_word():
    world = World()
    older = world.claimed(TASK)
    newer = upload(version="v2", order=2)
    world.claimed(Task(upload=newer))
    before = world.row(UPLOAD)
    with pytest.raises(LeaseLostError):
        older.complete(record())

    assert world.row(UPLOAD) == before
    assert (world.job(UPLOAD).superseded, world.job(UPLOAD).wake_at) == (True, None)


def test_a_step_that_was_overtaken_ends_its_message():
    world = World()

    leases = world.services.leases
    claimed = leases.claim(TASK, INVOCATION)
    assert claimed
    with leases.handling_failures(claimed):
        world.claimed(Task(upload=upload(version="v2", order=2)))
        fail_with(BUSY)

    assert world.job(UPLOAD).superseded
    assert world.row(UPLOAD).version_id == "v2"


def test_a_higher_run_is_claimed_without_a_change_of_the_row():
    world = World()
    world.claimed(TASK).complete(record())
    world.claimed(Task(upload=UPLOAD, run=2))

    assert world.row(UPLOAD) == record().with_revision(world.row(UPLOAD).revision)
    assert world.job(UPLOAD, 2).draft.status is Status.PROCESSING


def test_a_lower_run_ends_when_a_higher_one_has_its_outcome():
    world = World()
    lower = world.claimed(TASK)
    higher = world.claimed(Task(upload=UPLOAD, run=2))
    higher.complete(record(run=2))
    with pytest.raises(LeaseLostError):
        lower.complete(record())

    assert world.row(UPLOAD) == record(run=2).with_revision(world.row(UPLOAD).revision)


def test_after_a_persons_word_work_in_flight_writes_nothing():
    world = World()
    claim = world.claimed(TASK)
    world.store.rows[UPLOAD.document] = record(tier=Tier.HUMAN)
    with pytest.raises(LeaseLostError):
        claim.complete(record())

    assert world.row(UPLOAD) == record(tier=Tier.HUMAN).with_revision(world.row(UPLOAD).revision)
    assert world.services.leases.claim(TASK, INVOCATION) is None


def test_when_others_change_the_same_work_without_end_it_is_tried_later():
    world = World()
    world.store.commit = lambda *writes, **_: False  # type: ignore[method-assign]

    with pytest.raises(TryLater, match="others are changing"):
        world.services.leases.claim(TASK, INVOCATION)


@pytest.mark.parametrize("error", [WAIT, StopAll(WaitReason.CLAUDE, "stop")], ids=["wait", "stop"])
@pytest.mark.parametrize(("times", "lease"), [(1, False), (60, True)], ids=["once", "for long"])
def test_a_busy_table_is_asked_again_before_the_lease_is_left_to_its_end(error, times, lease):
    world = World()

    leases = world.services.leases
    claimed = leases.claim(TASK, INVOCATION)
    assert claimed
    with suppress(TryLater), leases.handling_failures(claimed):
        breaks(world.store, "commit", TryLater("DynamoDB", seconds=2), times=times)
        raise error

    assert (world.job(UPLOAD).owner is not None) is lease


def test_why_a_message_comes_again_is_said_once():
    with pytest.raises(TryLater, match=r"^a twin, try again in 15 s$"):
        attempt(World(), WAIT)


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_an_outcome_says_how_many_attempts_it_took(failures):
    world = World()
    requeue(world, BILLED, failures)
    world.claimed(TASK).complete(record())

    assert world.row(UPLOAD).attempts == failures + 1


def test_what_was_given_up_after_three_attempts_took_three():
    world = World()
    requeue(world, BILLED, 2)
    attempt(world, BILLED)

    assert world.row(UPLOAD).attempts == 3
