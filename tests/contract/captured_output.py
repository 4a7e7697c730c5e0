"""What an invocation has written to its standard output: the log and the metrics, one JSON object a line."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from pigeonhole.adapters.powertools import PowertoolsTelemetry


@dataclass(frozen=True)
class Lines:
    """Every line since the last look; one that is no JSON object fails the test."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]

    def text(self) -> str:
        return self.capsys.readouterr().out


class _Stdout:
    """The log's stream is as old as the process, and pytest's captures come and go: look at each write."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


def listen(capsys: pytest.CaptureFixture[str]) -> Lines:
    """From here on: the logger and its counts are the process's, an earlier test may have left some."""
    PowertoolsTelemetry("pigeonhole").flush()
    for handler in logging.getLogger("pigeonhole").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.stream = _Stdout()
    capsys.readouterr()
    return Lines(capsys)
