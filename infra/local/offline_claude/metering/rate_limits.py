"""Rate limits: three token buckets for each line of models, reported in headers and enforced where set."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from infra.local.offline_claude.metering.tokens import TokenUsage
from infra.local.offline_claude.spec.errors import ApiError

# The Build tier of the rate limits page of platform.claude.com, August 2026: reported where no limit is set.
BUILD_TIER = {"requests": 5_000, "input-tokens": 5_000_000, "output-tokens": 1_000_000}
ROUNDING = 1_000  # remaining tokens are reported in whole thousands


@dataclass(frozen=True, kw_only=True)
class RateLimits:
    """Limits per minute, None where not enforced, and how many seconds of them may be used in one burst."""

    requests: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    burst_s: float = 60.0


@dataclass(kw_only=True)
class TokenBucket:
    """One limit as a token bucket that refills continuously; its only state is when it is full again."""

    name: str
    limit: int
    capacity: float
    enforced: bool
    full_at: float = 0.0

    def remaining(self, now: float) -> float:
        """What is left; negative if more was taken than there was."""
        return self.capacity - max(0.0, self.full_at - now) * self.limit / 60

    def wait_s(self, wanted: int, now: float) -> float:
        """The seconds until so much is left; a full bucket is enough for any request."""
        if not self.enforced:
            return 0.0
        return (min(wanted, self.capacity) - self.remaining(now)) * 60 / self.limit

    def take(self, amount: int, now: float) -> None:
        """Take so much; a bucket that is not enforced does not go below zero."""
        full_at = max(self.full_at, now) + amount * 60 / self.limit
        self.full_at = full_at if self.enforced else min(full_at, now + self.capacity * 60 / self.limit)


def _bucket(name: str, limit: int | None, burst_s: float) -> TokenBucket:
    reported = limit or BUILD_TIER[name]
    return TokenBucket(
        name=name, limit=reported, capacity=reported * burst_s / 60, enforced=limit is not None
    )


class RateLimiter:
    """The buckets of every line of models. Thread-safe."""

    def __init__(self, rate_limits: RateLimits, clock: Callable[[], float]) -> None:
        self.rate_limits, self._clock = rate_limits, clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[TokenBucket, TokenBucket, TokenBucket]] = {}

    def admit(self, line: str, prompt: TokenUsage) -> None:
        """Take a request and its uncached input tokens, or raise a 429 and take nothing."""
        sent = prompt.prompt - prompt.cache_read
        with self._lock:
            now = self._clock()
            buckets = requests, input_bucket, _ = self._buckets_of(line)
            waits = [bucket.wait_s(wanted, now) for bucket, wanted in zip(buckets, (1, sent, 1), strict=True)]
            if max(waits) > 0:
                raise _rate_limit_error(buckets, waits, now)
            requests.take(1, now)
            input_bucket.take(sent, now)

    def record_output(self, line: str, output_tokens: int) -> dict[str, str]:
        """Take the output tokens of an admitted request; gives the rate limit headers of its reply."""
        with self._lock:
            now = self._clock()
            buckets = self._buckets_of(line)
            buckets[-1].take(output_tokens, now)
            return _headers(buckets, now)

    def _buckets_of(self, line: str) -> tuple[TokenBucket, TokenBucket, TokenBucket]:
        allowed = self.rate_limits
        if line not in self._buckets:
            self._buckets[line] = (
                _bucket("requests", allowed.requests, allowed.burst_s),
                _bucket("input-tokens", allowed.input_tokens, allowed.burst_s),
                _bucket("output-tokens", allowed.output_tokens, allowed.burst_s),
            )
        return self._buckets[line]


def _rate_limit_error(buckets: tuple[TokenBucket, ...], waits: list[float], now: float) -> ApiError:
    longest = max(waits)
    tightest = buckets[waits.index(longest)]
    return ApiError(
        status=429,
        message="This request would exceed your organization's rate limit of "
        f"{tightest.limit:,} {tightest.name.replace('-', ' ')} per minute. Please try again later.",
        headers=_headers(buckets, now) | {"retry-after": str(math.ceil(longest))},
    )


def _headers(buckets: tuple[TokenBucket, ...], now: float) -> dict[str, str]:
    rows = [(one.name, one.limit, one.remaining(now), one.full_at) for one in buckets]
    _, sent, written = rows
    rows.append(("tokens", sent[1] + written[1], sent[2] + written[2], max(sent[3], written[3])))
    headers: dict[str, str] = {}
    for name, limit, remaining, full_at in rows:
        unit = 1 if name == "requests" else ROUNDING
        full = datetime.fromtimestamp(math.ceil(max(full_at, now)), UTC)
        headers[f"anthropic-ratelimit-{name}-limit"] = str(limit)
        headers[f"anthropic-ratelimit-{name}-remaining"] = str(max(0, int(remaining)) // unit * unit)
        headers[f"anthropic-ratelimit-{name}-reset"] = full.isoformat().replace("+00:00", "Z")
    return headers
