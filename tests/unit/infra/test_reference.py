"""The generated references are current; `REMAKE=1 infra/check tests/unit` makes them anew."""

from __future__ import annotations

from infra.dev import reference, row_reference
from infra.dev.command_reference import command_lines
from infra.dev.markdown import table
from infra.ops import template
from pigeonhole.domain.metrics import DIMENSION, METRICS, NAMESPACE
from tests.support.snapshots import assert_text_current


def test_the_reference_of_the_stack_and_its_commands_is_current():
    assert_text_current(reference.FILE, reference.infra_reference())


def test_the_reference_of_rows_and_events_is_current():
    assert_text_current(row_reference.FILE, row_reference.functions_reference())


def test_every_metric_of_ours_in_the_template_is_in_the_table_of_metrics():
    alarms = [
        each["Properties"]
        for each in template.load()["Resources"].values()
        if each["Type"] == "AWS::CloudWatch::Alarm" and each["Properties"]["Namespace"] == NAMESPACE
    ]
    assert len(alarms) > 3
    assert {alarm["MetricName"] for alarm in alarms} <= set(METRICS)
    assert {each["Name"] for alarm in alarms for each in alarm["Dimensions"]} == {DIMENSION}


def test_every_command_and_option_has_a_description_and_hidden_commands_are_left_out():
    lines = list(command_lines())
    assert all(description for _, _, description in lines)
    names = [name.strip("*`") for name, *_ in lines if name.startswith("**")]
    assert {"run", "costs", "resume", "local up", "offline-claude"} <= set(names)
    assert not any("gate" in name for name in names)


def test_a_table_keeps_each_cell_on_its_line():
    assert table(("a",), [("one\n  two | three",)]) == "| a |\n| --- |\n| one two \\| three |\n"
