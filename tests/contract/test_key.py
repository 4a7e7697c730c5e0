"""The key may be replaced while containers are warm: a refusal fetches it afresh, once."""

import pytest

from pigeonhole import wiring
from pigeonhole.document import Reply, StopAll
from pigeonhole.settings import Settings
from pigeonhole.wiring import LateClaude
from tests.builders import reply

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
def keys(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the secret holds, at each look."""
    held: list[str] = []
    monkeypatch.setattr(wiring, "api_key", lambda *_: held.pop(0))
    monkeypatch.setattr(wiring, "client", lambda _: None)
    monkeypatch.setattr("pigeonhole.claude.Claude", Keyed)
    return held


def test_a_key_that_was_replaced_is_fetched_afresh(keys: list[str]) -> None:
    keys += ["old", "new"]
    claude = LateClaude(Settings.load(NEEDED))
    assert claude.ask({}, timeout=10) == reply()
    assert claude.ask({}, timeout=10) == reply()
    assert keys == []


def test_a_key_that_is_refused_twice_stops_everything(keys: list[str]) -> None:
    keys += ["old", "older", "new"]
    with pytest.raises(StopAll):
        LateClaude(Settings.load(NEEDED)).ask({}, timeout=10)
    assert keys == ["new"]
