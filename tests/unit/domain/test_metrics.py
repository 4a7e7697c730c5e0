"""The table of metrics: every metric that the functions emit is in it, with CloudWatch's unit."""

from __future__ import annotations

import ast
from pathlib import Path

import pigeonhole
from pigeonhole.domain.metrics import METRICS, Unit
from pigeonhole.guards.telemetry import OUTCOME_METRICS

SOURCES = sorted(Path(pigeonhole.__path__[0]).parent.rglob("*.py"))


def emitted() -> set[str]:
    """The constant names in calls of a method `metric`, and the names that come from an outcome."""
    calls = (node for path in SOURCES for node in ast.walk(ast.parse(path.read_text("utf-8"))))
    named = {
        call.args[0].value
        for call in calls
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "metric"
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }
    return named | set(OUTCOME_METRICS.values())


def test_every_metric_that_is_emitted_is_in_the_table_and_no_other():
    assert emitted() == set(METRICS)


def test_each_metric_has_the_unit_of_what_it_measures():
    units = {name: metric.unit for name, metric in METRICS.items() if metric.unit is not Unit.COUNT}
    assert units == {"SpentUsd": Unit.NONE, "SpendPercent": Unit.PERCENT}


def test_a_meaning_is_one_sentence():
    for metric in METRICS.values():
        assert metric.meaning[0].isupper()
        assert metric.meaning.endswith(".")
        assert len(metric.meaning) <= 120
