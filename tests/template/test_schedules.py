"""publish and sweep: what feeds them, how long they try, and where what fails stays visible."""

from __future__ import annotations

import json

from pigeonhole.domain.row_attributes import PUBLISHED
from tests.support.template import Properties, stack

HOUR = 60 * 60
STREAM_KEEPS = 24 * HOUR


def stream() -> Properties:
    (mapping,) = (
        each
        for each in stack().of("Lambda::EventSourceMapping").values()
        if each["FunctionName"] == "PublishFunction"
    )
    return mapping


def test_publish_follows_the_rows_from_the_first_one_on():
    assert stream()["EventSourceArn"] == "DocumentsTable.StreamArn"
    assert stream()["StartingPosition"] == "TRIM_HORIZON"
    assert stream()["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_publish_is_woken_for_every_status_that_is_published_and_for_no_other():
    (each,) = stream()["FilterCriteria"]["Filters"]
    wanted = {"NewImage": {"status": {"S": statuses_of(each)}}}
    assert json.loads(each["Pattern"]) == {"dynamodb": wanted}
    assert set(statuses_of(each)) == PUBLISHED


def statuses_of(each: Properties) -> list[str]:
    statuses: list[str] = json.loads(each["Pattern"])["dynamodb"]["NewImage"]["status"]["S"]
    return statuses


def test_one_bad_record_does_not_take_its_batch_along_and_does_not_stop_the_others_for_ever():
    assert stream()["BisectBatchOnFunctionError"] is True
    assert 0 < stream()["MaximumRecordAgeInSeconds"] <= STREAM_KEEPS / 2


def test_what_is_given_up_is_named_in_a_queue_that_keeps_the_name_longer_than_the_record_lives():
    assert stream()["DestinationConfig"] == {"OnFailure": {"Destination": "UnpublishedQueue.Arn"}}
    assert stack().of("SQS::Queue")["UnpublishedQueue"]["MessageRetentionPeriod"] > STREAM_KEEPS


def test_outcomes_go_to_a_bus_of_their_own_that_the_functions_know():
    assert stack().of("Events::EventBus") == {"EventBus": {"Name": "papers-documents"}}
    variables = stack().of("Lambda::Function")["PublishFunction"]["Environment"]["Variables"]
    assert variables["EVENT_BUS_NAME"] == stack().outputs["EventBusName"] == "EventBus"


def test_sweep_runs_every_minute():
    (rule,) = stack().of("Events::Rule").values()
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert [each["Arn"] for each in rule["Targets"]] == ["SweepFunction.Arn"]
    (permission,) = stack().of("Lambda::Permission").values()
    assert (permission["FunctionName"], permission["Principal"]) == ("SweepFunction", "events.amazonaws.com")


def test_open_jobs_are_found_by_their_due_time_and_nothing_else_is_copied():
    ledger = stack().of("DynamoDB::Table")["LedgerTable"]
    (index,) = ledger["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "open_by_due"
    assert [each["AttributeName"] for each in index["KeySchema"]] == ["open", "due_at"]
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    assert {"AttributeName": "due_at", "AttributeType": "S"} in ledger["AttributeDefinitions"]
