"""Read again and retry on conflict: how a compare-and-swap is repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pigeonhole.domain.errors import TryLater
from pigeonhole.ports import Clock

T = TypeVar("T")

_TRIES = 6
_CONTENTION_SECONDS = 2.0


def until_committed(attempt: Callable[[], T | None]) -> T:
    """The first result that is not None: the attempt reads, decides and writes, and is None on a conflict.

    TryLater when others win every time.
    """
    for _ in range(_TRIES):
        if (result := attempt()) is not None:
            return result
    raise TryLater("write conflict: others are changing the same document", seconds=_CONTENTION_SECONDS)


def patiently(clock: Clock, attempt: Callable[[], T | None], *, tries: int = _TRIES) -> T | None:
    """As above where a busy table is no reason to stop: with a short backoff, exponential up to a second.

    None when no attempt came through.
    """
    for number in range(tries):
        try:
            if (result := attempt()) is not None:
                return result
        except TryLater:
            clock.wait(min(0.05 * 2**number, 1.0))
    return None
