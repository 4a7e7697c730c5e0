"""A thousand small uploads through the local stack while all goes wrong: what is lost, or paid twice."""

from __future__ import annotations

import json
import os
import random
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from infra.local.differences import Timeouts
from infra.local.lifecycle import StackOptions, local_stack
from infra.ops.rows import Row, from_dynamodb
from infra.ops.services import operator, settings_of
from infra.ops.stack import OUTCOMES, NoProgress, Stack
from tests.benchmarks.hostility import early, hostility, send, swept, waiting

SIZE = int(os.environ.get("SOAK_SIZE", "1000"))
SEED = int(os.environ.get("SOAK_SEED", "1"))
TIMEOUTS = Timeouts(invocation=20, call=8, visibility=30)
# Of every hundred calls about a third: busy, failing, cut before and after it was billed.
FAULTS = (
    "rate_limit:rate=0.09,retry_after_s=1",
    "overloaded:rate=0.09,retry_after_s=1",
    "server_error:rate=0.1,retry_after_s=2",
    "cut_before:rate=0.04",
    "cut_after_billing:rate=0.06",
)
PATIENCE_S = 240.0
REST_S = 180.0
# Between an answer and its being written down: a worker killed so close to it may have had it in hand.
WINDOW_S = 2.0


def run(on: Path | None) -> Iterator[dict[str, Any]]:
    """SOAK_SIZE and SOAK_SEED change the size and the seed; `on` has no meaning here."""
    chance = random.Random(SEED)
    options = [*FAULTS, "--latency", "0.1", "--low-confidence", "0.1", "--seed", str(SEED)]
    with local_stack(StackOptions(claude_options=options, timeouts=TIMEOUTS)) as stack:
        started = time.monotonic()
        versions, bodies = _uploaded(stack)
        copies = send(stack, chance.sample(bodies, len(bodies) // 3))
        with hostility(stack, bodies, chance) as done:
            rows = _outcomes(stack, versions)
        seconds = time.monotonic() - started
        _rest(stack)
        rows |= _rows(stack, [uri for uri in versions if uri not in rows])
        calls = _ledger(stack)
        yield {
            "documents": len(versions),
            "seconds": seconds,
            "lost": sum(row is None or row["status"] not in OUTCOMES for row in map(rows.get, versions)),
            "stale": sum(row["version_id"] != versions[uri] for uri, row in rows.items()),
            "stuck": _left(stack),
            **_paid(calls, done.kills),
            "calls_per_document": len(calls) / len(versions),
            "statuses": dict(Counter(row["status"] for row in rows.values())),
            "killed": len(done.kills),
            "copies": copies + done.copies,
            "swept": done.swept,
            "faults": dict(Counter(call["fault"] for call in calls if call["fault"])),
        }


def _uploaded(stack: Stack) -> tuple[dict[str, str], list[str]]:
    """All of them while triage sleeps, so that every message can be seen: versions by URI, and bodies."""
    functions = stack.client("lambda")
    name = stack.outputs["TriageFunction"]
    (mapping,) = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    with ThreadPoolExecutor(4) as side_by_side:
        versions = dict(side_by_side.map(lambda number: _drop(stack, number), range(SIZE)))
    bodies: list[str] = []
    while len(bodies) < SIZE:
        time.sleep(0.5)
        bodies = waiting(stack)
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
    return versions, bodies


def _drop(stack: Stack, number: int) -> tuple[str, str]:
    text = (
        f"Invoice {number}\nBill to: Example Ltd {number}\nTotal due: {number}.00 EUR, payable in 30 days\n"
    )
    key, bucket = f"team-{number % 7}/invoice-{number}.txt", stack.outputs["InboxBucket"]
    put = stack.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())
    return stack.uri(key), put["VersionId"]


def _outcomes(stack: Stack, uris: Mapping[str, str]) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    try:
        for row in stack.outcomes(uris, patience=PATIENCE_S):
            rows[row["document"]] = row
    except NoProgress:
        pass
    return rows


def _rest(stack: Stack) -> None:
    """Faults over: whatever is still on its way may come to an end."""
    request = urllib.request.Request(f"{stack.claude_url}/_offline/faults", b'{"faults": []}')
    with urllib.request.urlopen(request, timeout=30):
        pass
    services, deadline = early(stack), time.monotonic() + REST_S
    while _left(stack) and time.monotonic() < deadline:
        swept(services)
        time.sleep(5)


def _left(stack: Stack) -> int:
    """Messages in a queue, jobs that are open, and reservations that nobody gave back."""
    sqs, messages = stack.client("sqs"), 0
    for name in ("IntakeQueueUrl", "EscalationQueueUrl"):
        found = sqs.get_queue_attributes(QueueUrl=stack.outputs[name], AttributeNames=["All"])["Attributes"]
        messages += int(found["ApproximateNumberOfMessages"])
        messages += int(found["ApproximateNumberOfMessagesNotVisible"])
    due = operator(stack).outside.store.due_jobs(datetime.now(UTC) + timedelta(days=365), SIZE)
    return messages + len(due) + _reserved(stack)


def _reserved(stack: Stack) -> int:
    """Leases that are running still; those of the dead end by themselves."""
    now = datetime.now(UTC).isoformat()
    pages = stack.client("dynamodb").get_paginator("scan").paginate(
        TableName=settings_of(stack).ledger_table, FilterExpression="attribute_exists(#l)",
        ExpressionAttributeNames={"#l": "lease"},
    )  # fmt: skip
    held = [from_dynamodb(item) for page in pages for item in page["Items"]]
    return sum(item["lease"]["until"] > now for item in held)


def _rows(stack: Stack, uris: Sequence[str]) -> dict[str, Row]:
    chunks = [uris[start : start + 100] for start in range(0, len(uris), 100)]
    return {uri: row for chunk in chunks for uri, row in stack.rows(chunk).items()}


def _ledger(stack: Stack) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{stack.claude_url}/_offline/ledger", timeout=60) as answer:
        calls: list[dict[str, Any]] = json.load(answer)
    return calls


def _paid(calls: Sequence[Mapping[str, Any]], kills: Sequence[float]) -> dict[str, Any]:
    """Answers that arrived, beyond the first for a document and model: in the window if a kill was near."""
    answers: dict[tuple[str, str], list[float]] = {}
    for call in calls:
        if call["usd"] and call["fault"] != "cut_after_billing":
            at = datetime.fromisoformat(call["at"]).timestamp()
            answers.setdefault((call["document_hash"], call["model"]), []).append(at)
    again = [at for times in answers.values() for at in sorted(times)[:-1]]
    in_window = sum(any(abs(kill - at) <= WINDOW_S for kill in kills) for at in again)
    return {"double_paid_in_window": in_window, "double_paid_outside": len(again) - in_window}
