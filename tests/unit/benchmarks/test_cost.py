"""What the benchmark of cost works out of what it measures."""

import pytest

from tests.benchmarks.cost import TRIES, WITHIN, Knob, nearest


@pytest.mark.parametrize("wanted", [5, 15, 30])
@pytest.mark.parametrize("step", [0.05, 0.35], ids=["fine", "as coarse as a long document"])
def test_the_knob_is_turned_until_the_share_of_sonnets_dollars_is_met(wanted, step):
    turned = []

    def measure(share):
        turned.append(share)
        return step * round((3 + 90 * share**1.2) / step)

    found = Knob(measure, float).nearest(wanted)

    assert found == pytest.approx(wanted, abs=WITHIN)
    assert len(turned) <= TRIES


def test_what_is_dearer_with_the_knob_at_rest_is_left_at_rest():
    assert Knob(lambda share: 20 + share, float).nearest(15) == 20.0


def test_where_one_document_is_too_much_they_are_taken_in_another_order():
    def measured(first):
        return lambda share: first if share == 0 else 80.0

    assert nearest([Knob(measured(first), float) for first in (28.0, 29.5, 30.1, 30.0)], 30) == 30.1
    assert nearest([Knob(measured(first), float) for first in (28.0, 29.5)], 30) == 29.5
