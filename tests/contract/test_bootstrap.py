"""The composition root's own parts: the deadline of an invocation, the clock, randomness and threads."""

from __future__ import annotations

import threading
from datetime import UTC, timedelta
from types import SimpleNamespace

from pigeonhole.adapters.system import SystemClock, SystemRandomness, Threads
from pigeonhole.bootstrap import invocation_of
from pigeonhole.guards.lease import Invocation
from tests.support.builders import World
from tests.support.fakes import START


def test_an_invocation_leaves_time_for_the_last_writes():
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 100_000)

    assert invocation_of(context, World().services) == Invocation(deadline=START + timedelta(seconds=95))


def test_the_clock_tells_utc_and_waits():
    before = SystemClock().now()
    SystemClock().wait(0.01)

    assert before.tzinfo is UTC
    assert SystemClock().now() - before >= timedelta(seconds=0.009)


def test_no_two_names_are_the_same():
    assert len({SystemRandomness().token() for _ in range(1000)}) == 1000


def test_what_waits_together_does_not_return_together_and_never_too_early():
    waits = {SystemRandomness().jitter(100) for _ in range(100)}

    assert len(waits) > 90
    assert all(100 <= wait <= 120 for wait in waits)
    assert SystemRandomness().jitter(0) == 0


def test_threads_work_side_by_side_and_keep_the_order():
    meeting = threading.Barrier(4, timeout=30)

    def meet(number: int) -> int:
        meeting.wait()
        return number * 2

    assert Threads().map(meet, range(4)) == [0, 2, 4, 6]


def test_threads_have_nothing_to_do_for_nothing():
    assert Threads().map(str, []) == []
