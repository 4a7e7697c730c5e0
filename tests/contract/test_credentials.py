"""The key goes to Claude and nowhere else, even where everything that Claude says repeats it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from escalation import handler as escalation
from pigeonhole import bootstrap
from pigeonhole.adapters.aws import client
from pigeonhole.bootstrap import connect
from pigeonhole.domain.record import Record
from pigeonhole.sandbox.extractor import Extractor
from publish import handler as publish
from sweep import handler as sweep
from tests.contract import moto_cloud
from tests.contract.captured_output import Lines
from tests.contract.claude_server import MESSAGE, Api, OfflineClaude
from tests.contract.lambdas import Context, Stack
from tests.contract.port_harness import EventBridgeBench
from tests.support.builders import stream_record
from triage import handler as triage

# One as they look today, and one as no pattern would know it.
KEYS = ["sk-ant-api03-Quetzalcoatl_4711-AA", "Quetzalcoatl/4711+key"]
KNOWN_BY = "Quetzalcoatl"
INVOICE = "INVOICE No. 7\nBill to: Ada Ltd\nAmount due: 12.00 EUR\nPayment due within 14 days.\n"
KEY = "finance/invoice.txt"


@pytest.fixture(scope="module")
def reader() -> Iterator[Extractor]:
    made = Extractor()
    yield made
    made.close()


@pytest.fixture(params=KEYS, ids=["as they look", "of any look"])
def key(request: pytest.FixtureRequest) -> str:
    said: str = request.param
    return said


@pytest.fixture
def bus(aws: None) -> EventBridgeBench:
    return EventBridgeBench(moto_cloud.client("events"), moto_cloud.client("sqs"))


@pytest.fixture
def stack(
    aws: None, key: str, bus: EventBridgeBench, reader: Extractor, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stack]:
    """A container that has just started, whose key is this one."""
    monkeypatch.setattr(bootstrap, "Extractor", lambda limits: reader)
    made = Stack.made()
    moto_cloud.client("secretsmanager").put_secret_value(SecretId=made.secret, SecretString=key)
    for name, value in made.environment("http://127.0.0.1:9").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("EVENT_BUS_NAME", bus.port._name)
    client.cache_clear()
    connect.cache_clear()
    yield made
    client.cache_clear()
    connect.cache_clear()


def everything(stack: Stack, bus: EventBridgeBench, lines: Lines, *rows: Record) -> str:
    """All that came out: log and metrics, both tables, the bucket, both queues and the events."""
    publish.handle({"Records": [stream_record("1", None, row) for row in rows]}, Context())
    sweep.handle({}, Context())
    tables = [
        stack.dynamodb.scan(TableName=name)["Items"] for name in (moto_cloud.DOCUMENTS, moto_cloud.LEDGER)
    ]
    listed = stack.s3.list_objects_v2(Bucket=moto_cloud.ARTIFACTS).get("Contents", [])
    kept = [
        stack.s3.get_object(Bucket=moto_cloud.ARTIFACTS, Key=each["Key"])["Body"].read() for each in listed
    ]
    queues = [stack.waiting(url) for url in (stack.intake, stack.escalations)]
    return "\n".join(map(str, (lines.text(), tables, kept, queues, bus.heard())))


def echoing(key: str) -> dict[str, Any]:
    """An error body that repeats the key wherever it can."""
    said = f"invalid x-api-key: {key} (bearer {key})"
    return {
        "type": "error",
        "error": {"type": "authentication_error", "message": said, "details": {"key": key}},
        "request_id": key,
    }


def answers(key: str) -> Iterator[tuple[int, object]]:
    """Every kind of answer that is none, each with the key in it."""
    for status in (400, 401, 402, 403, 404, 413, 422, 429, 500, 529):
        yield status, echoing(key)
    rejected = {"type": "invalid_request_error", "message": f"messages.0: {'x' * 250} {key}"}
    yield 400, {"type": "error", "error": rejected}
    for body in ("<html>%s</html>", '{"error": "%s"}', '{"content": "%s"}', '{"content": [{"type": "%s"}]}'):
        yield 200, (body % key).encode()


def test_nothing_that_claude_says_brings_the_key_into_anything_that_comes_out(
    stack: Stack, api: Api, bus: EventBridgeBench, key: str, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_BASE_URL", api.url)
    rows: list[Record] = []
    for number, (status, body) in enumerate(answers(key)):
        api.says(status, body, x_echo=key, retry_after="20")
        triage.handle(stack.queued(stack.upload(f"finance/{number}.txt", INVOICE)), Context())
        assert any(key in (sent or "") for sent in api.keys)
        rows.append(stack.row(f"finance/{number}.txt"))
        assert KNOWN_BY not in str(stack.dynamodb.scan(TableName=moto_cloud.LEDGER)["Items"])
        stack.dynamodb.delete_item(
            TableName=moto_cloud.LEDGER, Key={"pk": {"S": "breaker"}, "sk": {"S": "claude"}}
        )
        connect.cache_clear()
    assert KNOWN_BY not in everything(stack, bus, lines, *rows)
    assert {row.status for row in rows} == {"processing", "parked", "failed"}


def test_nor_does_a_document_that_goes_all_the_way(
    stack: Stack,
    offline: OfflineClaude,
    bus: EventBridgeBench,
    lines: Lines,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLAUDE_BASE_URL", offline.url)
    offline.suffers("low_confidence", model="haiku")
    triage.handle(stack.queued(stack.upload(KEY, INVOICE)), Context())
    escalation.handle(stack.waiting(stack.escalations), Context(seconds=180))
    said = everything(stack, bus, lines, stack.row(KEY))
    assert stack.row(KEY).status == "done"
    assert "Document Done" in said
    assert KNOWN_BY not in said


def test_what_is_looked_through_here_would_show_the_key(
    stack: Stack, api: Api, bus: EventBridgeBench, key: str, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_BASE_URL", api.url)
    answer = {"title": key, "category": "invoice", "confidence": 99, "summary": "s", "language": "en"}
    said = answer | {"evidence": [], "keywords": [], "issue": "none", "runner_up_confidence": 0}
    api.says(200, MESSAGE | {"content": [{"type": "text", "text": json.dumps(said | {"runner_up": "form"})}]})
    triage.handle(stack.queued(stack.upload(KEY, INVOICE)), Context())
    assert everything(stack, bus, lines, stack.row(KEY)).count(KNOWN_BY) >= 3
