"""Many documents at once against a limit of requests a minute: how much of it is used, how many refused."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from infra.local.lifecycle import StackOptions, local_stack
from infra.local.offline_claude import Settings as Behaviour
from infra.ops.rows import Row
from infra.ops.stack import OUTCOMES, NoProgress, Stack
from tests.benchmarks.crowd import Crowd, invoice

MINUTE_S = 60.0
SIMULATED, SIMULATED_PER_MINUTE = 5_000, 1_000
LOCAL, LOCAL_PER_MINUTE = 300, 60
# Calls take 1 to 4 seconds.
LATENCY_S, JITTER_S = 2.5, 1.5
# A bucket holds a minute's worth, as documented; BURST_S sets how many seconds' worth instead.
BURST_S = float(os.environ.get("BURST_S", "60"))
# RequestsPerMinute of the local stack; unset, it is the template's, and only the headers tell the limit.
TOLD = os.environ.get("BURST_TOLD", "")
PLACES = int(os.environ.get("BURST_PLACES", "10"))
LAST_S = 3 * 3600.0
PATIENCE_S = 240.0


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What one burst came to: shares of the limit and of all requests, documents and seconds."""

    goodput: float
    refused_share: float
    dead_lettered: int
    unfinished: int
    minutes: float


def run(on: Path | None) -> Iterator[dict[str, Any]]:
    """BURST_S, BURST_TOLD and BURST_PLACES change how it is tried; `on` has no meaning here."""
    sim, local = simulated(), through_the_stack()
    beside = {f"{name}_sim": value for name, value in asdict(sim).items()}
    beside |= {f"{name}_local": value for name, value in asdict(local).items()}
    yield {
        "goodput": min(sim.goodput, local.goodput),
        "refused_share": max(sim.refused_share, local.refused_share),
        "dead_lettered": sim.dead_lettered + local.dead_lettered,
        **beside,
    }


def simulated() -> Trial:
    """In the simulation's time, with nothing in the way but the limit."""
    behaviour = Behaviour(
        requests_per_minute=SIMULATED_PER_MINUTE, latency_s=LATENCY_S, jitter_s=JITTER_S, burst_s=BURST_S
    )
    crowd = Crowd(behaviour=behaviour, places=PLACES)
    crowd.drop(SIMULATED)
    crowd.hub.run(until=LAST_S, quiet=crowd.is_at_rest)
    rows = [row.row() for row in crowd.store.rows.values()]
    dead = crowd.thrown["dead_lettered"]
    return _trial(crowd.ask_offline("GET", "ledger"), SIMULATED_PER_MINUTE, dead, SIMULATED - _done(rows))


def through_the_stack() -> Trial:
    """In real time, on the local stack."""
    options = ["--requests-per-minute", str(LOCAL_PER_MINUTE), "--burst", str(BURST_S)]
    options += ["--latency", str(LATENCY_S), "--jitter", str(JITTER_S)]
    parameters = {"RequestsPerMinute": TOLD} if TOLD else {}
    with local_stack(StackOptions(claude_options=options, parameters=parameters)) as stack:
        with ThreadPoolExecutor(4) as side_by_side:
            keys = [f"team-{number % 7}/invoice-{number}.txt" for number in range(LOCAL)]
            uris = list(side_by_side.map(stack.upload, keys, map(invoice, range(LOCAL))))
        rows = _outcomes(stack, uris)
        with urllib.request.urlopen(f"{stack.claude_url}/_offline/ledger", timeout=MINUTE_S) as answer:
            calls = json.load(answer)
    dead = sum((row.get("error") or {}).get("code") == "gave_up" for row in rows)
    return _trial(calls, LOCAL_PER_MINUTE, dead, LOCAL - _done(rows))


def _outcomes(stack: Stack, uris: Sequence[str]) -> list[Row]:
    rows: list[Row] = []
    try:
        for row in stack.outcomes(uris, patience=PATIENCE_S):
            rows.append(row)
    except NoProgress:
        pass
    return rows


def _done(rows: Sequence[Mapping[str, Any]]) -> int:
    return sum(row["status"] in OUTCOMES for row in rows)


def _trial(calls: Sequence[Mapping[str, Any]], per_minute: int, dead: int, unfinished: int) -> Trial:
    times = [datetime.fromisoformat(call["at"]).timestamp() for call in calls]
    passed = [at - times[0] for at, call in zip(times, calls, strict=True) if call["status"] == 200]
    return Trial(
        goodput=goodput(passed, per_minute),
        refused_share=sum(call["status"] == 429 for call in calls) / len(calls),
        dead_lettered=dead,
        unfinished=unfinished,
        minutes=passed[-1] / MINUTE_S,
    )


def goodput(passed: Sequence[float], per_minute: int) -> float:
    """Of the limit after the first minute, what was used until the last call; seconds since the first."""
    later = [at for at in passed if at > MINUTE_S]
    if not later:
        return 1.0  # all was done before there was a limit to speak of
    return len(later) / ((later[-1] - MINUTE_S) / MINUTE_S * per_minute)
