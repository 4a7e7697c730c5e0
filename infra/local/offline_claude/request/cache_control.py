"""Where a request asks for its prompt to be cached: at most four blocks, longer times before shorter ones."""

from collections.abc import Sequence
from typing import Any

from infra.local.offline_claude.spec.errors import bad_request

# Source: the prompt caching page of platform.claude.com, August 2026.

LONGER_FIRST = ("1h", "5m")
MOST = 4


def ttl_of(wanted: Any, where: str) -> str | None:
    """How long a cache_control asks the prompt up to its block to be cached, if at all."""
    if wanted is None:
        return None
    if not isinstance(wanted, dict) or wanted.get("type") != "ephemeral":
        raise bad_request(f"{where}.type: Input should be 'ephemeral'")
    ttl = wanted.get("ttl", "5m")
    if ttl not in LONGER_FIRST:
        raise bad_request(f"{where}.ephemeral.ttl: Input should be '5m' or '1h'")
    return str(ttl)


def with_last(ttls: Sequence[str | None], last: str | None) -> tuple[str | None, ...]:
    """The blocks' times and that of the whole request, which is its last block's; or the 400 they deserve."""
    if last and ttls[-1] not in (None, last):
        raise bad_request("cache_control: the last block already has a cache_control with a different ttl")
    every = (*ttls[:-1], last or ttls[-1])
    given = [LONGER_FIRST.index(ttl) for ttl in every if ttl]
    if len(given) > MOST:
        raise bad_request(
            f"A maximum of {MOST} blocks with cache_control may be provided. Found {len(given)}."
        )
    if given != sorted(given):
        raise bad_request(
            "A ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. "
            "Blocks are processed in the order `tools`, `system`, `messages`."
        )
    return every
