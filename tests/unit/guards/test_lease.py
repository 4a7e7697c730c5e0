"""Work in somebody's hands: what stands in its way is counted and settled, and no change is lost."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from pigeonhole.domain.document import Stage, StopAll, TryLater
from pigeonhole.domain.record import Status
from pigeonhole.guards.lease import LostError, change, close, handle, take
from pigeonhole.jobs.job import Order, WorkAloneError
from tests.support.builders import DEADLINE, SHIFT, World, breaks, record, upload
from tests.support.fakes import START

UPLOAD = upload()
ORDER = Order(upload=UPLOAD)
BUSY = TryLater("overloaded", seconds=30, busy=True)
BILLED = TryLater("no answer", seconds=2, billed=True)
WAIT = TryLater("a twin", seconds=15)


def attempt(world: World, error: Exception, *, alone: bool = False) -> None:
    """An invocation in which the step ends in this error."""

    def step(*_: object) -> None:
        raise error

    handle(ORDER, step, world.parts, world.shift(alone=alone))


def put_back(world: World, error: Exception, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(TryLater):
            attempt(world, error)


def test_a_claim_is_written_in_the_work_and_in_the_row():
    world = World()
    claim = world.claimed(ORDER, SHIFT)

    assert claim.row == world.row(UPLOAD) == record(status=Status.PROCESSING)
    assert claim.work == world.work(UPLOAD)
    assert claim.work.lease_until == DEADLINE + timedelta(seconds=5)


def test_claimed_work_is_due_when_its_lease_and_its_message_must_be_gone():
    world = World()
    world.claimed(ORDER, SHIFT)

    assert world.work(UPLOAD).due == DEADLINE + timedelta(seconds=5 + 720)


def test_work_that_was_put_back_is_due_when_its_message_must_be_gone():
    world = World()
    put_back(world, WAIT)

    assert world.work(UPLOAD).due == START + timedelta(seconds=15 + 720)
    assert world.work(UPLOAD).owner is None


def test_a_message_is_put_back_with_jitter():
    world = World()
    world.chance.jitter = lambda seconds: seconds * 1.1  # type: ignore[method-assign]
    with pytest.raises(TryLater) as told:
        attempt(world, BUSY)

    assert told.value.seconds == pytest.approx(33)


def test_no_jitter_puts_a_message_back_for_longer_than_fifteen_minutes():
    world = World()
    world.chance.jitter = lambda seconds: seconds * 1.2  # type: ignore[method-assign]
    with pytest.raises(TryLater) as told:
        attempt(world, TryLater("overloaded", seconds=3600, busy=True))

    assert told.value.seconds == 900


def test_after_five_times_the_message_ends_and_the_document_is_parked():
    world = World()
    put_back(world, WAIT, 5)
    attempt(world, WAIT)

    row = world.row(UPLOAD)
    assert row.waiting
    assert (row.status, row.waiting.reason) == (Status.PARKED, "capacity")
    assert world.work(UPLOAD).due == START + timedelta(minutes=15)
    assert world.work(UPLOAD).put_backs == 0


@pytest.mark.parametrize(
    ("error", "kind"), [(BILLED, "failures"), (BUSY, "refusals")], ids=["billed", "busy"]
)
def test_what_parks_a_document_counts_like_what_puts_it_back(error, kind):
    world = World()
    put_back(world, WAIT, 5)
    attempt(world, error)

    assert world.row(UPLOAD).status is Status.PARKED
    assert getattr(world.work(UPLOAD), kind) == 1


def test_a_parked_document_goes_on_with_a_new_order():
    world = World()
    attempt(world, StopAll("claude", "stop"))
    handle(
        world.work(UPLOAD).order, lambda claim, *_: close(claim, record(), world.parts), world.parts, SHIFT
    )

    assert world.row(UPLOAD) == record()


def test_twenty_busy_answers_fail_the_document_although_it_was_parked_between_them():
    world = World()
    for number in range(20):
        if (number + 1) % 6 and number < 19:
            put_back(world, BUSY)
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
            put_back(world, WAIT)
        else:
            attempt(world, WAIT)

    assert world.row(UPLOAD).status is Status.PARKED


def test_three_calls_that_may_have_been_billed_fail_the_document():
    world = World()
    put_back(world, BILLED, 2)
    attempt(world, BILLED)

    row = world.row(UPLOAD)
    assert row.error
    assert (row.status, row.error.code) == (Status.FAILED, "upstream")


def test_a_crash_and_two_billed_calls_are_three_attempts():
    world = World()
    world.claimed(ORDER)
    world.clock.pass_by(106)
    with pytest.raises(WorkAloneError):
        attempt(world, BILLED)
    with pytest.raises(TryLater):
        attempt(world, BILLED, alone=True)
    attempt(world, BILLED, alone=True)

    assert world.row(UPLOAD).status is Status.FAILED


def test_a_change_that_another_write_came_before_is_made_on_top_of_it():
    world = World()
    claim = world.claimed(ORDER)
    change(claim, lambda work: replace(work, eyes=True), world.parts)
    close(claim, record(), world.parts)

    assert (world.work(UPLOAD).eyes, world.work(UPLOAD).stage) == (True, Stage.ENDED)
    assert world.row(UPLOAD) == record()


def test_who_has_lost_the_work_writes_nothing_any_more():
    world = World()
    late = world.claimed(ORDER)
    world.clock.pass_by(106)
    world.claimed(ORDER, world.shift(alone=True))
    before = world.work(UPLOAD), world.row(UPLOAD)
    with pytest.raises(LostError):
        close(late, record(), world.parts)

    assert (world.work(UPLOAD), world.row(UPLOAD)) == before


def test_who_was_overtaken_ends_without_an_outcome_and_without_a_word():
    world = World()
    older = world.claimed(ORDER)
    newer = upload(version="v2", order=2)
    world.claimed(Order(upload=newer))
    before = world.row(UPLOAD)
    with pytest.raises(LostError):
        close(older, record(), world.parts)

    assert world.row(UPLOAD) == before
    assert (world.work(UPLOAD).superseded, world.work(UPLOAD).due) == (True, None)


def test_a_step_that_was_overtaken_ends_its_message():
    world = World()

    def step(claim, parts, shift) -> None:
        world.claimed(Order(upload=upload(version="v2", order=2)))
        raise BUSY

    handle(ORDER, step, world.parts, SHIFT)

    assert world.work(UPLOAD).superseded
    assert world.row(UPLOAD).version_id == "v2"


def test_a_higher_run_is_claimed_without_a_change_of_the_row():
    world = World()
    close(world.claimed(ORDER), record(), world.parts)
    world.claimed(Order(upload=UPLOAD, run=2))

    assert world.row(UPLOAD) == record()
    assert world.work(UPLOAD, 2).draft.status is Status.PROCESSING


def test_a_lower_run_ends_when_a_higher_one_has_its_outcome():
    world = World()
    lower = world.claimed(ORDER)
    higher = world.claimed(Order(upload=UPLOAD, run=2))
    close(higher, record(run=2), world.parts)
    with pytest.raises(LostError):
        close(lower, record(), world.parts)

    assert world.row(UPLOAD) == record(run=2)


def test_after_a_persons_word_work_in_flight_writes_nothing():
    world = World()
    claim = world.claimed(ORDER)
    world.ledger.rows[UPLOAD.document] = record(tier="human")
    with pytest.raises(LostError):
        close(claim, record(), world.parts)

    assert world.row(UPLOAD) == record(tier="human")
    assert take(ORDER, world.parts, SHIFT) is None


def test_when_others_change_the_same_work_without_end_it_is_tried_later():
    world = World()
    world.ledger.swap = lambda *swaps, **_: False  # type: ignore[method-assign]

    with pytest.raises(TryLater, match="others are changing"):
        take(ORDER, world.parts, SHIFT)


@pytest.mark.parametrize("error", [WAIT, StopAll("claude", "stop")], ids=["wait", "stop"])
@pytest.mark.parametrize(("times", "lease"), [(1, False), (60, True)], ids=["once", "for long"])
def test_a_busy_table_is_asked_again_before_the_lease_is_left_to_its_end(error, times, lease):
    world = World()

    def step(*_: object) -> None:
        breaks(world.ledger, "swap", TryLater("DynamoDB", seconds=2), times=times)
        raise error

    with suppress(TryLater):
        handle(ORDER, step, world.parts, SHIFT)

    assert (world.work(UPLOAD).owner is not None) is lease


def test_why_a_message_comes_again_is_said_once():
    with pytest.raises(TryLater, match=r"^a twin, try again in 15 s$"):
        attempt(World(), WAIT)


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_an_outcome_says_how_many_attempts_it_took(failures):
    world = World()
    put_back(world, BILLED, failures)
    close(world.claimed(ORDER), record(), world.parts)

    assert world.row(UPLOAD).attempts == failures + 1


def test_what_was_given_up_after_three_attempts_took_three():
    world = World()
    put_back(world, BILLED, 2)
    attempt(world, BILLED)

    assert world.row(UPLOAD).attempts == 3
