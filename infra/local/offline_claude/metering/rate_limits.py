"""Rate limits: three token buckets for each class of models, told in the headers and enforced where set."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from infra.local.offline_claude.metering.tokens import Tokens
from infra.local.offline_claude.spec.errors import ApiError

# The Build tier of the rate limits page of platform.claude.com, August 2026: told where nothing is enforced.
BUILD = {"requests": 5_000, "input-tokens": 5_000_000, "output-tokens": 1_000_000}
ROUNDED_TO = 1_000


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What a minute allows, None where that is only told, and the seconds of it that may come at once."""

    requests: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    burst_s: float = 60.0


@dataclass(kw_only=True)
class Bucket:
    """One limit, refilled continuously; all its state is the time when it will be full again."""

    name: str
    limit: int
    capacity: float
    enforced: bool
    full_at: float = 0.0

    def left(self, now: float) -> float:
        """What is in it; below nothing where the last taker took more than there was."""
        return self.capacity - max(0.0, self.full_at - now) * self.limit / 60

    def wait(self, wanted: int, now: float) -> float:
        """The seconds until so much is in it; a full one does for any single request."""
        if not self.enforced:
            return 0.0
        return (min(wanted, self.capacity) - self.left(now)) * 60 / self.limit

    def take(self, amount: int, now: float) -> None:
        """Take it out; one that is only told is never less than empty."""
        full_at = max(self.full_at, now) + amount * 60 / self.limit
        self.full_at = full_at if self.enforced else min(full_at, now + self.capacity * 60 / self.limit)


def _bucket(name: str, limit: int | None, burst_s: float) -> Bucket:
    told = limit or BUILD[name]
    return Bucket(name=name, limit=told, capacity=told * burst_s / 60, enforced=limit is not None)


class Limits:
    """The buckets of every class of models; safe to share between threads."""

    def __init__(self, allowance: Allowance, clock: Callable[[], float]) -> None:
        self.allowance, self._clock = allowance, clock
        self._lock = threading.Lock()
        self._lines: dict[str, tuple[Bucket, Bucket, Bucket]] = {}

    def admit(self, line: str, prompt: Tokens) -> None:
        """Count a request and what it sends that is not read from the cache, or refuse it uncounted."""
        sent = prompt.prompt - prompt.cache_read
        with self._lock:
            now = self._clock()
            buckets = requests, given, _ = self._of(line)
            waits = [bucket.wait(wanted, now) for bucket, wanted in zip(buckets, (1, sent, 1), strict=True)]
            if max(waits) > 0:
                raise _over(buckets, waits, now)
            requests.take(1, now)
            given.take(sent, now)

    def answered(self, line: str, output_tokens: int) -> dict[str, str]:
        """Count what an admitted request was answered, and say what is left, as headers."""
        with self._lock:
            now = self._clock()
            buckets = self._of(line)
            buckets[-1].take(output_tokens, now)
            return _headers(buckets, now)

    def _of(self, line: str) -> tuple[Bucket, Bucket, Bucket]:
        allowed = self.allowance
        if line not in self._lines:
            self._lines[line] = (
                _bucket("requests", allowed.requests, allowed.burst_s),
                _bucket("input-tokens", allowed.input_tokens, allowed.burst_s),
                _bucket("output-tokens", allowed.output_tokens, allowed.burst_s),
            )
        return self._lines[line]


def _over(buckets: tuple[Bucket, ...], waits: list[float], now: float) -> ApiError:
    longest = max(waits)
    tight = buckets[waits.index(longest)]
    return ApiError(
        status=429,
        message="This request would exceed your organization's rate limit of "
        f"{tight.limit:,} {tight.name.replace('-', ' ')} per minute. Please try again later.",
        headers=_headers(buckets, now) | {"retry-after": str(math.ceil(longest))},
    )


def _headers(buckets: tuple[Bucket, ...], now: float) -> dict[str, str]:
    rows = [(one.name, one.limit, one.left(now), one.full_at) for one in buckets]
    _, given, written = rows
    rows.append(("tokens", given[1] + written[1], given[2] + written[2], max(given[3], written[3])))
    headers: dict[str, str] = {}
    for name, limit, left, full_at in rows:
        unit = 1 if name == "requests" else ROUNDED_TO
        full = datetime.fromtimestamp(math.ceil(max(full_at, now)), UTC)
        headers[f"anthropic-ratelimit-{name}-limit"] = str(limit)
        headers[f"anthropic-ratelimit-{name}-remaining"] = str(max(0, int(left)) // unit * unit)
        headers[f"anthropic-ratelimit-{name}-reset"] = full.isoformat().replace("+00:00", "Z")
    return headers
