"""The cache breakpoints of a request: at most four, and those with a longer TTL come first."""

from collections.abc import Sequence
from typing import Any

from infra.local.offline_claude.spec.errors import bad_request

# Source: the prompt caching page of platform.claude.com, August 2026.

TTLS_LONGEST_FIRST = ("1h", "5m")
MAX_BREAKPOINTS = 4


def parse_cache_control(cache_control: Any, path: str) -> str | None:
    """The TTL that a `cache_control` value asks for, None without one. Raises a 400 if it is not valid."""
    if cache_control is None:
        return None
    if not isinstance(cache_control, dict) or cache_control.get("type") != "ephemeral":
        raise bad_request(f"{path}.type: Input should be 'ephemeral'")
    ttl = cache_control.get("ttl", "5m")
    if ttl not in TTLS_LONGEST_FIRST:
        raise bad_request(f"{path}.ephemeral.ttl: Input should be '5m' or '1h'")
    return str(ttl)


def apply_request_ttl(ttls: Sequence[str | None], request_ttl: str | None) -> tuple[str | None, ...]:
    """The TTLs of all blocks, with that of the whole request applied to the last block.

    Raises a 400 if there are too many breakpoints, or a longer TTL comes after a shorter one.
    """
    if request_ttl and ttls[-1] not in (None, request_ttl):
        raise bad_request("cache_control: the last block already has a cache_control with a different ttl")
    effective = (*ttls[:-1], request_ttl or ttls[-1])
    order = [TTLS_LONGEST_FIRST.index(ttl) for ttl in effective if ttl]
    if len(order) > MAX_BREAKPOINTS:
        raise bad_request(
            f"A maximum of {MAX_BREAKPOINTS} blocks with cache_control may be provided. Found {len(order)}."
        )
    if order != sorted(order):
        raise bad_request(
            "A ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. "
            "Blocks are processed in the order `tools`, `system`, `messages`."
        )
    return effective
