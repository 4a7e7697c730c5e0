"""What only DynamoDB can show: native types, what is forgotten and when, and its ways of saying no."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from botocore.stub import Stubber

from infra.ops import template
from pigeonhole.adapters.aws_clients import client
from pigeonhole.adapters.dynamodb import DynamoLedger
from pigeonhole.domain.document import Defect, TryLater
from pigeonhole.domain.record import Record, Status
from pigeonhole.ports import Entry, Gate, Swap
from tests.contract import moto_cloud
from tests.contract.claude_server import Api
from tests.contract.test_stores import ANSWER, GATE, full_row, full_work, put
from tests.support.builders import record, upload, work
from tests.support.fakes import START

DAY = 24 * 60 * 60


def raw(table: str, *keys: str) -> dict[str, Any]:
    """The item as DynamoDB holds it, types and all."""
    names = ["document"] if table == moto_cloud.DOCUMENTS else ["pk", "sk"]
    key = {name: {"S": value} for name, value in zip(names, keys, strict=True)}
    found: dict[str, Any] = moto_cloud.client("dynamodb").get_item(TableName=table, Key=key)["Item"]
    return found


def plain(item: dict[str, Any]) -> dict[str, Any]:
    deserializer = TypeDeserializer()
    return {name: deserializer.deserialize(value) for name, value in item.items()}


def work_item() -> dict[str, Any]:
    return raw(moto_cloud.LEDGER, upload().document, "v#v1#00001")


def test_a_row_is_in_native_types_and_says_nothing_about_what_it_lacks(dynamo_ledger: DynamoLedger) -> None:
    put(dynamo_ledger, full_row(), record())
    row = raw(moto_cloud.DOCUMENTS, full_row().document)
    assert not set(Record.model_fields) - {"schema_version"} - row.keys()
    assert row["schema"] == row["run"] == {"N": "1"}
    assert row["confidence"] == {"N": "0.95"}
    assert row["cost_usd"] == {"N": "0.00012345678901"}
    assert row["keywords"] == {"L": [{"S": "a"}, {"S": "b"}]}
    assert row["coverage"]["M"]["truncated"] == {"BOOL": True}
    assert row["usage"]["M"]["claude-haiku-5-5"]["M"]["input_tokens"] == {"N": "1000"}
    assert row["error"]["M"]["code"] == {"S": "corrupt"}
    assert row["waiting"]["M"]["for"] == {"S": "claude"}
    assert "category" not in raw(moto_cloud.DOCUMENTS, record().document)


@pytest.mark.parametrize("status", list(Status))
def test_a_row_of_any_status_can_be_replaced(dynamo_ledger: DynamoLedger, status: Status) -> None:
    put(dynamo_ledger, full_row(status))
    assert dynamo_ledger.swap(Swap(before=full_row(status), after=record(full_work().upload)))


@pytest.mark.parametrize(
    "entry", [work(rev=1), full_row(), ANSWER, Gate(rev=1)], ids=lambda each: type(each).__name__
)
def test_what_has_no_value_is_left_out(dynamo_ledger: DynamoLedger, entry: Entry) -> None:
    put(dynamo_ledger, entry)
    for table in (moto_cloud.DOCUMENTS, moto_cloud.LEDGER):
        assert "NULL" not in str(moto_cloud.client("dynamodb").scan(TableName=table)["Items"])


@pytest.mark.parametrize(
    "entry", [work(rev=1), work(rev=1, due=START), ANSWER], ids=["ended", "open", "answer"]
)
def test_what_nothing_refers_to_any_more_is_forgotten(dynamo_ledger: DynamoLedger, entry: Entry) -> None:
    put(dynamo_ledger, entry)
    is_answer = entry is ANSWER
    item = plain(raw(moto_cloud.LEDGER, "answer#finance", "k") if is_answer else work_item())
    assert item["expires_at"] == int(item["expires_at"])
    # A text lives for 90 days, a message for 7.
    assert START.timestamp() - DAY < item["expires_at"] - 97 * DAY
    assert template.load()["Resources"]["LedgerTable"]["Properties"]["TimeToLiveSpecification"] == {
        "AttributeName": "expires_at",
        "Enabled": True,
    }


def test_the_gate_is_never_forgotten(dynamo_ledger: DynamoLedger) -> None:
    put(dynamo_ledger, GATE)
    assert "expires_at" not in raw(moto_cloud.LEDGER, "gate", "claude")


def test_only_open_work_stands_in_the_index_of_what_is_due(dynamo_ledger: DynamoLedger) -> None:
    put(dynamo_ledger, work(rev=1, due=START))
    assert (work_item()["open"], work_item()["due_at"]) == ({"S": "open"}, {"S": "2026-11-22T12:00:00.000Z"})
    assert dynamo_ledger.swap(Swap(before=work(rev=1, due=START), after=work(rev=2)))
    assert not work_item().keys() & {"open", "due_at", "due"}


REASONS = {
    "somebody else writes": (["None", "TransactionConflict"], TryLater),
    "too fast": (["ThrottlingError"], TryLater),
    "too fast for the table": (["None", "ProvisionedThroughputExceeded"], TryLater),
    "an item of ours is illegal": (["None", "ValidationError"], Defect),
    "an item of ours is too large": (["ItemCollectionSizeLimitExceeded"], Defect),
    "a reason of tomorrow": (["SomethingNew"], Defect),
}


@contextmanager
def cancelling(codes: list[str]) -> Iterator[DynamoLedger]:
    """A ledger whose next transaction is cancelled for these reasons."""
    dynamodb = moto_cloud.client("dynamodb", aws_access_key_id="x", aws_secret_access_key="y")
    with Stubber(dynamodb) as stub:
        stub.add_client_error(
            "transact_write_items",
            "TransactionCanceledException",
            modeled_fields={"CancellationReasons": [{"Code": code} for code in codes]},
            http_status_code=400,
        )
        yield DynamoLedger(dynamodb, documents=moto_cloud.DOCUMENTS, ledger=moto_cloud.LEDGER)


@pytest.mark.parametrize(("codes", "expected"), REASONS.values(), ids=REASONS)
def test_a_cancelled_transaction_says_whose_fault_it_is(codes: list[str], expected: type[Exception]) -> None:
    with cancelling(codes) as ledger, pytest.raises(expected):
        put(ledger, work(rev=1))


def test_a_condition_that_fails_beside_a_conflict_is_an_answer() -> None:
    with cancelling(["ConditionalCheckFailed", "TransactionConflict"]) as ledger:
        assert not ledger.swap(Swap(before=None, after=work(rev=1)))


READS: dict[str, tuple[str, dict[str, Any], Callable[[DynamoLedger], object]]] = {
    "row": ("get_item", {}, lambda ledger: ledger.row(upload().document)),
    "work": ("get_item", {}, lambda ledger: ledger.work(upload(), 1)),
    "state": ("batch_get_item", {"Responses": {}}, lambda ledger: ledger.state(upload(), 1)),
    "latest": ("query", {"Items": []}, lambda ledger: ledger.latest(upload())),
}


@pytest.mark.parametrize(("operation", "answer", "read"), READS.values(), ids=READS)
def test_what_is_there_is_read_as_it_is_now_and_not_as_it_was(
    operation: str, answer: dict[str, Any], read: Callable[[DynamoLedger], object]
) -> None:
    dynamodb = moto_cloud.client("dynamodb", aws_access_key_id="x", aws_secret_access_key="y")
    asked: list[dict[str, Any]] = []
    dynamodb.meta.events.register("provide-client-params.dynamodb", lambda params, **_: asked.append(params))
    with Stubber(dynamodb) as stub:
        stub.add_response(operation, answer)
        read(DynamoLedger(dynamodb, documents=moto_cloud.DOCUMENTS, ledger=moto_cloud.LEDGER))
    tables = asked[0].get("RequestItems", {"the only one": asked[0]}).values()
    assert all(table.get("ConsistentRead") for table in tables)


def test_what_dynamodb_had_no_time_for_is_not_taken_for_what_is_not_there() -> None:
    dynamodb = moto_cloud.client("dynamodb", aws_access_key_id="x", aws_secret_access_key="y")
    key = {"document": {"S": upload().document}}
    left = {moto_cloud.DOCUMENTS: {"Keys": [key], "ConsistentRead": True}}
    with Stubber(dynamodb) as stub:
        stub.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": left})
        ledger = DynamoLedger(dynamodb, documents=moto_cloud.DOCUMENTS, ledger=moto_cloud.LEDGER)
        with pytest.raises(TryLater, match="UnprocessedKeys"):
            ledger.state(upload(), 1)


def test_what_adds_is_tried_once_since_a_first_try_may_have_worked(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", api.url)
    moto_cloud.isolate(monkeypatch)
    api.says(500, {})
    ledger = DynamoLedger(None, documents="d", ledger="l", once=client("dynamodb", attempts=1))
    with pytest.raises(TryLater) as told:
        ledger.credit("stack", START.date(), Decimal(1))
    assert told.value.unsure
    assert len(api.asked) == 1
