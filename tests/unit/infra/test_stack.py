"""A stack tells of each outcome once, whatever is slow beside it, and gives rows that JSON can say."""

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
    """A documents table that shows some rows only after a number of looks."""

    def __init__(self, statuses: dict[str, Iterable[str]]) -> None:
        self.shown = {uri: iter(shown) for uri, shown in statuses.items()}
        self.last = dict.fromkeys(statuses, "processing")
        self.largest_look = 0

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - AWS's name
        ((table, asked),) = RequestItems.items()
        uris = [key["document"]["S"] for key in asked["Keys"]]
        self.largest_look = max(self.largest_look, len(uris))
        self.last |= {uri: next(self.shown[uri], self.last[uri]) for uri in uris}
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


def test_each_outcome_is_told_once_and_only_when_it_is_one():
    table = Table(
        {"a": ["processing", "done"], "b": ["escalated", "escalated", "needs_review"], "c": ["failed"]}
    )
    told = [(row["document"], row["status"]) for row in stack(table).outcomes("abc", patience=5, every=0)]
    assert sorted(told) == [("a", "done"), ("b", "needs_review"), ("c", "failed")]


def test_a_hundred_slow_documents_do_not_hide_the_others():
    slow = [f"slow {number}" for number in range(100)]
    quick = [f"quick {number}" for number in range(150)]
    table = Table(dict.fromkeys(slow, ()) | {uri: ["done"] for uri in quick})
    rows = stack(table).outcomes([*slow, *quick], patience=0.2, every=0)
    assert sorted(row["document"] for row in islice(rows, len(quick))) == sorted(quick)
    with pytest.raises(NoProgress):
        next(rows)
    assert table.largest_look == 100


def test_nobody_waits_for_rows_that_are_said_to_be_over():
    table = Table({"a": ["processing", "processing", "parked"], "b": ["processing", "done"], "c": ["parked"]})
    seen = []

    def should_stop(rows: Iterable[Row]) -> bool:
        seen.append({row["document"]: row["status"] for row in rows})
        return all(row["status"] == "parked" for row in rows)

    rows = stack(table).outcomes("abc", patience=60, every=0, should_stop=should_stop)
    assert next(rows)["document"] == "b"
    with pytest.raises(NoProgress):
        next(rows)
    assert seen[-1] == {"a": "parked", "c": "parked"}


def test_nothing_should_stop_while_a_row_is_missing():
    parked = [f"parked {number}" for number in range(100)]
    table = Table({**dict.fromkeys(parked, ("parked",)), "late": ()})
    table.last["late"] = "done"
    assert [row["document"] for row in _until_over(table, [*parked, "late"])] == ["late"]


def _until_over(table: Table, uris: Iterable[str]) -> Iterator[Row]:
    with suppress(NoProgress):
        yield from stack(table).outcomes(uris, patience=60, every=0, should_stop=lambda _: True)


def test_nothing_to_wait_for_should_stop_at_once():
    assert list(stack(Table({})).outcomes([], patience=0)) == []


def test_a_row_that_does_not_come_is_a_timeout_that_says_what_it_was():
    with pytest.raises(TimeoutError, match="s3://inbox/x is processing after 0 s"):
        stack(Table({"s3://inbox/x": []})).wait_row("s3://inbox/x", timeout=0)


def test_a_row_is_plain_enough_for_json():
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
