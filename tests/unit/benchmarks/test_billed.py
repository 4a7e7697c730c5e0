"""What the benchmark of billed memory works out of what it measures."""

import pytest

from tests.benchmarks import billed


def test_gb_seconds_are_of_a_hundred_documents():
    assert billed.billed([1.0, 2.0], memory_mb=2048, documents=10) == pytest.approx(30)
    assert billed.billed([1.0, 2.0], memory_mb=512, documents=1) == pytest.approx(75)


@pytest.mark.parametrize(("peak", "memory"), [(1, 128), (116, 128), (117, 256), (230, 256), (400, 512)])
def test_memory_is_configured_in_steps_with_some_to_spare(peak, memory):
    assert billed.needed(peak) == memory
