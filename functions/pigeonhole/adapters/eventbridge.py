"""The event bus: what is batch goes out ten at a time, and what was not taken is named."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pigeonhole.adapters.aws import classified
from pigeonhole.domain.outcome_event import SOURCE, OutcomeEvent

_AT_ONCE = 10


class EventBridgeBus:
    """ports.EventBus over EventBridge."""

    def __init__(self, events: Any, name: str) -> None:
        self._events = events
        self._name = name

    def publish(self, events: Iterable[OutcomeEvent]) -> list[str]:
        """PutEvents says for each entry whether it was taken."""
        batch = list(events)
        refused: list[str] = []
        for start in range(0, len(batch), _AT_ONCE):
            refused += self._put(batch[start : start + _AT_ONCE])
        return refused

    def _put(self, batch: list[OutcomeEvent]) -> list[str]:
        with classified():
            entries = self._events.put_events(Entries=[self._entry(each) for each in batch])["Entries"]
        return [each.id for each, entry in zip(batch, entries, strict=True) if entry.get("ErrorCode")]

    def _entry(self, each: OutcomeEvent) -> dict[str, Any]:
        return {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": each.detail_type,
            "Detail": json.dumps(each.detail),
            "Resources": [],
        }
