"""Generates infra/REFERENCE.md: parameters, outputs, alarms, metrics and commands.

There is no command for it: tests/unit/infra/test_reference.py fails when a reference is stale, and writes it
anew with `REMAKE=1 infra/check tests/unit`. Never edit the file itself. A parameter, an output or an alarm is
described in template.yaml, a metric in pigeonhole/domain/metrics.py, an option in its file in infra/cli.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.dev.bootstrap import ROOT
from infra.dev.command_reference import command_lines
from infra.dev.markdown import Line, code, table
from infra.ops import template
from pigeonhole.domain.metrics import DIMENSION, METRICS, NAMESPACE

FILE = ROOT / "infra" / "REFERENCE.md"
GENERATED = "Generated from the code, do not edit: `REMAKE=1 infra/check tests/unit` makes it anew.\n"
# Units of AWS's own metrics that alarms watch; those of ours are in METRICS.
_AWS_UNITS = {
    "ApproximateAgeOfOldestMessage": "seconds",
    "ApproximateNumberOfMessagesVisible": "Count",
    "Errors": "Count",
    "Invocations": "Count",
    "IteratorAge": "milliseconds",
}
_OPERATORS = {
    "GreaterThanThreshold": ">",
    "GreaterThanOrEqualToThreshold": "≥",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "≤",
}


def infra_reference() -> str:
    """The text of infra/REFERENCE.md."""
    source = template.load()
    parts = [
        "# Reference: the stack and its commands\n",
        GENERATED,
        "## Parameters\n",
        table(("parameter", "default", "allowed", "description"), _parameters(source)),
        "## Outputs\n",
        table(("output", "description"), _outputs(source)),
        "## Alarms\n",
        "All of them go to the topic in the output `AlarmTopicArn`.\n",
        table(("alarm", "metric", "threshold", "what it means, and what to do"), _alarms(source)),
        "## Metrics\n",
        f"In the namespace `{NAMESPACE}`, with one dimension, `{DIMENSION}`, which is the stack's name.\n",
        table(("metric", "unit", "meaning"), _metrics()),
        "## Commands\n",
        "Of `infra/pigeonhole`; `infra/demo` is `infra/pigeonhole run`. Below each command, which is bold,",
        "are its arguments and options.\n",
        table(("command, option", "default", "description"), command_lines()),
    ]
    return "\n".join(parts)


def _parameters(source: template.Template) -> Iterator[Line]:
    for name, each in source["Parameters"].items():
        default = code(each["Default"]) or "empty" if "Default" in each else "required"
        yield code(name), default, _allowed(each), each["Description"]


def _allowed(parameter: dict[str, Any]) -> str:
    if "AllowedValues" in parameter:
        return ", ".join(map(code, parameter["AllowedValues"]))
    if "ConstraintDescription" in parameter:
        return str(parameter["ConstraintDescription"]).removeprefix("must be ")
    bounds = {"MinValue": "at least", "MaxValue": "at most"}
    return ", ".join(f"{words} {parameter[bound]:,}" for bound, words in bounds.items() if bound in parameter)


def _outputs(source: template.Template) -> Iterator[Line]:
    for name, each in source["Outputs"].items():
        yield code(name), each["Description"]


def _alarms(source: template.Template) -> Iterator[Line]:
    for name, resource in source["Resources"].items():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            alarm = resource["Properties"]
            yield code(name), _watched(alarm), _threshold(alarm), alarm["AlarmDescription"]


def _watched(alarm: dict[str, Any]) -> str:
    """The metric; of a metric of AWS also the namespace, and the resource of the template."""
    if alarm["Namespace"] == NAMESPACE:
        return code(alarm["MetricName"])
    (dimension,) = alarm["Dimensions"]
    value = dimension["Value"]
    resource = value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0]
    return f"{code(alarm['MetricName'])} of {code(resource)} ({alarm['Namespace']})"


def _threshold(alarm: dict[str, Any]) -> str:
    """Such as `maximum in 5 minutes > 3,600 seconds`."""
    name, minutes = alarm["MetricName"], alarm["Period"] * alarm["EvaluationPeriods"] // 60
    unit = METRICS[name].unit if alarm["Namespace"] == NAMESPACE else _AWS_UNITS[name]
    limit = f"{_OPERATORS[alarm['ComparisonOperator']]} {alarm['Threshold']:,}"
    shown = "" if unit == "Count" else f" {unit.lower()}"
    return f"{alarm['Statistic'].lower()} in {minutes} minutes {limit}{shown}"


def _metrics() -> Iterator[Line]:
    for name, metric in METRICS.items():
        yield code(name), metric.unit, metric.meaning
