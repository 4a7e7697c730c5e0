"""Sorts documents with the real use cases and the real adapter of Claude; all but Claude is in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from threading import RLock

from pigeonhole import process, wiring
from pigeonhole.batch import Works, settle
from pigeonhole.budget import STACK, Budget
from pigeonhole.desk import Shift
from pigeonhole.document import Allowance, Change, Stage, Text
from pigeonhole.events import Batch, Message
from pigeonhole.gate import Gatekeeper
from pigeonhole.money import Account, Cap, Draw
from pigeonhole.ports import Analyst, Parts, Rules, Swap
from pigeonhole.settings import Settings
from pigeonhole.tally import Tally
from tests.benchmarks.corpus import Document
from tests.builders import World, created, message, upload
from tests.fakes import FakeLedger

# As template.yaml deploys it: so many invocations at a time, and messages in one of triage.
INVOCATIONS, MESSAGES = 3, 10
# More than the longest call may take.
SHIFT = timedelta(seconds=175)
CAPS = {STACK: Cap(day=Decimal(10**6), month=Decimal(10**6))}
PLENTY = Allowance(requests=10**6)


def deployed_rules() -> Rules:
    """The rules of a stack whose operator has changed nothing."""
    required = (name.upper() for name, known in Settings.model_fields.items() if known.is_required())
    return wiring.rules(Settings.load(dict.fromkeys(required, "-") | {"INBOX_BUCKET": "inbox"}), None)


class SharedLedger(FakeLedger):
    """Compares and writes as one step, also between threads."""

    lock = RLock()

    def swap(self, *swaps: Swap, tallies: Iterable[Tally] = ()) -> bool:
        with self.lock:
            return super().swap(*swaps, tallies=tallies)

    def draw(self, draw: Draw) -> tuple[bool, Account]:
        with self.lock:
            return super().draw(draw)


@dataclass(frozen=True)
class Known:
    """A Reader of what was read before: an upload's content is its key."""

    texts: Mapping[str, Text]

    def read(self, path: Path, name: str) -> Text:
        return self.texts[bytes.fromhex(path.name[1:]).decode()]


def sort(documents: Sequence[Document], events: Iterable[int], rules: Rules, claude: Analyst) -> World:
    """Where everything is once each document has its outcome; an event is the number of its document."""
    world = World(ledger=SharedLedger())
    parts = _parts(world, rules, claude, {each.key: each.text for each in documents})
    uploads = [
        world.put(upload(each.key, f"v{number}", number + 1), each.key)
        for number, each in enumerate(documents)
    ]
    messages = [message(created(uploads[of]), name=f"m{number}") for number, of in enumerate(events)]
    _settle(messages, MESSAGES, parts)
    _settle([message(order, name=f"e{at}") for at, order in enumerate(world.handed)], 1, parts)
    return world


def _parts(world: World, rules: Rules, claude: Analyst, texts: Mapping[str, Text]) -> Parts:
    clock = wiring.SystemClock()
    return replace(
        world.parts,
        reader=Known(texts),
        analyst=claude,
        gate=Gatekeeper(world.ledger, clock),
        budget=Budget(world.ledger, clock, CAPS, PLENTY),
        runner=wiring.Threads(),
        clock=clock,
        chance=wiring.SystemChance(),
        rules=replace(rules, max_bytes=10**9),
    )


def _settle(messages: Sequence[Message], size: int, parts: Parts) -> None:
    """Invocations side by side, until no message comes again."""
    works: Works = {Change: process.triage, Stage.ESCALATION: process.escalate}

    def invoke(batch: Batch) -> list[str]:
        return settle(batch, works, parts, Shift(deadline=parts.clock.now() + SHIFT))

    while messages:
        with ThreadPoolExecutor(INVOCATIONS) as side_by_side:
            again = {name for names in side_by_side.map(invoke, _batches(messages, size)) for name in names}
        messages = [each for each in messages if each.id in again]


def _batches(messages: Iterable[Message], size: int) -> Iterator[Batch]:
    left = iter(messages)
    while batch := tuple(islice(left, size)):
        yield Batch(messages=batch, queued=True)
