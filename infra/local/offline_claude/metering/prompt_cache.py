"""The prompt cache: which prefixes of prompts were written, and until when they can be read.

A prefix can be read once the reply to the request that wrote it is ready, so simultaneous first requests each
write it. Every read starts its TTL again.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from infra.local.offline_claude.metering.tokens import TokenCounter, TokenUsage
from infra.local.offline_claude.request.content import ContentBlock
from infra.local.offline_claude.request.message_request import MessageRequest, canonical_hash

# Source: the prompt caching page of platform.claude.com, August 2026.

TTL_SECONDS = {"5m": 300.0, "1h": 3600.0}
LOOKBACK_BLOCKS = 20
MAX_ENTRIES = 100_000


@dataclass(frozen=True, kw_only=True)
class Prefix:
    """A prompt up to the end of one block; `ttl` is set where it is to be written to the cache."""

    key: str
    tokens: int
    ttl: str | None


@dataclass(frozen=True, kw_only=True)
class CacheEntry:
    """A written prefix: when it can be read, and the TTL that each read starts again, in seconds."""

    ttl_s: float
    readable_from: float
    expires_at: float

    def is_readable(self, now: float) -> bool:
        """Whether it can be read at this time."""
        return self.readable_from <= now < self.expires_at


def cacheable_prefixes(request: MessageRequest, counter: TokenCounter) -> tuple[Prefix, ...]:
    """The prefixes of a prompt up to its last breakpoint; one too short for the model is not written."""
    blocks = request.content.blocks
    last = max((at for at, block in enumerate(blocks) if block.ttl), default=-1)
    return tuple(_prefixes(request, counter, blocks[: last + 1]))


def _prefixes(
    request: MessageRequest, counter: TokenCounter, blocks: Iterable[ContentBlock]
) -> Iterator[Prefix]:
    body, model = request.body, request.model
    # Another output format changes the whole prompt; other thinking or another tool choice only the messages.
    key = canonical_hash([model.id, (body.get("output_config") or {}).get("format")])
    message_key = canonical_hash([body.get("thinking"), body.get("tool_choice")])
    tokens = counter.count_output_format(body, model)
    for block in blocks:
        raw = {name: value for name, value in block.raw.items() if name != "cache_control"}
        key = canonical_hash(
            [key, block.role, raw, None if block.role in ("tools", "system") else message_key]
        )
        tokens += counter.count_block(block, model)
        yield Prefix(key=key, tokens=tokens, ttl=block.ttl if tokens >= model.min_cacheable_tokens else None)


class PromptCache:
    """The prefixes written so far. Thread-safe."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._entries: dict[str, CacheEntry] = {}

    def look_up(self, prefixes: tuple[Prefix, ...], prompt_tokens: int) -> TokenUsage:
        """How a prompt of so many tokens is billed now.

        The longest readable prefix is read, what follows up to the last breakpoint is written, the rest is
        plain input.
        """
        with self._lock:
            hit = self._longest_hit(prefixes, self._clock())
        done = read = prefixes[hit].tokens if hit >= 0 else 0
        written = dict.fromkeys(TTL_SECONDS, 0)
        for prefix in prefixes[hit + 1 :]:
            if prefix.ttl:
                written[prefix.ttl] += prefix.tokens - done
                done = prefix.tokens
        return TokenUsage(
            input=prompt_tokens - done,
            cache_read=read,
            cache_write_5m=written["5m"],
            cache_write_1h=written["1h"],
        )

    def store(self, prefixes: tuple[Prefix, ...], delay_s: float) -> None:
        """Write the marked prefixes and refresh those cached, for a reply that is ready after the delay."""
        with self._lock:
            now = self._clock()
            for prefix in prefixes:
                if refreshed := self._refreshed(prefix, now, now + delay_s):
                    self._entries[prefix.key] = refreshed
            while len(self._entries) > MAX_ENTRIES:
                del self._entries[next(iter(self._entries))]

    def _longest_hit(self, prefixes: tuple[Prefix, ...], now: float) -> int:
        """The index of the longest readable prefix, at a breakpoint or up to 19 blocks before it; else -1."""
        windows = (
            range(max(0, end - LOOKBACK_BLOCKS + 1), end + 1) for end, one in enumerate(prefixes) if one.ttl
        )
        readable = (at for window in windows for at in window if self._is_readable(prefixes[at].key, now))
        return max(readable, default=-1)

    def _is_readable(self, key: str, now: float) -> bool:
        return key in self._entries and self._entries[key].is_readable(now)

    def _refreshed(self, prefix: Prefix, now: float, ready: float) -> CacheEntry | None:
        entry = self._entries.get(prefix.key)
        if entry and entry.is_readable(now):
            return replace(entry, expires_at=max(entry.expires_at, now + entry.ttl_s))
        if not prefix.ttl:
            return None
        ttl_s = TTL_SECONDS[prefix.ttl]
        readable_from = min(entry.readable_from, ready) if entry and entry.readable_from > now else ready
        return CacheEntry(ttl_s=ttl_s, readable_from=readable_from, expires_at=ready + ttl_s)
