"""A clock that stands still until it is told to go on, and the offline Claude that lives by it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from infra.local.offline_claude import Settings, serve
from tests.contract.offline_claude.client import Claude


@dataclass
class Clock:
    """Seconds since 1970, at noon of a day."""

    now: float = 1_796_126_400.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def timed(**settings: object) -> Iterator[tuple[Claude, Clock]]:
    """A server with these settings and its clock."""
    clock = Clock()
    with serve(settings=Settings(**settings), clock=clock) as url, closing(Claude(url)) as claude:  # type: ignore[arg-type]
        yield claude, clock
