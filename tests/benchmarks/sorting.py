"""Sorts documents with the real use cases and the real adapter of Claude; all but Claude is in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from pigeonhole import bootstrap
from pigeonhole.adapters.system import SystemClock, SystemRandomness
from pigeonhole.domain.document import RateLimits, Text
from pigeonhole.guards.lease import Invocation
from pigeonhole.jobs.message import Batch, Message
from pigeonhole.money.account import STACK, Cap
from pigeonhole.pipeline.batch import Handlers, finish, process_batch
from pigeonhole.ports import ModelClient
from pigeonhole.services import PipelineConfig, Services
from pigeonhole.settings import Settings
from tests.benchmarks.corpus import Document
from tests.support.builders import World, created, message, upload

# In one invocation.
MESSAGES = 10
# More than the longest call may take.
ALIVE_FOR = timedelta(seconds=175)
CAPS = {STACK: Cap(day=Decimal(10**6), month=Decimal(10**6))}
PLENTY = RateLimits(requests=10**6)


def deployed_config() -> PipelineConfig:
    """The configuration of a stack whose operator has changed nothing."""
    required = (name.upper() for name, known in Settings.model_fields.items() if known.is_required())
    settings = Settings.load(dict.fromkeys(required, "-") | {"INBOX_BUCKET": "inbox"})
    return bootstrap.configured(settings, bootstrap.taxonomy_text_at(None))


@dataclass(frozen=True)
class Known:
    """A Reader of what was read before: an upload's content is its key."""

    texts: Mapping[str, Text]

    def read(self, path: Path, name: str, seconds: float) -> Text:
        return self.texts[bytes.fromhex(path.name[1:]).decode()]


def sort(
    documents: Sequence[Document], events: Iterable[int], config: PipelineConfig, claude: ModelClient
) -> World:
    """Where everything is once each document has its outcome; an event is the number of its document."""
    world = World()
    services = _services(world, config, claude, {each.key: each.text for each in documents})
    uploads = [
        world.put(upload(each.key, f"v{number}", number + 1), each.key)
        for number, each in enumerate(documents)
    ]
    messages = [message(created(uploads[of]), name=f"m{number}") for number, of in enumerate(events)]
    _process(messages, services.triage, services)
    handed = [message(task, name=f"e{at}") for at, task in enumerate(world.handed)]
    _process(handed, services.escalation, services)
    return world


def _services(
    world: World, config: PipelineConfig, claude: ModelClient, texts: Mapping[str, Text]
) -> Services:
    outside = replace(
        world.outside,
        reader=Known(texts),
        model=claude,
        clock=SystemClock(),
        randomness=SystemRandomness(),
    )
    return Services(outside, replace(config, max_bytes=10**9, caps=CAPS, limits=PLENTY))


def _process(messages: Sequence[Message], handlers: Handlers, services: Services) -> None:
    """One after the other, as nothing is waited for, until no message comes again."""
    while messages:
        invocation = Invocation(deadline=services.outside.clock.now() + ALIVE_FOR)
        batch = Batch(messages=tuple(messages[:MESSAGES]), queued=True)
        again = process_batch(batch, handlers, services.batch_ports, invocation)
        finish(services.budget, services.outside.telemetry)
        messages = [*messages[MESSAGES:], *(each for each in messages[:MESSAGES] if each.id in again)]
