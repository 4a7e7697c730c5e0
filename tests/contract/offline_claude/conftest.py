"""Clients of the offline Claude for its tests: one of a server in real time, one of one on a fake clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.contract.claude_server import OfflineClaude
from tests.contract.offline_claude.client import Claude
from tests.contract.offline_claude.clock import FakeClock, serve_on_fake_clock


@pytest.fixture
def claude(offline: OfflineClaude) -> Iterator[Claude]:
    with closing(Claude(offline.url)) as claude:
        yield claude


@pytest.fixture(scope="module")
def clocked_server() -> Iterator[tuple[Claude, FakeClock]]:
    with serve_on_fake_clock() as client_and_clock:
        yield client_and_clock


@pytest.fixture
def clock(clocked_server: tuple[Claude, FakeClock]) -> FakeClock:
    return clocked_server[1]


@pytest.fixture
def clocked_claude(clocked_server: tuple[Claude, FakeClock]) -> Claude:
    client, _ = clocked_server
    client.reset()
    return client
