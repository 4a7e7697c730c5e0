"""A fake clock, and the offline Claude running on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from infra.local.offline_claude import Settings, serve
from tests.contract.offline_claude.client import Claude


@dataclass
class FakeClock:
    """Seconds since 1970, from noon of a day; it stands still until a test changes `now`."""

    now: float = 1_796_126_400.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def serve_on_fake_clock(**settings: object) -> Iterator[tuple[Claude, FakeClock]]:
    """A client of a server with these settings, and the clock of that server."""
    clock = FakeClock()
    with serve(settings=Settings(**settings), clock=clock) as url, closing(Claude(url)) as claude:  # type: ignore[arg-type]
        yield claude, clock
