"""A stack gives each outcome once, however slow other documents are, and rows as JSON values."""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from decimal import Decimal
from itertools import islice
from typing import Any

import pytest

from infra.ops.rows import Row, from_dynamodb
from infra.ops.stack import NoProgress, Stack


class Table:
    """A documents table whose rows change their status with each read."""

    def __init__(self, statuses: dict[str, Iterable[str]]) -> None:
        self.statuses = {uri: iter(each) for uri, each in statuses.items()}
        self.last = dict.fromkeys(statuses, "processing")
        self.largest_batch = 0

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - AWS's name
        ((table, request),) = RequestItems.items()
        uris = [key["document"]["S"] for key in request["Keys"]]
        self.largest_batch = max(self.largest_batch, len(uris))
        self.last |= {uri: next(self.statuses[uri], self.last[uri]) for uri in uris}
        return {"Responses": {table: [{"document": {"S": u}, "status": {"S": self.last[u]}} for u in uris]}}


def stack(table: Table) -> Stack:
    return Stack(
        endpoint_url=None,
        region=None,
        access_key_id=None,
        secret_access_key=None,
        claude_url=None,
        outputs={"DocumentsTable": "documents", "InboxBucket": "inbox"},
        _clients={"dynamodb": table},
    )


def test_each_outcome_is_given_once_and_other_statuses_are_not():
    table = Table(
        {"a": ["processing", "done"], "b": ["escalated", "escalated", "needs_review"], "c": ["failed"]}
    )
    outcomes = [(row["document"], row["status"]) for row in stack(table).outcomes("abc", patience=5, every=0)]
    assert sorted(outcomes) == [("a", "done"), ("b", "needs_review"), ("c", "failed")]


def test_a_hundred_slow_documents_do_not_delay_the_others():
    slow = [f"slow {number}" for number in range(100)]
    quick = [f"quick {number}" for number in range(150)]
    table = Table(dict.fromkeys(slow, ()) | {uri: ["done"] for uri in quick})
    rows = stack(table).outcomes([*slow, *quick], patience=0.2, every=0)
    assert sorted(row["document"] for row in islice(rows, len(quick))) == sorted(quick)
    with pytest.raises(NoProgress):
        next(rows)
    assert table.largest_batch == 100


def test_waiting_stops_when_the_condition_holds_for_all_that_are_left():
    table = Table({"a": ["processing", "processing", "parked"], "b": ["processing", "done"], "c": ["parked"]})
    calls = []

    def should_stop(rows: Iterable[Row]) -> bool:
        calls.append({row["document"]: row["status"] for row in rows})
        return all(row["status"] == "parked" for row in rows)

    rows = stack(table).outcomes("abc", patience=60, every=0, should_stop=should_stop)
    assert next(rows)["document"] == "b"
    with pytest.raises(NoProgress):
        next(rows)
    assert calls[-1] == {"a": "parked", "c": "parked"}


def test_waiting_does_not_stop_while_a_row_is_missing():
    parked = [f"parked {number}" for number in range(100)]
    table = Table({**dict.fromkeys(parked, ("parked",)), "late": ()})
    table.last["late"] = "done"
    assert [row["document"] for row in _until_over(table, [*parked, "late"])] == ["late"]


def _until_over(table: Table, uris: Iterable[str]) -> Iterator[Row]:
    with suppress(NoProgress):
        yield from stack(table).outcomes(uris, patience=60, every=0, should_stop=lambda _: True)


def test_without_documents_waiting_ends_at_once():
    assert list(stack(Table({})).outcomes([], patience=0)) == []


def test_a_status_that_is_not_reached_is_a_timeout_that_names_the_last_one():
    with pytest.raises(TimeoutError, match="s3://inbox/x is processing after 0 s"):
        stack(Table({"s3://inbox/x": []})).wait_row("s3://inbox/x", timeout=0)


def test_a_row_consists_of_json_values():
    row = from_dynamodb(
        {
            "confidence": {"N": "0.85"},
            "run": {"N": "1"},
            "cost_usd": {"N": "0.00034"},
            "keywords": {"L": [{"S": "é"}]},
            "coverage": {"M": {"truncated": {"BOOL": False}}},
            "tags": {"SS": ["b", "a"]},
        }
    )
    assert json.loads(json.dumps(row)) == {
        "confidence": 0.85,
        "run": 1,
        "cost_usd": 0.00034,
        "keywords": ["é"],
        "coverage": {"truncated": False},
        "tags": ["a", "b"],
    }
    assert not isinstance(row["run"], Decimal)
