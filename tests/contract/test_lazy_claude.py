"""The key may be replaced while containers are warm: it is good for ten minutes, or until it is refused."""

from __future__ import annotations

import pytest

from pigeonhole import bootstrap
from pigeonhole.bootstrap import LateClaude
from pigeonhole.domain.document import Reply, StopAll, TryLater
from pigeonhole.settings import Settings
from tests.support.builders import reply
from tests.support.fakes import FakeClock

NEEDED = {name.upper(): "x" for name, field in Settings.model_fields.items() if field.is_required()}


class Keyed:
    """A Claude that takes one key and no other."""

    def __init__(self, key: str, _: str | None) -> None:
        self._key = key

    def ask(self, request: object, *, timeout: float) -> Reply:
        if self._key != "new":
            raise StopAll("credentials", "401")
        return reply()


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> list[str | Exception]:
    """What the secret holds, at each look."""
    held: list[str | Exception] = []

    def look(*_: object) -> str:
        found = held.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(bootstrap, "api_key", look)
    monkeypatch.setattr(bootstrap, "client", lambda _: None)
    monkeypatch.setattr("pigeonhole.adapters.anthropic_client.Claude", Keyed)
    return held


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def claude(keys: list[str | Exception], clock: FakeClock) -> LateClaude:
    return LateClaude(Settings.load(NEEDED), clock)


def asked(claude: LateClaude) -> Reply:
    return claude.ask({}, timeout=10)


def test_a_key_that_was_replaced_is_fetched_afresh(keys: list[str | Exception], claude: LateClaude) -> None:
    keys += ["old", "new"]
    assert asked(claude) == reply()
    assert asked(claude) == reply()
    assert keys == []


def test_a_key_that_is_refused_twice_stops_everything(
    keys: list[str | Exception], claude: LateClaude
) -> None:
    keys += ["old", "older", "new"]
    with pytest.raises(StopAll):
        asked(claude)
    assert keys == ["new"]


def test_after_that_the_next_document_looks_again(keys: list[str | Exception], claude: LateClaude) -> None:
    keys += ["old", "older", "new"]
    with pytest.raises(StopAll):
        asked(claude)
    assert asked(claude) == reply()


def test_for_ten_minutes_the_secret_is_not_looked_at(
    keys: list[str | Exception], claude: LateClaude, clock: FakeClock
) -> None:
    keys += ["new", "newer"]
    asked(claude)
    clock.pass_by(599)
    assert asked(claude) == reply()
    assert keys == ["newer"]


def test_then_it_is_looked_at_once_and_good_for_as_long_again(
    keys: list[str | Exception], claude: LateClaude, clock: FakeClock
) -> None:
    keys += ["new", "new", "newest"]
    asked(claude)
    for seconds in (600, 1, 598):
        clock.pass_by(seconds)
        assert asked(claude) == reply()
    assert keys == ["newest"]


def test_where_it_cannot_be_looked_at_the_key_that_we_have_will_do(
    keys: list[str | Exception], claude: LateClaude, clock: FakeClock
) -> None:
    keys += ["new", TryLater("Secrets Manager", seconds=20)]
    asked(claude)
    clock.pass_by(600)
    assert asked(claude) == reply()


def test_a_key_that_was_taken_away_is_not_used_any_longer(
    keys: list[str | Exception], claude: LateClaude, clock: FakeClock
) -> None:
    keys += ["new", StopAll("credentials", "the secret is gone")]
    asked(claude)
    clock.pass_by(600)
    with pytest.raises(StopAll, match="gone"):
        asked(claude)


def test_without_any_key_a_busy_secrets_manager_is_tried_later(
    keys: list[str | Exception], claude: LateClaude
) -> None:
    keys += [TryLater("Secrets Manager", seconds=20), "new"]
    with pytest.raises(TryLater, match="Secrets Manager"):
        asked(claude)
    assert asked(claude) == reply()
