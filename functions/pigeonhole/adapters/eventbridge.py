"""The event bus: what is told goes out ten at a time, and what was not taken is named."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pigeonhole.adapters.aws_errors import classified
from pigeonhole.domain.outcome_event import SOURCE, News

_AT_ONCE = 10


class EventBus:
    """ports.Bus over EventBridge."""

    def __init__(self, events: Any, name: str) -> None:
        self._events = events
        self._name = name

    def send(self, news: Iterable[News]) -> list[str]:
        """PutEvents says for each entry whether it was taken."""
        told = list(news)
        refused: list[str] = []
        for start in range(0, len(told), _AT_ONCE):
            refused += self._put(told[start : start + _AT_ONCE])
        return refused

    def _put(self, told: list[News]) -> list[str]:
        with classified():
            entries = self._events.put_events(Entries=[self._entry(each) for each in told])["Entries"]
        return [each.id for each, entry in zip(told, entries, strict=True) if entry.get("ErrorCode")]

    def _entry(self, each: News) -> dict[str, Any]:
        return {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": each.detail_type,
            "Detail": json.dumps(each.detail),
            "Resources": [],
        }
