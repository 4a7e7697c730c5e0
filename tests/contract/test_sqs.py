"""The queues: what is sent arrives as it was, what is requeued comes again when it was told to."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from botocore.stub import Stubber

from pigeonhole.adapters.sqs import SqsQueues
from pigeonhole.domain.document import Stage
from pigeonhole.domain.errors import Defect, TryLater
from pigeonhole.jobs.job import Task
from pigeonhole.jobs.message import Message
from tests.contract import moto_cloud
from tests.contract.port_harness import QueuesBench, SqsBench
from tests.support.builders import upload

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/intake"
URLS = {Stage.TRIAGE: URL, Stage.ESCALATION: URL}
KEYS = ["finance/a.txt", "a.txt", "Büro 数/😀 + 50%.pdf", "-" * 300 + "/x", " /x", '!"#$/x']


@pytest.fixture
def sqs(aws: None) -> SqsBench:
    return SqsBench(moto_cloud.client("sqs"))


@pytest.mark.parametrize("key", KEYS, ids=["team", "no team", "odd", "long", "space", "signs"])
def test_a_task_about_a_document_of_any_name_arrives_as_it_was_sent(queues: QueuesBench, key: str) -> None:
    task = Task(upload=upload(key), stage=Stage.ESCALATION)
    queues.port.send(task)
    assert queues.tasks(Stage.ESCALATION) == [task]


@pytest.mark.parametrize("stage", [Stage.TRIAGE, Stage.ESCALATION])
def test_a_task_goes_into_its_stages_queue_alone(queues: QueuesBench, stage: Stage) -> None:
    task = Task(upload=upload(), stage=stage)
    queues.port.send(task)
    arrived = {each: queues.tasks(each) for each in (Stage.TRIAGE, Stage.ESCALATION)}
    assert arrived == {Stage.TRIAGE: [], Stage.ESCALATION: []} | {stage: [task]}


def test_nothing_of_a_task_is_lost_on_the_way(queues: QueuesBench) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    full = replace(upload(), uploaded_at=moment, etag="abc", size_bytes=0)
    bare = replace(upload("finance/b.txt"), etag=None, size_bytes=None)
    tasks = [Task(upload=full, run=7, forced=True), Task(upload=bare)]
    for each in tasks:
        queues.port.send(each)
    assert sorted(queues.tasks(Stage.TRIAGE), key=lambda each: -each.run) == tasks


@pytest.mark.parametrize("key", KEYS, ids=["team", "no team", "odd", "long", "space", "signs"])
def test_a_team_waits_in_a_group_with_a_legal_name(sqs: SqsBench, key: str) -> None:
    sqs.port.send(Task(upload=upload(key)))
    assert re.fullmatch(r"[!-~]{1,128}", sqs.groups(Stage.TRIAGE)[0])


def test_each_team_waits_in_a_group_of_its_own(sqs: SqsBench) -> None:
    for key in ("finance/a.txt", "sales/a.txt", "finance/b.txt"):
        sqs.port.send(Task(upload=upload(key)))
    assert sorted(sqs.groups(Stage.TRIAGE)) == ["finance", "finance", "sales"]


def test_a_requeued_message_is_there_again(sqs: SqsBench) -> None:
    sqs.sqs.send_message(QueueUrl=sqs.intake, MessageBody="body")
    [message] = sqs.received()
    assert sqs.received() == []
    sqs.port.requeue(message, 0)
    [again] = sqs.received()
    assert again.id == message.id


def test_a_message_requeued_for_later_stays_away_until_then(sqs: SqsBench) -> None:
    sqs.sqs.send_message(QueueUrl=sqs.intake, MessageBody="body")
    [message] = sqs.received()
    sqs.port.requeue(message, 900.4)
    assert sqs.received() == []


@pytest.mark.parametrize(("seconds", "visible_in"), [(0.2, 0), (12.6, 13), (43_000.0, 43_000)])
def test_the_wait_is_in_whole_seconds(seconds: float, visible_in: int) -> None:
    client = moto_cloud.client("sqs", aws_access_key_id="x", aws_secret_access_key="y")
    expected = {"QueueUrl": URL, "ReceiptHandle": "r", "VisibilityTimeout": visible_in}
    with Stubber(client) as stub:
        stub.add_response("change_message_visibility", {}, expected)
        SqsQueues(client, URLS, own=URL).requeue(Message(id="m", receipt="r"), seconds)
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("receipt", "own"), [("", URL), ("r", None)], ids=["invoked directly", "no queue of our own"]
)
def test_a_message_that_was_not_taken_from_our_queue_is_left_alone(receipt: str, own: str | None) -> None:
    client = moto_cloud.client("sqs", aws_access_key_id="x", aws_secret_access_key="y")
    with Stubber(client):  # any call would fail
        SqsQueues(client, URLS, own=own).requeue(Message(id="m", receipt=receipt), 10)


@pytest.mark.parametrize(
    ("code", "expected"),
    [("RequestThrottled", TryLater), ("AWS.SimpleQueueService.NonExistentQueue", Defect)],
)
def test_a_queue_that_says_no_is_busy_or_ours_to_mend(code: str, expected: type[Exception]) -> None:
    client = moto_cloud.client("sqs", aws_access_key_id="x", aws_secret_access_key="y")
    with Stubber(client) as stub:
        stub.add_client_error("send_message", code, http_status_code=400)
        with pytest.raises(expected):
            SqsQueues(client, URLS, own=URL).send(Task(upload=upload()))
