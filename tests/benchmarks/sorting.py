"""Sorts documents with the real use cases and the real adapter of Claude; all but Claude is in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from pigeonhole import bootstrap
from pigeonhole.domain.document import Allowance, Change, Stage, Text
from pigeonhole.guards.budget import STACK, Budget
from pigeonhole.guards.circuit_breaker import Gatekeeper
from pigeonhole.guards.lease import Shift
from pigeonhole.jobs.message import Batch, Message
from pigeonhole.money.account import Cap
from pigeonhole.pipeline import process
from pigeonhole.pipeline.batch import Works, settle
from pigeonhole.ports import Analyst, Parts, Rules
from pigeonhole.settings import Settings
from tests.benchmarks.corpus import Document
from tests.support.builders import World, created, message, upload

# In one invocation.
MESSAGES = 10
# More than the longest call may take.
SHIFT = timedelta(seconds=175)
CAPS = {STACK: Cap(day=Decimal(10**6), month=Decimal(10**6))}
PLENTY = Allowance(requests=10**6)


def deployed_rules() -> Rules:
    """The rules of a stack whose operator has changed nothing."""
    required = (name.upper() for name, known in Settings.model_fields.items() if known.is_required())
    return bootstrap.rules(Settings.load(dict.fromkeys(required, "-") | {"INBOX_BUCKET": "inbox"}), None)


@dataclass(frozen=True)
class Known:
    """A Reader of what was read before: an upload's content is its key."""

    texts: Mapping[str, Text]

    def read(self, path: Path, name: str, seconds: float) -> Text:
        return self.texts[bytes.fromhex(path.name[1:]).decode()]


def sort(documents: Sequence[Document], events: Iterable[int], rules: Rules, claude: Analyst) -> World:
    """Where everything is once each document has its outcome; an event is the number of its document."""
    world = World()
    parts = _parts(world, rules, claude, {each.key: each.text for each in documents})
    uploads = [
        world.put(upload(each.key, f"v{number}", number + 1), each.key)
        for number, each in enumerate(documents)
    ]
    messages = [message(created(uploads[of]), name=f"m{number}") for number, of in enumerate(events)]
    _settle(messages, parts)
    _settle([message(order, name=f"e{at}") for at, order in enumerate(world.handed)], parts)
    return world


def _parts(world: World, rules: Rules, claude: Analyst, texts: Mapping[str, Text]) -> Parts:
    clock = bootstrap.SystemClock()
    return replace(
        world.parts,
        reader=Known(texts),
        analyst=claude,
        gate=Gatekeeper(world.ledger, clock),
        budget=Budget(world.ledger, clock, CAPS, PLENTY),
        clock=clock,
        chance=bootstrap.SystemChance(),
        rules=replace(rules, max_bytes=10**9),
    )


def _settle(messages: Sequence[Message], parts: Parts) -> None:
    """One after the other, as nothing is waited for, until no message comes again."""
    works: Works = {Change: process.triage, Stage.ESCALATION: process.escalate}
    while messages:
        shift = Shift(deadline=parts.clock.now() + SHIFT)
        again = settle(Batch(messages=tuple(messages[:MESSAGES]), queued=True), works, parts, shift)
        messages = [*messages[MESSAGES:], *(each for each in messages[:MESSAGES] if each.id in again)]
