"""The command `infra/pigeonhole offline-claude`: its options are the server's settings."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.cli.__main__ import app
from infra.cli.inputs import InputError
from infra.local import offline_claude
from infra.local.offline_claude.control.settings import Settings, with_changes

OPTIONS = {
    "--latency 1 --jitter 0.3": {"latency_s": 1, "jitter_s": 0.3},
    "--low-confidence 0.15 --seed 7": {"low_confidence_share": 0.15, "seed": 7},
    "--requests-per-minute 50": {"requests_per_minute": 50},
    "--input-tokens-per-minute 30000": {"input_tokens_per_minute": 30_000},
    "--output-tokens-per-minute 8000": {"output_tokens_per_minute": 8_000},
    "--burst 5": {"burst_s": 5},
    "--spend-limit 0.5": {"spend_limit_usd": 0.5},
}


@pytest.mark.parametrize("options", OPTIONS)
def test_an_option_is_a_setting_and_all_others_stay_as_they_are(
    options: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[dict[str, Any]] = []
    monkeypatch.setattr(offline_claude, "run", lambda port, *, ready, **settings: started.append(settings))
    result = CliRunner().invoke(app, ["offline-claude", *options.split()])
    assert result.exit_code == 0, result.output
    assert with_changes(Settings(), started[0]) == with_changes(Settings(), OPTIONS[options])


def test_what_it_cannot_be_is_a_mistake_of_the_user():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for options, words in {
            f"--port {taken.getsockname()[1]}": "cannot listen on port",
            "--latency inf": "latency_s: must be a number",
        }.items():
            result = CliRunner().invoke(app, ["offline-claude", *options.split()])
            assert isinstance(result.exception, InputError)
            assert words in str(result.exception)
    assert CliRunner().invoke(app, ["offline-claude", "--port", "65536"]).exit_code == 2
