"""What becomes of documents is published on the bus, and what waits is found by sweep: on the local stack."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from infra.ops.stack import Stack
from pigeonhole.domain.outcome_event import SOURCE

INVOICE = b"Invoice 4712\nBill to: Example Ltd\nTotal due: 120.00 EUR, payable within 30 days\n"


class Listener:
    """A queue that a rule of the stack's bus fills."""

    def __init__(self, stack: Stack) -> None:
        self._sqs, self._events = stack.client("sqs"), stack.client("events")
        self._bus, self._heard = stack.outputs["EventBusName"], dict[str, dict[str, Any]]()
        self._url = self._sqs.create_queue(QueueName="listener")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        pattern = json.dumps({"source": [SOURCE]})
        rule = self._events.put_rule(Name="listener", EventBusName=self._bus, EventPattern=pattern)["RuleArn"]
        self._sqs.set_queue_attributes(
            QueueUrl=self._url, Attributes={"Policy": json.dumps(_policy(arn, rule))}
        )
        self._events.put_targets(Rule="listener", EventBusName=self._bus, Targets=[{"Id": "1", "Arn": arn}])

    def stop(self) -> None:
        self._events.remove_targets(Rule="listener", EventBusName=self._bus, Ids=["1"])
        self._events.delete_rule(Name="listener", EventBusName=self._bus)
        self._sqs.delete_queue(QueueUrl=self._url)

    def hear(self, event_id: str, *, timeout: float = 30) -> dict[str, Any]:
        deadline = time.monotonic() + timeout
        while event_id not in self._heard and time.monotonic() < deadline:
            found = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            events = [json.loads(each["Body"]) for each in found.get("Messages", [])]
            self._heard |= {event["detail"]["event_id"]: event for event in events}
        return self._heard[event_id]


@pytest.fixture
def listener(stack: Stack) -> Iterator[Listener]:
    listening = Listener(stack)
    yield listening
    listening.stop()


def test_an_outcome_and_a_removal_are_each_published_with_the_row(stack: Stack, listener: Listener):
    uri = stack.upload("published/invoice.txt", INVOICE)
    row = stack.wait_row(uri)
    event = listener.hear(row["outcome_id"])
    assert (event["source"], event["detail-type"]) == (SOURCE, "Document Done")
    assert event["detail"].items() >= {"document": uri, "category": "invoice", "schema": 1}.items()
    assert not {"evidence", "text_uri"} & event["detail"].keys()
    stack.client("s3").delete_object(Bucket=stack.outputs["InboxBucket"], Key="published/invoice.txt")
    removed = stack.wait_row(uri, {"removed"})
    assert listener.hear(removed["outcome_id"])["detail-type"] == "Document Removed"


def test_sweep_may_do_what_it_does_and_finds_nothing_to_do(stack: Stack):
    assert stack.sweep() == 0


def _policy(queue: str, rule: str) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}
