"""The rate-limit headers: what this minute allows and what is left of it; told, not enforced."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from infra.local.offline_claude.tokens import Tokens

# The Build tier of the rate limits page of platform.claude.com, August 2026.


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What one minute allows."""

    requests: int = 5_000
    input_tokens: int = 5_000_000
    output_tokens: int = 1_000_000


class Minute:
    """What was used of the running minute, by model."""

    def __init__(self, allowance: Allowance | None = None, clock: Callable[[], float] = time.time) -> None:
        self._allowance, self._clock = allowance or Allowance(), clock
        self._lock = threading.Lock()
        self._minute, self._used = 0, {"": (0, 0, 0)}

    def spend(self, model: str, tokens: Tokens) -> dict[str, str]:
        """Count one request and say what is left, as headers."""
        uncached = tokens.prompt - tokens.cache_read
        with self._lock:
            minute = int(self._clock() // 60)
            if minute != self._minute:
                self._minute, self._used = minute, {}
            requests, given, written = self._used.get(model, (0, 0, 0))
            used = self._used[model] = requests + 1, given + uncached, written + tokens.output
        return self._headers(used, datetime.fromtimestamp((minute + 1) * 60, UTC))

    def _headers(self, used: tuple[int, int, int], reset: datetime) -> dict[str, str]:
        allowed = self._allowance
        rows = (
            ("requests", allowed.requests, used[0], 1),
            ("input-tokens", allowed.input_tokens, used[1], 1_000),
            ("output-tokens", allowed.output_tokens, used[2], 1_000),
            ("tokens", allowed.input_tokens + allowed.output_tokens, used[1] + used[2], 1_000),
        )
        at = reset.isoformat().replace("+00:00", "Z")
        headers: dict[str, str] = {}
        for name, limit, spent, unit in rows:
            headers[f"anthropic-ratelimit-{name}-limit"] = str(limit)
            headers[f"anthropic-ratelimit-{name}-remaining"] = str(max(0, limit - spent) // unit * unit)
            headers[f"anthropic-ratelimit-{name}-reset"] = at
        return headers
