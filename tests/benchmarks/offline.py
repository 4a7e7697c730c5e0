"""The offline Claude from outside: its knobs, its ledger and its own bill."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from infra.local.offline_claude.control.faults import hash_fraction

Bill = dict[str, Any]


@dataclass(frozen=True)
class Offline:
    """The server at this address."""

    url: str

    def billed(self, work: Callable[[], object], **knobs: object) -> Bill:
        """What the work costs with these knobs turned, nothing cached before it."""
        self._ask("/_offline/reset", {})
        self._ask("/_offline/faults", knobs)
        work()
        return self._ask("/_offline/bill")

    def calls(self) -> list[dict[str, Any]]:
        """Its ledger."""
        return self._ask("/_offline/ledger")

    def _ask(self, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data), timeout=60) as answer:
            return json.load(answer, parse_float=Decimal)


def latency(call: dict[str, Any], seconds: float, jitter: float) -> float:
    """How long the server took for a call of its ledger, by its own rule."""
    return seconds + jitter * (2 * hash_fraction("wait", call["request_hash"]) - 1)
