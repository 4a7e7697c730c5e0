"""`resume` resets the circuit breaker that Claude has tripped; `gate open` is its deprecated name."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner, Result

from infra.cli import resume
from infra.cli.__main__ import app
from infra.ops import circuit_breaker
from pigeonhole.domain.errors import StopAll, WaitReason
from tests.support.builders import World
from tests.support.fakes import START

TRIPPED = {"state": "tripped", "waiting_for": "credentials", "detail": "invalid key"}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(resume, "find_stack", lambda *_: None)
    monkeypatch.setattr(resume, "operator", lambda _: world.services)
    return world


def trip(world: World) -> None:
    world.services.guards.breaker.trip(StopAll(WaitReason.CREDENTIALS, "invalid key"))


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_a_tripped_circuit_breaker_is_reset(world: World):
    trip(world)
    result = invoke("resume")
    assert result.exit_code == 0
    assert "The circuit breaker is reset." in result.stderr
    assert circuit_breaker.state(world.services) == {"state": "reset"}


def test_a_circuit_breaker_that_was_not_tripped_stays_as_it_is(world: World):
    result = invoke("resume")
    assert (result.exit_code, result.stderr) == (0, "The circuit breaker was not tripped.\n")


def test_json_shows_the_circuit_breaker_before_and_after(world: World):
    trip(world)
    assert json.loads(invoke("resume", "--json").stdout) == {"was": TRIPPED, "now": {"state": "reset"}}


def test_a_circuit_breaker_that_is_tripped_again_at_once_is_exit_code_1(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    trip(world)
    monkeypatch.setattr(resume, "reset", circuit_breaker.state)
    result = invoke("resume")
    assert result.exit_code == 1
    assert "tripped again at once" in result.stderr


def test_a_circuit_breaker_that_resets_itself_says_when(world: World):
    world.services.guards.breaker.trip(StopAll(WaitReason.CLAUDE, "busy", until=START + timedelta(hours=1)))
    assert circuit_breaker.state(world.services)["until"] == "2026-11-22T13:00:00.000Z"


def test_gate_open_does_the_same_and_says_that_it_is_deprecated(world: World):
    trip(world)
    result = invoke("gate", "open")
    assert result.exit_code == 0
    assert "deprecated" in result.stderr
    assert circuit_breaker.state(world.services) == {"state": "reset"}


def test_help_lists_resume_and_not_gate():
    commands = invoke("--help").stdout
    assert "resume" in commands
    assert " gate " not in commands
    assert "deprecated" in invoke("gate", "open", "--help").stdout
