"""The benchmarks of bursts and caps: their limiter limits, and their figures are what they say."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from infra.local.offline_claude import Settings as Behaviour
from pigeonhole.domain.document import RateLimits
from pigeonhole.domain.row_attributes import Status
from pigeonhole.money.account import STACK, Cap
from tests.benchmarks import burst
from tests.benchmarks.crowd import Crowd

UNPACED = RateLimits(requests=1_000_000)


def new_crowd(documents: int, **how: Any) -> Crowd:
    crowd = Crowd(**how)
    crowd.drop(documents)
    crowd.hub.run(until=4 * 3600, quiet=crowd.is_at_rest)
    return crowd


def statuses(of: Crowd) -> Counter[int]:
    return Counter(call["status"] for call in of.ask_offline("GET", "ledger"))


def test_the_simulated_limit_refuses_what_comes_too_fast_and_nothing_else():
    behaviour = Behaviour(requests_per_minute=60, burst_s=5, latency_s=1)
    hurried = new_crowd(40, behaviour=behaviour, limits=UNPACED, places=4)
    paced = new_crowd(40, behaviour=behaviour, limits=RateLimits(requests=60), places=4)

    assert statuses(hurried)[429] > 0
    assert statuses(paced) == {200: 40}


def test_no_more_calls_pass_than_the_bucket_holds_and_is_refilled_with():
    calls = new_crowd(
        40, behaviour=Behaviour(requests_per_minute=60, burst_s=5, latency_s=1), limits=UNPACED, places=4
    ).ask_offline("GET", "ledger")
    passed = [datetime.fromisoformat(call["at"]).timestamp() for call in calls if call["status"] == 200]

    assert len(passed) == 40
    assert all(number <= 5 + at - passed[0] + 1e-3 for number, at in enumerate(passed, start=1))


def test_a_crowd_is_at_rest_when_the_rest_waits_for_money():
    cap = Cap(day=Decimal("0.003"), month=Decimal(1))
    waiting = new_crowd(20, behaviour=Behaviour(latency_s=1), caps={STACK: cap}, places=2)
    found = Counter(row.status for row in waiting.store.rows.values())

    assert found[Status.DONE] > 0
    assert found[Status.PARKED] == 20 - found[Status.DONE]
    assert waiting.ask_offline("GET", "bill")["usd"] <= 0.003


@pytest.mark.parametrize(
    ("passed", "share"),
    [
        pytest.param(list(range(1, 181)), 1.0, id="one a second of sixty a minute"),
        pytest.param(list(range(2, 181, 2)), 0.5, id="every other second"),
        pytest.param([*[0.0] * 60, *range(62, 181, 2)], 0.5, id="the first minute does not count"),
        pytest.param([0.0, 1.0], 1.0, id="all in the first minute"),
    ],
)
def test_goodput_is_the_part_of_the_limit_that_was_used_after_the_first_minute(passed, share):
    assert burst.goodput(passed, 60) == pytest.approx(share)
