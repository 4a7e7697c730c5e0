"""GB-seconds per 100 documents: ten in an invocation of the deployed memory, and one in one of what it needs.

Warm, with the model at 1.0 s give or take 0.3. Memory is what bills: the share of a processor that Lambda
gives with less of it is not imitated here, which favours one document an invocation.

A function's memory is set before anybody knows which document comes, so what one document an invocation
needs is what the hungriest does; `samples` is what would do if there were no others than ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pigeonhole.extract.limits import OWN_BYTES, Limits
from tests.benchmarks.function import DEPLOYED_MB, Function, function, stack_at_rest, ten, watched

BATCHES = 8
MB = 1 << 20
# The console's own steps, and a tenth to spare: a function that fills its memory is killed.
STEP_MB, SPARE = 128, 1.1
# The least with which the largest document that we take may be read: the function and one reader.
LIMITS_MB = (OWN_BYTES + Limits().memory_bytes) // MB


def run(on: Path | None) -> Iterator[dict[str, Any]]:
    """`on` gives ten other documents than the samples, one of each format."""
    files = ten(on)
    with stack_at_rest() as stack:
        with function(stack) as deployed:
            deployed.sort(files)
            backlog = [deployed.sort(files).seconds for _ in range(BATCHES)]
            single = _one_by_one(deployed, files)
        with function(stack, LIMITS_MB) as small:
            with watched(small) as megabytes:
                _one_by_one(small, files)
            each = _one_by_one(small, files)
    yield figures(backlog, single, each, len(files), max(megabytes))


def figures(
    backlog: Sequence[float], single: Sequence[float], each: Sequence[float], batch: int, peak_mb: float
) -> dict[str, Any]:
    """Seconds of invocations, with `batch` documents in each of the backlog's and one in the others'."""
    samples_mb = needed(peak_mb)
    by_ten, by_one = billed(backlog, DEPLOYED_MB, batch), billed(each, LIMITS_MB, 1)
    alone, samples = billed(single, DEPLOYED_MB, 1), billed(each, samples_mb, 1)
    return {
        "backlog_gb_s": by_ten,
        "backlog_mb": DEPLOYED_MB,
        "one_each_gb_s": by_one,
        "one_each_mb": LIMITS_MB,
        "ratio": by_one / by_ten,
        "single_gb_s": alone,
        "ratio_to_single": alone / by_ten,
        "samples_peak_mb": peak_mb,
        "samples_mb": samples_mb,
        "samples_gb_s": samples,
        "ratio_to_samples": samples / by_ten,
    }


def billed(seconds: Sequence[float], memory_mb: int, documents: int) -> float:
    """GB-seconds per 100 documents of invocations with so many documents each."""
    return 100 * sum(seconds) * memory_mb / 1024 / (len(seconds) * documents)


def needed(peak_mb: float) -> int:
    """The memory to configure for such a peak."""
    return max(STEP_MB, -(-int(peak_mb * SPARE + 1) // STEP_MB) * STEP_MB)


def _one_by_one(running: Function, files: Sequence[Path]) -> list[float]:
    return [running.sort([file]).seconds for file in files]
