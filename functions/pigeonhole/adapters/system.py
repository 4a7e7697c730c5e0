"""The machine itself: threads, the clock, randomness."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from pigeonhole.domain.document import Text
from pigeonhole.domain.errors import Defect

T = TypeVar("T")
R = TypeVar("R")

_BATCH_THREADS = 10


class NoReader:
    """ports.Reader for a function that has no business reading documents."""

    def read(self, path: Path, name: str, seconds: float) -> Text:  # noqa: ARG002  the port's signature
        """As ports.Reader."""
        raise Defect(f"this function reads no document: {name}")


class Threads:
    """ports.Runner with a thread for each message of a batch; none outlives the call."""

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """The function's results, in order."""
        with ThreadPoolExecutor(_BATCH_THREADS) as pool:
            return list(pool.map(function, items))


class SystemClock:
    """ports.Clock with the machine's time."""

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)

    def wait(self, seconds: float) -> None:
        """Let so much of it pass."""
        time.sleep(seconds)


class SystemRandomness:
    """ports.Randomness with the machine's randomness."""

    def token(self) -> str:
        """A unique identifier: 32 random hex digits."""
        return uuid.uuid4().hex

    def jitter(self, seconds: float) -> float:
        """Up to a fifth more."""
        return seconds * (1 + 0.2 * random.random())  # noqa: S311  it spreads load, it guards nothing
