"""The alarms: each watches a metric that exists, goes off for a reason, and reaches who should know."""

from __future__ import annotations

import json

import pytest

from infra.dev.bootstrap import ROOT
from pigeonhole.adapters.powertools import PowertoolsTelemetry
from pigeonhole.domain.record import stamp
from pigeonhole.domain.row_attributes import Status
from pigeonhole.guards.telemetry import log_outcome
from tests.support.builders import record
from tests.support.fakes import START
from tests.support.template import Properties, stack

STACK_NAME = "papers"
WATCHED = {
    "IntakeLateAlarm": ("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": "IntakeQueue.QueueName"}),
    "EscalationLateAlarm": (
        "AWS/SQS",
        "ApproximateAgeOfOldestMessage",
        {"QueueName": "EscalationQueue.QueueName"},
    ),
    "DeadLetteredAlarm": ("Pigeonhole", "DeadLettered", {"service": STACK_NAME}),
    "ParkedAlarm": ("Pigeonhole", "Parked", {"service": STACK_NAME}),
    "DefectAlarm": ("Pigeonhole", "Defect", {"service": STACK_NAME}),
    "SpendHighAlarm": ("Pigeonhole", "SpendPercent", {"service": STACK_NAME}),
    "OverCapAlarm": ("Pigeonhole", "OverCap", {"service": STACK_NAME}),
    "UnpublishedAlarm": (
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        {"QueueName": "UnpublishedQueue.QueueName"},
    ),
    "PublishLateAlarm": ("AWS/Lambda", "IteratorAge", {"FunctionName": "PublishFunction"}),
    "SweepErrorsAlarm": ("AWS/Lambda", "Errors", {"FunctionName": "SweepFunction"}),
    "SweepSilentAlarm": ("AWS/Lambda", "Invocations", {"FunctionName": "SweepFunction"}),
    "DeadLetterErrorsAlarm": ("AWS/Lambda", "Errors", {"FunctionName": "DeadLetterFunction"}),
    "TriageErrorsAlarm": ("AWS/Lambda", "Errors", {"FunctionName": "TriageFunction"}),
    "EscalationErrorsAlarm": ("AWS/Lambda", "Errors", {"FunctionName": "EscalationFunction"}),
}
# What is counted is summed up; how long or how many at a time is not.
LEVELS = {
    "ApproximateAgeOfOldestMessage",
    "ApproximateNumberOfMessagesVisible",
    "IteratorAge",
    "SpendPercent",
}


def test_these_are_all():
    assert set(stack().of("CloudWatch::Alarm")) == set(WATCHED)


@pytest.mark.parametrize("name", WATCHED)
def test_an_alarm_watches_something_real_and_tells_the_topic(name):
    alarm = stack().of("CloudWatch::Alarm")[name]
    assert (alarm["Namespace"], alarm["MetricName"], dimensions(alarm)) == WATCHED[name]
    assert alarm["Statistic"] == ("Maximum" if alarm["MetricName"] in LEVELS else "Sum")
    assert alarm["AlarmActions"] == ["AlarmTopic"]
    assert alarm["AlarmDescription"]


@pytest.mark.parametrize("name", [name for name in WATCHED if name != "SweepSilentAlarm"])
def test_where_nothing_happens_no_alarm_goes_off(name):
    assert stack().of("CloudWatch::Alarm")[name]["TreatMissingData"] == "notBreaching"


def test_where_sweep_does_not_run_that_is_what_goes_wrong():
    alarm = stack().of("CloudWatch::Alarm")["SweepSilentAlarm"]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "LessThanThreshold")
    assert (alarm["Period"], alarm["TreatMissingData"]) == (900, "breaching")


def counted(telemetry: PowertoolsTelemetry, metric: str) -> None:
    """Counts twice, in the way of the code that has this metric."""
    if metric == "Parked":
        waiting = {"for": "claude", "since": stamp(START), "stage": "triage"}
        row = record(status=Status.PARKED, waiting=waiting)
        for _ in range(2):
            log_outcome(row, telemetry)
    elif metric == "Defect":
        for _ in range(2):
            telemetry.log_defect("ours", RuntimeError())
    else:
        telemetry.metric(metric, 2)


@pytest.mark.parametrize("name", [name for name, (space, *_) in WATCHED.items() if space == "Pigeonhole"])
def test_what_we_count_is_watched_under_the_name_that_telemetry_gives_it(name, capsys):
    alarm = stack().of("CloudWatch::Alarm")[name]
    telemetry = PowertoolsTelemetry(STACK_NAME)
    counted(telemetry, alarm["MetricName"])
    telemetry.flush()
    written = json.loads(capsys.readouterr().out.splitlines()[-1])
    (metrics,) = written["_aws"]["CloudWatchMetrics"]
    assert metrics["Namespace"] == alarm["Namespace"]
    assert [{name: written[name] for name in each} for each in metrics["Dimensions"]] == [dimensions(alarm)]
    assert sum(written[alarm["MetricName"]]) == 2


def test_dead_letters_are_counted_by_their_function():
    assert '"DeadLettered"' in (ROOT / "functions" / "dead_letter" / "handler.py").read_text()


@pytest.mark.parametrize(
    "name",
    [
        "DeadLetteredAlarm",
        "DeadLetterErrorsAlarm",
        "ParkedAlarm",
        "DefectAlarm",
        "OverCapAlarm",
        "UnpublishedAlarm",
    ],
)
def test_where_nothing_else_would_show_it_one_is_enough(name):
    alarm = stack().of("CloudWatch::Alarm")[name]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")


def test_cloudwatch_of_this_account_may_tell_the_topic():
    (policy,) = stack().of("SNS::TopicPolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert policy["Topics"] == ["AlarmTopic"]
    assert (statement["Principal"], statement["Action"]) == (
        {"Service": "cloudwatch.amazonaws.com"},
        "sns:Publish",
    )
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    # With alias/aws/sns, CloudWatch could not publish at all.
    assert "KmsMasterKeyId" not in stack().of("SNS::Topic")["AlarmTopic"]


def test_the_address_is_told_and_without_one_nobody_is_asked_to_subscribe():
    (subscription,) = stack().of("SNS::Subscription").values()
    assert subscription == {"TopicArn": "AlarmTopic", "Protocol": "email", "Endpoint": "ops@example.org"}
    assert not stack(bare=True).of("SNS::Subscription")


def dimensions(alarm: Properties) -> dict[str, str]:
    return {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
