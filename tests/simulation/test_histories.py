"""What must always hold, over a fixed set of histories; `infra/chaos` plays any others."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.simulation.history import Verdict, ops_of, play, shortened
from tests.simulation.run import THROWN

SEEDS = range(1500)


@pytest.fixture(scope="module")
def verdicts() -> list[Verdict]:
    return [play(seed) for seed in SEEDS]


@pytest.mark.timeout(120)
def test_every_history_keeps_every_promise(verdicts: list[Verdict]) -> None:
    broken = {verdict.seed: verdict.details for verdict in verdicts if verdict.broken}
    if broken:
        seed = min(broken)
        pytest.fail(f"{len(broken)} fail, the first: seed {seed}, {shortened(seed)}: {broken[seed]}")


@pytest.mark.parametrize("thrown", THROWN)
def test_a_quarter_of_the_histories_or_more_meets_every_unkindness(
    verdicts: list[Verdict], thrown: str
) -> None:
    assert sum(verdict.thrown[thrown] > 0 for verdict in verdicts) >= len(SEEDS) / 4


def test_a_seed_plays_the_same_history_every_time() -> None:
    first, second = play(7), play(7)
    assert first.thrown == second.thrown
    assert len(first.trace) == len(second.trace)


def test_histories_differ() -> None:
    assert len(Counter(str(ops_of(seed)) for seed in range(50))) == 50
