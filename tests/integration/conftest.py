"""One local stack for all tests here: real template, handlers and SDK, and the offline Claude."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.local.lifecycle import local_stack
from infra.ops.stack import Stack

ClaudeIs = Callable[..., None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test that uses the stack can be deselected with -m 'not stack'."""
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.stack)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Tests share it, so each uses keys of its own."""
    with local_stack() as running:
        yield running


@pytest.fixture
def claude_is(stack: Stack) -> Iterator[ClaudeIs]:
    """Changes how the offline Claude behaves, such as claude_is(faults=[…]), for one test."""

    def change(**settings: Any) -> None:
        _post(f"{stack.claude_url}/_offline/faults", settings)

    yield change
    _post(f"{stack.claude_url}/_offline/reset", {})


@pytest.fixture
def claude_ledger(stack: Stack) -> Callable[[], list[dict[str, Any]]]:
    """What the offline Claude was asked so far: one entry a request."""

    def ledger() -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{stack.claude_url}/_offline/ledger", timeout=10) as answer:
            entries: list[dict[str, Any]] = json.load(answer)
        return entries

    return ledger


def _post(url: str, body: dict[str, Any]) -> None:
    sent = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(sent, timeout=10):
        pass
