"""What the benchmark of cost works out of what it measures."""

import pytest

from tests.benchmarks import cost


@pytest.mark.parametrize("wanted", [5, 15, 30])
@pytest.mark.parametrize("step", [0.05, 0.35], ids=["fine", "as coarse as a long document"])
def test_the_knob_is_turned_until_the_share_of_sonnets_dollars_is_met(wanted, step):
    turned = []

    def percent(share):
        turned.append(share)
        return step * round((3 + 90 * share**1.2) / step)

    found = cost.search(percent, float, wanted, percent(0.0))

    assert found == pytest.approx(wanted, abs=cost.WITHIN)
    assert len(turned) <= cost.TRIES


def test_what_is_dearer_with_the_knob_at_rest_is_left_at_rest():
    assert cost.search(lambda share: 20 + share, float, 15, 20.0) == 20.0
