"""The functions as Lambda calls them: an event in, rows and a batch report out, and nothing raised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from dead_letter import handler as dead_letter
from escalation import handler as escalation
from pigeonhole import bootstrap
from pigeonhole.adapters.aws import client
from pigeonhole.adapters.lambda_events import UnfinishedError
from pigeonhole.bootstrap import connect
from pigeonhole.domain.document import Tier
from pigeonhole.domain.row_attributes import Status
from pigeonhole.sandbox.extractor import Extractor
from tests.contract.captured_output import Lines
from tests.contract.claude_server import OfflineClaude
from tests.contract.lambdas import Context, Stack, bridged
from triage import handler as triage

SECRET = "Quetzalcoatl-4711"
INVOICE = f"INVOICE No. 7\nBill to: {SECRET} Ltd\nAmount due: 12.00 EUR\nPayment due within 14 days.\n"
KEY = "finance/Rechnung + 50% 😀.txt"
ALL_DONE: dict[str, list[Any]] = {"batchItemFailures": []}


@pytest.fixture(scope="module")
def reader() -> Iterator[Extractor]:
    made = Extractor()
    yield made
    made.close()


@pytest.fixture
def stack(
    aws: None, offline: OfflineClaude, reader: Extractor, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stack]:
    """A container that has just started, and what it names."""
    monkeypatch.setattr(bootstrap, "Extractor", lambda limits: reader)
    made = Stack.made()
    for name, value in made.environment(offline.url).items():
        monkeypatch.setenv(name, value)
    client.cache_clear()
    connect.cache_clear()
    yield made
    client.cache_clear()
    connect.cache_clear()


def test_a_batch_of_uploads_becomes_rows(stack: Stack, offline: OfflineClaude) -> None:
    uploads = [stack.upload(f"finance/{number} + ü.txt", f"{INVOICE} {number}") for number in range(3)]
    assert triage.handle(stack.queued(*uploads), Context()) == ALL_DONE
    rows = [stack.row(f"finance/{number} + ü.txt") for number in range(3)]
    assert {(row.status, row.category, row.tier) for row in rows} == {(Status.DONE, "invoice", "fast")}
    assert len(offline.ledger()) == 3
    assert all(row.cost_usd for row in rows)


def test_a_message_that_comes_again_costs_nothing(stack: Stack, offline: OfflineClaude) -> None:
    event = stack.upload(KEY, INVOICE)
    for _ in range(2):
        assert triage.handle(stack.queued(event), Context()) == ALL_DONE
    assert len(offline.ledger()) == 1


def test_a_hard_case_travels_to_the_strong_model(stack: Stack, offline: OfflineClaude) -> None:
    offline.suffers("low_confidence", model="haiku")
    assert triage.handle(stack.queued(stack.upload(KEY, INVOICE)), Context()) == ALL_DONE
    assert (stack.row(KEY).status, stack.row(KEY).tier) == (Status.ESCALATED, Tier.FAST)
    handed = stack.waiting(stack.escalations)
    assert escalation.handle(handed, Context(seconds=180)) == ALL_DONE
    assert (stack.row(KEY).status, stack.row(KEY).tier) == (Status.DONE, Tier.STRONG)
    assert [entry["model"] for entry in offline.ledger()] == ["claude-haiku-5-5", "claude-sonnet-5-5"]
    assert set(stack.row(KEY).usage or {}) == {"claude-haiku-5-5", "claude-sonnet-5-5"}


def test_what_is_unfinished_is_named_and_requeued_and_its_neighbours_are_done(
    stack: Stack, offline: OfflineClaude
) -> None:
    offline.suffers("rate_limit", marker="TROUBLE", retry_after_s=60)
    good, bad = stack.upload("a/good.txt", INVOICE), stack.upload("a/bad.txt", f"{INVOICE} TROUBLE")
    event = stack.queued(good, bad)
    [failed] = triage.handle(event, Context())["batchItemFailures"]
    named = [each["body"] for each in event["Records"] if each["messageId"] == failed["itemIdentifier"]]
    assert named == [json.dumps(bad)]
    assert stack.row("a/good.txt").status is Status.DONE
    assert stack.row("a/bad.txt").status is Status.PROCESSING
    assert stack.waiting(stack.intake) == {"Records": []}


def test_a_requeued_document_is_finished_the_next_time(stack: Stack, offline: OfflineClaude) -> None:
    event = stack.upload(KEY, INVOICE)
    offline.suffers("server_error", next=1)
    assert triage.handle(stack.queued(event), Context()) != ALL_DONE
    assert triage.handle(stack.queued(event), Context()) == ALL_DONE
    assert stack.row(KEY).status is Status.DONE


def test_no_call_begins_that_would_outlast_the_invocation(stack: Stack, offline: OfflineClaude) -> None:
    event = stack.queued(stack.upload(KEY, INVOICE))
    assert len(triage.handle(event, Context(seconds=20))["batchItemFailures"]) == 1
    assert offline.ledger() == []


@pytest.mark.parametrize("function", [triage, escalation, dead_letter], ids=lambda module: module.__name__)
def test_a_message_that_nobody_can_read_is_quarantined(stack: Stack, function: Any, lines: Lines) -> None:
    body = f"{function.__name__}: not json {SECRET}"
    assert function.handle(stack.queued(body), Context()) == ALL_DONE
    assert body in stack.unreadable()
    assert counted(lines())["Unreadable"] == 1


def test_a_message_in_the_wrong_queue_is_quarantined(stack: Stack) -> None:
    event = stack.upload(KEY, INVOICE)
    assert escalation.handle(stack.queued(event), Context()) == ALL_DONE
    assert json.dumps(event) in stack.unreadable()


def test_s3s_test_message_leaves_nothing_behind(stack: Stack, lines: Lines) -> None:
    before = stack.unreadable()
    hello = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "inbox"}
    assert triage.handle(stack.queued(hello), Context()) == ALL_DONE
    assert stack.unreadable() == before
    assert lines() == []


def test_a_removal_shows_in_the_row(stack: Stack) -> None:
    triage.handle(stack.queued(stack.upload(KEY, INVOICE)), Context())
    assert triage.handle(stack.queued(stack.remove(KEY)), Context()) == ALL_DONE
    assert stack.row(KEY).status is Status.REMOVED


@pytest.mark.parametrize("way", ["s3", "eventbridge"])
def test_the_function_can_be_wired_without_a_queue(stack: Stack, offline: OfflineClaude, way: str) -> None:
    event = stack.upload(KEY, INVOICE)
    event = bridged(event, KEY) if way == "eventbridge" else event
    offline.suffers("server_error", next=1)
    with pytest.raises(UnfinishedError):
        triage.handle(event, Context())
    assert triage.handle(event, Context()) == ALL_DONE
    assert stack.row(KEY).status is Status.DONE


def test_a_dead_upload_gets_a_row_that_says_so(stack: Stack, offline: OfflineClaude, lines: Lines) -> None:
    event = stack.queued(stack.upload(KEY, INVOICE), "no json either")
    assert dead_letter.handle(event, Context()) == ALL_DONE
    row = stack.row(KEY)
    assert (row.status, row.error and row.error.code) == (Status.FAILED, "gave_up")
    assert counted(lines())["DeadLettered"] == 2
    assert offline.ledger() == []


def test_a_dead_hard_case_keeps_its_fast_answer(stack: Stack, offline: OfflineClaude) -> None:
    offline.suffers("low_confidence")
    triage.handle(stack.queued(stack.upload(KEY, INVOICE)), Context())
    assert dead_letter.handle(stack.waiting(stack.escalations), Context()) == ALL_DONE
    row = stack.row(KEY)
    assert (row.status, row.category, row.tier) == (Status.NEEDS_REVIEW, "invoice", Tier.FAST)
    assert row.error is not None


def test_a_dead_letter_of_a_finished_document_changes_nothing(stack: Stack) -> None:
    event = stack.upload(KEY, INVOICE)
    triage.handle(stack.queued(event), Context())
    before = stack.row(KEY)
    assert dead_letter.handle(stack.queued(event), Context()) == ALL_DONE
    assert stack.row(KEY) == before


def test_the_log_says_what_happened_and_nothing_of_what_was_read(stack: Stack, lines: Lines) -> None:
    triage.handle(stack.queued(stack.upload(KEY, INVOICE), f"not json {SECRET}"), Context())
    dead_letter.handle(stack.queued(stack.upload("a/b.txt", INVOICE)), Context())
    text = lines.text()
    assert SECRET not in text
    written = [json.loads(line) for line in text.splitlines()]
    assert [line["document"] for line in written if line.get("message") == "done"] == [f"s3://inbox/{KEY}"]
    for line in written:
        assert line["service"] == "pigeonhole"


def test_a_missing_key_parks_what_comes_and_fails_nothing(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    monkeypatch.setenv("API_KEY_SECRET_ARN", stack.secret.replace("key-", "no-key-"))
    assert triage.handle(stack.queued(stack.upload(KEY, INVOICE)), Context()) == ALL_DONE
    row = stack.row(KEY)
    assert row.status is Status.PARKED
    assert row.waiting is not None
    assert row.waiting.reason == "credentials"
    assert counted(lines())["Parked"] == 1


def counted(written: list[dict[str, Any]]) -> dict[str, float]:
    """The metrics of one invocation."""
    [metrics] = [line for line in written if "_aws" in line]
    [block] = metrics["_aws"]["CloudWatchMetrics"]
    assert (block["Namespace"], block["Dimensions"]) == ("Pigeonhole", [["service"]])
    assert metrics["service"] == "pigeonhole"
    return {each["Name"]: sum(metrics[each["Name"]]) for each in block["Metrics"]}
