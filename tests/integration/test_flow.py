"""The whole way, for real: files dropped into the bucket, through the real functions, to their rows."""

import json
import tomllib
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest

from infra.ops.rows import Row
from infra.ops.stack import Stack
from pigeonhole.domain.record import Record

DOCUMENTS = Path(__file__).parent.parent / "documents"
SAMPLES = tomllib.loads((DOCUMENTS / "samples.toml").read_text("utf-8"))

INVOICE = b"""INVOICE

Invoice number: 4711
Invoice date: 3 November 2026
Bill to: Harrow & Pike Ltd

Amount due: 240.00 EUR, payment due by 3 December 2026. Please remit by bank transfer to the IBAN below.
"""


@pytest.fixture(scope="module")
def sample_rows(stack: Stack) -> dict[str, Row]:
    """The rows of all samples, each under a folder of its own."""
    uris = {stack.upload(f"samples/{name}", DOCUMENTS / "samples" / name): name for name in SAMPLES}
    return {uris[row["document"]]: row for row in stack.outcomes(uris, patience=90)}


@pytest.fixture
def folder() -> str:
    return f"flow-{uuid.uuid4().hex[:8]}"


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_ends_as_it_should(sample_rows: dict[str, Row], name: str) -> None:
    row, expected = sample_rows[name], SAMPLES[name]
    assert row["status"] in expected["status"]
    assert row.get("error", {}).get("code") == expected.get("error")
    if row["status"] == "done":
        assert row["category"] in expected["category"]
    assert row.get("tier") == expected.get("tier", row.get("tier"))


def test_every_row_keeps_the_published_schema(sample_rows: dict[str, Row]) -> None:
    assert len(sample_rows) == len(SAMPLES)
    for row in sample_rows.values():
        Record.model_validate(row)


def test_every_row_says_what_was_read_and_what_it_cost(sample_rows: dict[str, Row]) -> None:
    for name, row in sample_rows.items():
        if row["status"] != "failed":
            assert row["coverage"]["chars_read"] >= 0, name
            assert row["cost_usd"] > 0, name


def test_the_text_of_a_document_is_kept(stack: Stack, folder: str) -> None:
    row = stack.wait_row(stack.upload(f"{folder}/invoice.txt", INVOICE))
    bucket, _, key = row["text_uri"].removeprefix("s3://").partition("/")
    saved = stack.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    assert b"Amount due: 240.00 EUR" in saved


def test_a_second_delivery_is_not_paid_for(
    stack: Stack, folder: str, claude_ledger: Callable[[], list[dict[str, Any]]]
) -> None:
    uri = stack.upload(f"{folder}/once.txt", INVOICE + folder.encode())
    row = stack.wait_row(uri)
    asked = len(claude_ledger())
    _deliver(stack, "Intake", _notification(stack, row))
    marker = stack.wait_row(stack.upload(f"{folder}/after.txt", INVOICE + b"after" + folder.encode()))
    assert marker["status"] == "done"
    assert stack.row(uri) == row
    assert len(claude_ledger()) == asked + 1


def test_a_hard_case_gets_a_second_opinion(stack: Stack, folder: str, claude_is: Callable[..., None]) -> None:
    claude_is(low_confidence_share=1.0)
    row = stack.wait_row(stack.upload(f"{folder}/hard.txt", INVOICE + folder.encode()))
    assert "low_confidence" in row["escalation_reasons"]
    assert set(row["usage"]) == {"claude-haiku-5-5", "claude-sonnet-5-5"}


def test_a_refusal_of_both_models_is_left_to_a_person(
    stack: Stack, folder: str, claude_is: Callable[..., None]
) -> None:
    claude_is(faults=[{"kind": "refusal", "marker": folder}])
    row = stack.wait_row(stack.upload(f"{folder}/refused.txt", INVOICE + folder.encode()))
    assert (row["status"], row["review_reasons"]) == ("needs_review", ["refused"])


def test_a_busy_claude_only_delays(stack: Stack, folder: str, claude_is: Callable[..., None]) -> None:
    claude_is(faults=[{"kind": "rate_limit", "next": 1, "retry_after_s": 1}])
    row = stack.wait_row(stack.upload(f"{folder}/later.txt", INVOICE + folder.encode()))
    assert row["status"] == "done"


def test_a_removed_file_leaves_a_tombstone(stack: Stack, folder: str) -> None:
    uri = stack.upload(f"{folder}/gone.txt", INVOICE + folder.encode())
    stack.wait_row(uri)
    stack.client("s3").delete_object(Bucket=stack.outputs["InboxBucket"], Key=f"{folder}/gone.txt")
    row = stack.wait_row(uri, {"removed"})
    assert "category" not in row
    assert row["expires_at"] > 0


def test_a_new_version_replaces_the_old_answer(stack: Stack, folder: str) -> None:
    uri = stack.upload(f"{folder}/twice.txt", INVOICE + folder.encode())
    first = stack.wait_row(uri)
    stack.upload(f"{folder}/twice.txt", b"")
    second = stack.wait_row(uri, {"failed"})
    assert second["version_id"] != first["version_id"]
    assert second["error"]["code"] == "empty"
    assert "category" not in second


@pytest.mark.parametrize(
    "name",
    ["two words.txt", "a+b%20c%.txt", "😀 & co.txt", "é" * 400, "deep/er/and/deeper.txt", "k" * 1000],
    ids=["spaces", "plus and percent", "emoji", "two bytes each", "folders", "1,024 bytes"],
)
def test_any_name_is_read_back(stack: Stack, folder: str, name: str) -> None:
    key = f"{folder}/{name}"
    row = stack.wait_row(stack.upload(key, INVOICE + name.encode()))
    assert (row["key"], row["status"]) == (key, "done")


def test_a_message_that_is_no_event_is_kept_and_holds_up_nothing(stack: Stack, folder: str) -> None:
    _deliver(stack, "Intake", f"no event at all {folder}")
    _deliver(stack, "Escalation", f"no task at all {folder}")
    assert stack.wait_row(stack.upload(f"{folder}/neighbour.txt", INVOICE))["status"] == "done"
    assert {f"no event at all {folder}", f"no task at all {folder}"} <= _unreadable(stack, folder)


def test_s3s_own_test_event_is_no_document(stack: Stack, folder: str) -> None:
    _deliver(stack, "Intake", json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"}))
    assert stack.wait_row(stack.upload(f"{folder}/next.txt", INVOICE))["status"] == "done"
    assert not any("TestEvent" in body for body in _unreadable(stack, folder))


def test_a_dead_letter_ends_in_a_row(stack: Stack, folder: str) -> None:
    uri = stack.uri(f"{folder}/dead.txt")
    letter = _notification(
        stack, {"key": f"{folder}/dead.txt", "version_id": "never-was", "sequencer": "F" * 64}
    )
    _deliver(stack, "IntakeDead", letter)
    row = stack.wait_row(uri)
    assert (row["status"], row["error"]["code"]) == ("failed", "gave_up")
    assert row["error"]["next_step"]


def test_a_dead_letter_that_is_no_event_is_kept(stack: Stack, folder: str) -> None:
    _deliver(stack, "IntakeDead", f"dead and no event {folder}")
    assert f"dead and no event {folder}" in _unreadable(stack, folder, wait=1)


def _deliver(stack: Stack, queue: str, body: str) -> None:
    """Put a message into a queue, as S3 or a redelivery would."""
    known = stack.outputs["IntakeQueueUrl"], stack.outputs["EscalationQueueUrl"]
    sqs = stack.client("sqs")
    urls = {
        "Intake": known[0],
        "Escalation": known[1],
        "IntakeDead": next(u for u in sqs.list_queues()["QueueUrls"] if "IntakeDead" in u),
    }
    sqs.send_message(QueueUrl=urls[queue], MessageBody=body)


def _notification(stack: Stack, row: dict[str, Any]) -> str:
    thing = {"key": quote_plus(row["key"]), "versionId": row["version_id"], "sequencer": row["sequencer"]}
    bucket = {"name": stack.outputs["InboxBucket"]}
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventTime": "2026-11-22T12:00:00.000Z",
        "s3": {"bucket": bucket, "object": thing},
    }
    return json.dumps({"Records": [record]})


def _unreadable(stack: Stack, marker: str, *, wait: int = 2) -> set[str]:
    """The bodies kept under `unreadable/` that hold the marker, once there are that many."""
    import time

    s3, bucket = stack.client("s3"), stack.outputs["ArtifactsBucket"]
    found: set[str] = set()
    for _ in range(100):
        kept = s3.list_objects_v2(Bucket=bucket, Prefix="unreadable/").get("Contents", [])
        bodies = [json.load(s3.get_object(Bucket=bucket, Key=each["Key"])["Body"])["body"] for each in kept]
        found = {body for body in bodies if marker in body}
        if len(found) >= wait:
            break
        time.sleep(0.2)
    return found
