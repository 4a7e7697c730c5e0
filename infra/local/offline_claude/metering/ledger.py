"""The ledger: one entry for each messages request, in order, with its outcome, tokens and cost."""

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from infra.local.offline_claude.metering.bill import Bill
from infra.local.offline_claude.metering.tokens import TokenUsage

MAX_ENTRIES = 200_000


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """One request. `status` is None if the connection was closed without an answer; `usd` is US dollars."""

    number: int = 0
    at: str = ""
    request_id: str
    model: str | None
    status: int | None
    request_hash: str
    document_hash: str | None = None
    tokens: TokenUsage = field(default_factory=TokenUsage)
    usd: Decimal = Decimal(0)
    stop_reason: str | None = None
    fault: str | None = None
    retry_count: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The entry as JSON."""
        return asdict(self) | {"tokens": self.tokens.as_dict(), "usd": float(self.usd)}


class Ledger:
    """The entries so far and the bill over them. Thread-safe."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._entries: list[LedgerEntry] = []
        self._count = 0
        self._bill = Bill()

    def add(self, entry: LedgerEntry) -> None:
        """Add an entry, numbered and dated; the oldest beyond `MAX_ENTRIES` are dropped, but stay billed."""
        now = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
        with self._lock:
            self._count += 1
            self._entries.append(replace(entry, number=self._count, at=now.replace("+00:00", "Z")))
            del self._entries[:-MAX_ENTRIES]
            self._bill.add(entry.model, entry.status, entry.tokens)

    def as_list(self) -> list[dict[str, Any]]:
        """Every entry as JSON."""
        with self._lock:
            entries = tuple(self._entries)
        return [entry.as_dict() for entry in entries]

    def bill(self) -> dict[str, Any]:
        """The bill as JSON."""
        with self._lock:
            return self._bill.as_dict()

    def total_usd(self) -> Decimal:
        """The sum of the bill in US dollars."""
        with self._lock:
            return self._bill.overall.total_usd()
