"""Dollars per 1,000 documents by the offline Claude's own bill: ours, Sonnet alone, and plain Haiku."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from infra.local.offline_claude import serve
from pigeonhole.adapters.anthropic_client import AnthropicClient
from pigeonhole.claude.tiers import TierConfig
from pigeonhole.services import PipelineConfig
from tests.benchmarks.baselines import plain_haiku, sonnet_alone
from tests.benchmarks.corpus import Document, documents
from tests.benchmarks.offline import Bill, Offline
from tests.benchmarks.sorting import deployed_config, sort
from tests.support.builders import World

T = TypeVar("T")

TARGETS = (5, 15, 30)
WITHIN = 0.2
TRIES = 8
# By which the offline Claude draws whom it is unsure about.
SEEDS = (0, 1, 2)
# Events that S3 delivers twice, and in which order.
DUPLICATES, SEED = 0.03, 7
STRONG = "claude-sonnet-5-5"
MILLION = 10**6


@dataclass(frozen=True, kw_only=True)
class Run:
    """Our way: its bill, what became of the documents, and e$, its Sonnet bill over Sonnet alone's."""

    bill: Bill
    world: World
    percent: float


def run(on: Path | None) -> Iterator[dict[str, Any]]:
    """The gains are those of our run with the knob at rest: only what is hard by itself is escalated."""
    with serve() as url:
        yield _Comparison(documents(on), url).figures()


class _Comparison:
    def __init__(self, corpus: Sequence[Document], url: str) -> None:
        self._corpus, self._events = corpus, _delivered(len(corpus))
        self._claude, self._offline = AnthropicClient("offline", url), Offline(url)
        self._config = deployed_config()
        texts = [each.text for each in corpus]
        self._alone = self._offline.billed(lambda: sonnet_alone(texts, self._config, self._claude))
        delivered = [texts[of] for of in self._events]
        self._plain = self._offline.billed(lambda: plain_haiku(delivered, self._config, self._claude))

    def figures(self) -> dict[str, Any]:
        knobs = [Knob(partial(self._ours, seed=seed), lambda one: one.percent) for seed in SEEDS]
        runs, at_rest = {wanted: nearest(knobs, wanted) for wanted in TARGETS}, knobs[0].nearest(0)
        ours, alone = {at: self._usd(one.bill) for at, one in runs.items()}, self._usd(self._alone)
        return {
            "documents": len(self._corpus),
            **{f"ours_{at}": usd for at, usd in ours.items()},
            "sonnet_alone": alone,
            "plain_haiku": self._usd(self._plain),
            **{f"e_{at}": one.percent for at, one in runs.items()},
            **{f"ratio_{at}": alone / usd for at, usd in ours.items()},
            "ours_at_rest": self._usd(at_rest.bill),
            "e_at_rest": at_rest.percent,
            **self._saved(at_rest),
            **_differences(list(runs.values())),
        }

    def _saved(self, at_rest: Run) -> dict[str, float]:
        """With each of the three switched off; reuse is within a team, so each document gets its own."""
        apart = [replace(each, key=f"{at}/{each.key}") for at, each in enumerate(self._corpus)]
        without = {
            "saved_by_cutting": self._ours(config=_with(self._config, _uncut)),
            "saved_by_caching": self._ours(config=_with(self._config, _uncached)),
            "saved_by_reuse": self._ours(corpus=apart),
        }
        return {name: self._usd(one.bill) - self._usd(at_rest.bill) for name, one in without.items()}

    def _ours(
        self,
        share: float = 0.0,
        config: PipelineConfig | None = None,
        corpus: Sequence[Document] | None = None,
        seed: int = 0,
    ) -> Run:
        worlds: list[World] = []

        def work() -> None:
            worlds.append(sort(corpus or self._corpus, self._events, config or self._config, self._claude))

        bill = self._offline.billed(work, low_confidence_share=share, seed=seed)
        return Run(bill=bill, world=worlds[0], percent=100 * float(_strong(bill) / _strong(self._alone)))

    def _usd(self, bill: Bill) -> float:
        """Dollars per 1,000 documents."""
        return 1000 * float(bill["usd"]) / len(self._corpus)


def _delivered(number: int) -> list[int]:
    """Each document's number once, and some again a little later."""
    chance, events = random.Random(SEED), list(range(number))
    for of in chance.sample(range(number), int(DUPLICATES * number)):
        events.insert(min(of + chance.randrange(1, 50), number), of)
    return events


class Knob(Generic[T]):
    """Turned until a percentage is met that rises, by steps, with a share from 0 to 1."""

    def __init__(self, measure: Callable[[float], T], percent: Callable[[T], float]) -> None:
        self._measure, self._percent = measure, percent
        self._runs: dict[float, T] = {}

    def nearest(self, wanted: float) -> T:
        """The run that comes nearest to what is wanted, within as few tries as may be."""
        if not self._runs:
            self._runs[0.0] = self._measure(0.0)
        for _ in range(TRIES):
            if self.misses(self._best(wanted), wanted) <= WITHIN or self._least() >= wanted:
                break
            share = self._between(wanted)
            self._runs[share] = self._measure(share)
        return self._best(wanted)

    def misses(self, one: T, wanted: float) -> float:
        """By how much."""
        return abs(self._percent(one) - wanted)

    def _best(self, wanted: float) -> T:
        return min(self._runs.values(), key=lambda one: self.misses(one, wanted))

    def _least(self) -> float:
        return min(map(self._percent, self._runs.values()))

    def _between(self, wanted: float) -> float:
        """On the line between the runs just below and just above; near the end of it that was closest."""
        known = [(1.0, 100.0), *((share, self._percent(one)) for share, one in self._runs.items())]
        low = max(one for one in known if one[1] < wanted)
        high = min(one for one in known if one[1] > wanted)
        part = (wanted - low[1]) / (high[1] - low[1])
        return low[0] + (high[0] - low[0]) * min(max(part, 0.02), 0.98)


def nearest(knobs: Sequence[Knob[T]], wanted: float) -> T:
    """The nearest run of the first knob that meets it: one long document can be more than may be missed, and
    each knob is turned through the documents in another order."""
    best: T | None = None
    for knob in knobs:
        one = knob.nearest(wanted)
        best = one if best is None or knob.misses(one, wanted) < knob.misses(best, wanted) else best
        if knob.misses(best, wanted) <= WITHIN:
            break
    assert best is not None
    return best


def _with(config: PipelineConfig, change: Callable[[TierConfig], TierConfig]) -> PipelineConfig:
    return replace(config, tiers={stage: change(tier) for stage, tier in config.tiers.items()})


def _uncut(tier: TierConfig) -> TierConfig:
    return replace(tier, document_tokens=10**9, model=replace(tier.model, long_prompt_tokens=None))


def _uncached(tier: TierConfig) -> TierConfig:
    return replace(tier, model=replace(tier.model, cacheable_tokens=10**9))


def _strong(bill: Bill) -> Decimal:
    """Sonnet's part, nothing where it was not asked."""
    return Decimal(bill["models"][STRONG]["usd"]) if STRONG in bill["models"] else Decimal(0)


def _differences(runs: Sequence[Run]) -> dict[str, float]:
    """The offline bills less what we counted: nothing remains."""
    bills = sum(Decimal(one.bill["usd"]) for one in runs)
    counted = sum(_counted(one.world) for one in runs)
    rows = sum(row.cost_usd or 0 for one in runs for row in one.world.store.rows.values())
    return {
        "bill_minus_usage_usd": float(bills - counted),
        "bill_minus_rows_usd": float(bills - Decimal(rows)),
    }


def _counted(world: World) -> Decimal:
    days = {line.day for line in world.store.counted.values()}
    return sum((line.totals.usd for day in days for line in world.store.usage(day)), Decimal(0))
