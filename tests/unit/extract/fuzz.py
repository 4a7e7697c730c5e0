"""A long fuzzing run that follows coverage: what reaches new lines of ours is kept and damaged further.

    python -m tests.unit.extract.fuzz [--seconds N] [--seed N] [--keep DIR] [NAME…]

Each round is a fork, so that a library that takes its process down ends a round, not the run. It prints
what was found: a reader of ours that raises anything but a DocumentError, and what broke its process.
Exit 1 when a reader of ours is at fault.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import registry, sniff
from pigeonhole.extract.interface import DocumentQuota, Source
from pigeonhole.extract.limits import Limits
from pigeonhole.extract.tidy import tidy_segments
from tests.unit.extract.mutations import SEEDS, mutated

ROUND = 200
SLOW_SECONDS = 5
LIMITS = Limits(chars=50_000, vision_pages=1, image_px=100)
TOOL = 4
OURS = str(Path(registry.__file__).parent)


class LineCoverage:
    """The lines of the readers that ran, each reported once: a line that runs again costs nothing."""

    def __init__(self, seen: set[str]) -> None:
        self.seen = seen
        self.fresh = False
        monitoring: Any = vars(sys)["monitoring"]  # Python 3.12 and later
        self._done = monitoring.DISABLE
        monitoring.use_tool_id(TOOL, "fuzz")
        monitoring.register_callback(TOOL, monitoring.events.LINE, self._ran)
        monitoring.set_events(TOOL, monitoring.events.LINE)

    def _ran(self, code: object, line: int) -> object:
        file = str(getattr(code, "co_filename", ""))
        if file.startswith(OURS) and (place := f"{file[len(OURS) :]}:{line}") not in self.seen:
            self.seen.add(place)
            self.fresh = True
        return self._done


def outcome_of(data: bytes, name: str) -> str:
    """What came of it: `text`, an error's code, or the place in our code that raised anything else."""
    try:
        format_name = sniff.detect_format(data, name)
        source = Source(
            format_name=format_name, name=name, data=data, limits=LIMITS, quota=DocumentQuota(LIMITS)
        )
        for _ in tidy_segments(registry.read(source), LIMITS):
            pass
    except DocumentError as error:
        return error.code
    except (MemoryError, RecursionError) as error:
        return type(error).__name__
    except BaseException as error:  # noqa: BLE001  it is what we look for, panics in Rust too
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"! {type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
    return "text"


def round_of(corpus: dict[str, list[bytes]], seen: set[str], chance: random.Random, notes: Path) -> None:
    """Damage some documents; write down each before it is tried, and what came of it after."""
    resource.setrlimit(resource.RLIMIT_AS, (LIMITS.memory_bytes, LIMITS.memory_bytes))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    lines = LineCoverage(seen)
    found: list[tuple[str, str, str]] = []
    for _ in range(ROUND):
        name = chance.choice(list(corpus))
        data = mutated(chance.choice(corpus[name]), chance)
        (notes / "now").write_bytes(data)
        signal.alarm(SLOW_SECONDS)
        lines.fresh = False
        outcome = outcome_of(data, name)
        fault = outcome.startswith("!")
        if fault or lines.fresh:
            (notes / f"{len(found)}.bin").write_bytes(data)
            found.append((name, outcome, f"{len(found)}.bin"))
        else:
            found.append((name, outcome, ""))
        (notes / "found.json").write_text(json.dumps(found))
    (notes / "seen.json").write_text(json.dumps(sorted(lines.seen)))


def main() -> int:
    """Rounds until the time is up."""
    parser = argparse.ArgumentParser(description="Fuzzes the readers, following coverage.")
    parser.add_argument("names", nargs="*", help="vectors to start from; all of them when none is named")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=None, help="where documents that found something go")
    arguments = parser.parse_args()
    corpus = {name: [data] for name, data in SEEDS.items() if not arguments.names or name in arguments.names}
    seen: set[str] = set()
    outcomes, end, number = Counter[str](), time.monotonic() + arguments.seconds, arguments.seed
    while time.monotonic() < end:
        number += 1
        outcomes += _one_round(corpus, seen, number, arguments.keep)
    kept = sum(map(len, corpus.values()))
    print(
        json.dumps(
            {
                "rounds": number - arguments.seed,
                "kept": kept,
                "lines": len(seen),
                "outcomes": dict(outcomes.most_common()),
            },
            indent=1,
        )
    )
    return int(any(outcome.startswith("!") for outcome in outcomes))


def _one_round(corpus: dict[str, list[bytes]], seen: set[str], seed: int, keep: Path | None) -> Counter[str]:
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder)
        pid = os.fork()
        if pid == 0:
            try:
                round_of(corpus, seen, random.Random(seed), notes)
            finally:
                os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        lines = notes / "seen.json"
        seen.update(json.loads(lines.read_text()) if lines.exists() else ())
        return _add_findings(corpus, notes, code, keep)


def _add_findings(corpus: dict[str, list[bytes]], notes: Path, code: int, keep: Path | None) -> Counter[str]:
    listed = notes / "found.json"
    found = json.loads(listed.read_text() or "[]") if listed.exists() else []
    outcomes = Counter(outcome for _, outcome, _ in found)
    for name, outcome, file in found:
        if file:
            corpus[name].append((notes / file).read_bytes())
            if keep and outcome.startswith("!"):
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{abs(hash(outcome))}-{name}").write_bytes((notes / file).read_bytes())
    if code < 0:
        outcomes[f"broke its process: {signal.Signals(-code).name}"] += 1
        if keep:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{signal.Signals(-code).name}-{time.time_ns()}").write_bytes(
                (notes / "now").read_bytes()
            )
    return outcomes


if __name__ == "__main__":
    raise SystemExit(main())
