"""How much longer a warm batch of ten documents takes than the slowest of its calls to the model."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.function import function, stack_at_rest, ten

WARM_UP, BATCHES = 2, 10


def run(on: Path | None) -> Iterator[dict[str, Any]]:
    """Against the local AWS, on the processors that all of it shares; `on` gives ten other documents."""
    with stack_at_rest() as stack, function(stack) as triage:
        measured = [triage.sort(ten(on)) for _ in range(WARM_UP + BATCHES)][WARM_UP:]
    ratios = [one.seconds / one.slowest_call for one in measured]
    yield {
        "overhead": statistics.median(ratios),
        "p90": statistics.quantiles(ratios, n=10)[-1],
        "least": min(ratios),
        "batch_seconds": statistics.median(one.seconds for one in measured),
        "slowest_call_seconds": statistics.median(one.slowest_call for one in measured),
        "cpu_seconds": statistics.median(one.cpu_seconds for one in measured),
        "batches": len(measured),
    }
