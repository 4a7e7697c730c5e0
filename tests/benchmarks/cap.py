"""A thousand documents at once against a cap for three hundred, judged by the offline Claude's own bill."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from infra.local.offline_claude import Fault
from infra.local.offline_claude import Settings as Behaviour
from pigeonhole.domain.document import RateLimits
from pigeonhole.domain.row_attributes import OUTCOMES, Status
from pigeonhole.money.account import STACK, Cap
from tests.benchmarks.crowd import BATCHES, Crowd
from tests.simulation.simulated_aws import Faults

DOCUMENTS, ENOUGH_FOR = 1_000, 300
UNSURE = float(os.environ.get("CAP_UNSURE", "0"))
# How the offline Claude may count: as the models' own page has it, fewer tokens, more, the most there can be.
TOKENIZERS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "chars_4": {"chars_per_token": 4.0},
    "chars_2": {"chars_per_token": 2.0},
    "bytes": {"tokens_per_byte": 1.0},
}
CUTS = (Fault(kind="cut_before", rate=0.04), Fault(kind="cut_after_billing", rate=0.06))
# Of a hundred invocations about ten die, each with all that it had in hand.
CRASHES = Faults(crash=0.0005)
ROOMY = Cap(day=Decimal(1_000), month=Decimal(10_000))
UNPACED = RateLimits(requests=1_000_000)
# The simulation begins at noon: a day's cap lasts for twelve hours of it.
RAISED_BY_S = 11.5 * 3600
REST_BY_S = 3 * 86_400.0


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How the documents fared until the cap was raised, and what became of them in the end."""

    cap: float
    billed: float
    finished: int
    hours: float
    lost: int = 0
    failed: int = 0


def run(on: Path | None) -> Iterator[dict[str, Any]]:
    """CAP_UNSURE is the share of documents that the strong model has to see; `on` has no meaning here."""
    with ProcessPoolExecutor(os.cpu_count()) as side_by_side:
        means = list(side_by_side.map(mean_usd, TOKENIZERS))
        calm = dict(zip(TOKENIZERS, side_by_side.map(without_faults, TOKENIZERS, means), strict=True))
        rough = dict(zip(TOKENIZERS, side_by_side.map(with_faults, TOKENIZERS, means), strict=True))
    trials = (*calm.values(), *rough.values())
    nearest = max(trials, key=lambda trial: trial.billed / trial.cap)
    yield {
        "billed": nearest.billed,
        "cap": nearest.cap,
        "finished_before_raise": min(trial.finished for trial in calm.values()),
        "lost": sum(trial.lost for trial in trials),
        "failed": sum(trial.failed for trial in trials),
        **dict(_beside("calm", calm)),
        **dict(_beside("rough", rough)),
    }


def _beside(weather: str, trials: Mapping[str, Trial]) -> Iterator[tuple[str, float]]:
    """Each run's own figures; `used` is the part of the cap that was billed."""
    for tokenizer, trial in trials.items():
        yield f"finished_{weather}_{tokenizer}", trial.finished
        yield f"used_{weather}_{tokenizer}", trial.billed / trial.cap
        yield f"hours_{weather}_{tokenizer}", trial.hours


def mean_usd(tokenizer: str) -> Decimal:
    """What a document costs without a cap, at the template's own rate and concurrency."""
    crowd = Crowd(behaviour=_behaviour(tokenizer), caps={STACK: ROOMY}, places=3)
    crowd.drop(DOCUMENTS)
    _go_on(crowd, REST_BY_S)
    return _billed(crowd) / DOCUMENTS


def without_faults(tokenizer: str, mean: Decimal) -> Trial:
    """Until nothing more can be paid for."""
    return _trial(_spent(_behaviour(tokenizer), mean, Faults()), mean)


def with_faults(tokenizer: str, mean: Decimal) -> Trial:
    """The same with crashes and cut calls; then the cap is raised, and all the others go on."""
    crowd = _spent(replace(_behaviour(tokenizer), faults=CUTS), mean, CRASHES)
    until_raised = _trial(crowd, mean)
    crowd.caps = {STACK: ROOMY}
    _go_on(crowd, REST_BY_S)
    statuses = [row.status for row in crowd.store.rows.values()]
    failed = sum(status is Status.FAILED for status in statuses)
    return replace(until_raised, lost=DOCUMENTS - _finished(statuses), failed=failed)


def _spent(behaviour: Behaviour, mean: Decimal, crashes: Faults) -> Crowd:
    """All of the documents in hand at once, and the cap used up."""
    crowd = Crowd(
        behaviour=behaviour,
        faults=crashes,
        caps={STACK: Cap(day=mean * ENOUGH_FOR, month=ROOMY.month)},
        places=DOCUMENTS // BATCHES["intake"],
        limits=UNPACED,
    )
    crowd.drop(DOCUMENTS)
    _go_on(crowd, RAISED_BY_S)
    return crowd


def _behaviour(tokenizer: str) -> Behaviour:
    return Behaviour(latency_s=1.5, jitter_s=1.0, low_confidence_share=UNSURE, **TOKENIZERS[tokenizer])


def _go_on(crowd: Crowd, until: float) -> None:
    """Until all have an outcome, or wait for money that there is not."""
    crowd.last_sent = None
    crowd.hub.run(until=until, quiet=crowd.is_at_rest)


def _billed(crowd: Crowd) -> Decimal:
    return Decimal(str(crowd.ask_offline("GET", "bill")["usd"]))


def _trial(crowd: Crowd, mean: Decimal) -> Trial:
    return Trial(
        cap=float(mean * ENOUGH_FOR),
        billed=float(_billed(crowd)),
        finished=_finished(row.status for row in crowd.store.rows.values()),
        hours=crowd.hub.now / 3600,
    )


def _finished(statuses: Iterable[Status]) -> int:
    return sum(status in OUTCOMES for status in statuses)
