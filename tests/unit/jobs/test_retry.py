"""What becomes of a job that could not go on: what counts as an attempt, and when it is requeued, parked or
given up."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from pigeonhole.domain.error_codes import ErrorCode
from pigeonhole.domain.errors import OverCap, RetryCause, StopAll, TryLater, WaitReason
from pigeonhole.jobs.job import Attempts, CapWait, GiveUp, Park, Requeue
from pigeonhole.jobs.retry import decide_retry, with_failure
from tests.support.builders import job
from tests.support.fakes import START

BILLED = TryLater("no answer", seconds=2, cause=RetryCause.BILLED)
THROTTLED = TryLater("overloaded", seconds=30, cause=RetryCause.THROTTLED)
WAITING = TryLater("identical request in flight", seconds=15)
UNCERTAIN = TryLater("the table did not answer", seconds=2, cause=RetryCause.UNCERTAIN)
STOP = StopAll(WaitReason.CLAUDE, "stop")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


# Attempts.


@pytest.mark.parametrize(
    ("crashes", "failures", "code"),
    [
        (0, 0, None),
        (2, 0, None),
        (1, 1, None),
        (0, 2, None),
        (3, 0, "crashed"),
        (2, 1, "crashed"),
        (1, 2, "upstream"),
        (0, 3, "upstream"),
        (9, 9, "upstream"),
    ],
)
def test_three_attempts_of_either_kind_are_enough_and_most_of_them_name_the_error(crashes, failures, code):
    assert job(crashes=crashes, billed_failures=failures).attempts.exhausted_as == code


def test_a_call_that_may_have_been_billed_is_an_attempt():
    once = with_failure(job(), BILLED, START)
    twice = with_failure(once, BILLED, START)

    assert (once.attempts.billed_failures, twice.attempts.billed_failures) == (1, 2)
    assert decide_retry(twice, BILLED, START) == Requeue(2)
    assert decide_retry(with_failure(twice, BILLED, START), BILLED, START) == GiveUp(ErrorCode.UPSTREAM)


def test_a_billed_failure_after_two_crashes_gives_up_as_a_failing_service():
    last = with_failure(job(crashes=2), BILLED, START)

    assert decide_retry(last, BILLED, START) == GiveUp(ErrorCode.UPSTREAM)


@pytest.mark.parametrize(
    "error", [THROTTLED, WAITING, UNCERTAIN, STOP], ids=["throttled", "waiting", "uncertain", "stop"]
)
def test_nothing_else_is_an_attempt(error):
    attempts = with_failure(job(), error, START).attempts

    assert (attempts.billed_failures, attempts.crashes, attempts.exhausted_as) == (0, 0, None)


@pytest.mark.parametrize("error", [WAITING, UNCERTAIN, STOP], ids=["waiting", "uncertain", "stop"])
def test_waiting_leaves_the_job_as_it_is(error):
    assert with_failure(job(), error, START) == job()


def test_twenty_throttles_of_claude_within_a_day_are_enough():
    tried = job()
    for _ in range(19):
        tried = with_failure(tried, THROTTLED, START)
    assert decide_retry(tried, THROTTLED, START) == Requeue(30)
    last = at(24 * 3600)
    assert decide_retry(with_failure(tried, THROTTLED, last), THROTTLED, last) == GiveUp(ErrorCode.UPSTREAM)


def test_throttles_of_the_day_before_are_forgotten():
    tried = job(throttles=19, throttled_since=START)
    attempts = with_failure(tried, THROTTLED, at(24 * 3600 + 1)).attempts

    assert attempts == Attempts(throttles=1, throttled_since=at(24 * 3600 + 1))


def test_waiting_is_no_throttle():
    assert with_failure(job(throttles=19, throttled_since=START), WAITING, START).attempts.throttles == 19


# Requeued, parked.


def test_a_message_is_requeued_for_as_long_as_was_asked_and_at_most_fifteen_minutes():
    assert decide_retry(job(), WAITING, START) == Requeue(15)
    assert decide_retry(job(), TryLater("later", seconds=901), START) == Requeue(900)


@pytest.mark.parametrize("error", [THROTTLED, WAITING, BILLED], ids=["throttled", "waiting", "billed"])
def test_a_message_is_requeued_five_times_and_then_parked(error):
    assert decide_retry(job(requeues=4), error, START) == Requeue(error.seconds)
    assert decide_retry(job(requeues=5), error, START) == Park(WaitReason.CAPACITY, at(900))


@pytest.mark.parametrize("until", [None, at(86_400)], ids=["no end", "a day"])
def test_what_stops_all_parks_for_its_reason_until_its_end(until):
    stop = StopAll(WaitReason.SPEND_CAP, "the limit", until=until)

    assert decide_retry(job(), stop, START) == Park(WaitReason.SPEND_CAP, until)


def test_a_job_over_a_cap_is_parked_with_the_money_that_it_waits_for():
    over = OverCap("team:finance", Decimal("0.5"), "the limit", until=at(86_400))

    assert decide_retry(job(), over, START) == Park(
        WaitReason.SPEND_CAP, at(86_400), CapWait(account="team:finance", usd=Decimal("0.5"))
    )


def test_to_count_a_failure_changes_nothing_but_the_attempts():
    counted = with_failure(job(owner="somebody", crashes=1), BILLED, START)

    assert replace(counted, attempts=Attempts(crashes=1)) == job(owner="somebody", crashes=1)
