"""The prompt cache: which beginnings of a prompt were written, and how long they can be read.

A beginning can be read once the reply to the request that wrote it is ready, so that simultaneous first
requests each write; every use begins its time anew.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from infra.local.offline_claude.metering.tokens import Counter, Tokens
from infra.local.offline_claude.request.content import ContentBlock
from infra.local.offline_claude.request.message_request import MessageRequest, canonical_hash

# Source: the prompt caching page of platform.claude.com, August 2026.

SECONDS = {"5m": 300.0, "1h": 3600.0}
LOOKBACK = 20
KEPT = 100_000


@dataclass(frozen=True, kw_only=True)
class Prefix:
    """A prompt up to the end of one block; `ttl` where it is to be written down."""

    key: str
    tokens: int
    ttl: str | None


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One written prefix and the time in which it can be read."""

    seconds: float
    since: float
    until: float

    def live(self, now: float) -> bool:
        """Whether it can be read now."""
        return self.since <= now < self.until


def prefixes(request: MessageRequest, counter: Counter) -> tuple[Prefix, ...]:
    """The beginnings of a prompt up to its last breakpoint; one too short for the model is none."""
    blocks = request.content.blocks
    last = max((at for at, block in enumerate(blocks) if block.ttl), default=-1)
    return tuple(_prefixes(request, counter, blocks[: last + 1]))


def _prefixes(request: MessageRequest, counter: Counter, blocks: Iterable[ContentBlock]) -> Iterator[Prefix]:
    body, model = request.body, request.model
    # Another output format changes the whole prompt; other thinking or another tool choice only the messages.
    key = canonical_hash([model.id, (body.get("output_config") or {}).get("format")])
    message_key = canonical_hash([body.get("thinking"), body.get("tool_choice")])
    tokens = counter.format(body, model)
    for block in blocks:
        raw = {name: value for name, value in block.raw.items() if name != "cache_control"}
        key = canonical_hash(
            [key, block.role, raw, None if block.role in ("tools", "system") else message_key]
        )
        tokens += counter.block(block, model)
        yield Prefix(key=key, tokens=tokens, ttl=block.ttl if tokens >= model.min_cacheable_tokens else None)


class Cache:
    """The prefixes written so far; safe to share between threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._kept: dict[str, Kept] = {}

    def price(self, prefixes: tuple[Prefix, ...], total: int) -> Tokens:
        """How a prompt of this many tokens is billed now: read as far as can be, then written, then plain."""
        with self._lock:
            hit = self._hit(prefixes, self._clock())
        done = read = prefixes[hit].tokens if hit >= 0 else 0
        written = dict.fromkeys(SECONDS, 0)
        for prefix in prefixes[hit + 1 :]:
            if prefix.ttl:
                written[prefix.ttl] += prefix.tokens - done
                done = prefix.tokens
        return Tokens(
            input=total - done, cache_read=read, cache_write_5m=written["5m"], cache_write_1h=written["1h"]
        )

    def use(self, prefixes: tuple[Prefix, ...], wait_s: float) -> None:
        """Write what was asked for and refresh what was read, for a reply that is ready after the wait."""
        with self._lock:
            now = self._clock()
            for prefix in prefixes:
                if used := self._used(prefix, now, now + wait_s):
                    self._kept[prefix.key] = used
            while len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]

    def _hit(self, prefixes: tuple[Prefix, ...], now: float) -> int:
        """The longest prefix that can be read, at a breakpoint or a few blocks before it."""
        reach = (range(max(0, end - LOOKBACK + 1), end + 1) for end, one in enumerate(prefixes) if one.ttl)
        live = (at for within in reach for at in within if self._live(prefixes[at].key, now))
        return max(live, default=-1)

    def _live(self, key: str, now: float) -> bool:
        return key in self._kept and self._kept[key].live(now)

    def _used(self, prefix: Prefix, now: float, ready: float) -> Kept | None:
        kept = self._kept.get(prefix.key)
        if kept and kept.live(now):
            return replace(kept, until=max(kept.until, now + kept.seconds))
        if not prefix.ttl:
            return None
        seconds = SECONDS[prefix.ttl]
        since = min(kept.since, ready) if kept and kept.since > now else ready
        return Kept(seconds=seconds, since=since, until=ready + seconds)
