"""Every outcome becomes an event: the documents table's stream is the outbox, this is its relay."""

from __future__ import annotations

from collections.abc import Iterable

from pigeonhole.domain.outcome_event import OutcomeEvent
from pigeonhole.ports import EventBus


def publish(events: Iterable[OutcomeEvent], bus: EventBus) -> list[str]:
    """Publish them; the ids of those that have to be published again."""
    batch = list(events)
    return bus.publish(batch) if batch else []
