"""The simulation finds what it is there to find: each promise, broken on purpose, shows within some seeds."""

from __future__ import annotations

import pytest

from tests.simulation.history import play
from tests.simulation.mutations import MUTATIONS, Mutation

WITHIN = 1500


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_code_that_makes_this_mistake_is_found(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    mutation.make(monkeypatch)
    found = next((seed for seed in range(WITHIN) if mutation.shows & set(play(seed).broken)), None)
    assert found is not None
