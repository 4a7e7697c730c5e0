"""`infra/chaos`: as many histories as wanted; its last line says in JSON what broke and what was thrown."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.history import Verdict, play, shortened

BROKEN = ("lost", "stale", "stuck", "double_paid_outside_window", "events_missing", "over_cap", "miscounted")
THROWN = ("calls", "crashes", "cuts", "throttles", "duplicates", "reordered", "removals")
_SHOWN = 5


def main() -> int:
    """Exit 0 when every history kept every promise, else 1."""
    asked = _arguments()
    began = time.monotonic()
    failed, summary = _summary(_played(asked.start, asked.seeds), asked.seeds)
    rate = asked.seeds / max(time.monotonic() - began, 0.001)
    print(f"{asked.seeds} histories, {rate:.0f} a second", file=sys.stderr)
    for seed in failed[:_SHOWN]:
        _tell(seed)
    print(json.dumps(summary))
    return 1 if failed else 0


def _summary(verdicts: Iterable[Verdict], seeds: int) -> tuple[list[int], dict[str, int]]:
    broken: Counter[str] = Counter()
    thrown: Counter[str] = Counter()
    failed: list[int] = []
    double_paid = 0
    for verdict in verdicts:
        broken += Counter(dict.fromkeys(verdict.broken, 1))
        thrown += Counter(dict.fromkeys((name for name in THROWN if verdict.thrown[name]), 1))
        double_paid += verdict.double_paid
        failed += [verdict.seed] if verdict.broken else []
    counts = {name: broken[name] for name in BROKEN}
    return failed, {"histories": seeds, "double_paid": double_paid} | counts | {n: thrown[n] for n in THROWN}


def _played(start: int, seeds: int) -> Iterator[Verdict]:
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for number, verdict in enumerate(pool.map(play, range(start, start + seeds), chunksize=25), 1):
            if number % 1000 == 0:
                print(f"{number} of {seeds}", file=sys.stderr)
            yield verdict


def _tell(seed: int) -> None:
    """A failing seed's history, without what it does not need to fail."""
    ops = shortened(seed)
    print(f"\nseed {seed} fails; the least history that does:", file=sys.stderr)
    for op in ops:
        print(f"  {op.at:8.1f} s  {op.what:13} {op.key}  {op.content.decode()}", file=sys.stderr)
    for detail in play(seed, ops).details:
        print(f"  {detail}", file=sys.stderr)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="infra/chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many histories")
    parser.add_argument("--from", type=int, default=0, dest="start", help="the first seed")
    parser.add_argument("--json", action="store_true", help="nothing but the last line, which is JSON anyway")
    asked = parser.parse_args()
    if asked.seeds < 1:
        parser.error("--seeds is a number of histories from 1 on")
    return asked


if __name__ == "__main__":
    sys.exit(main())
