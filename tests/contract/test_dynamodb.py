"""What only DynamoDB can show: native types, what expires and when, and its ways of saying no."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from botocore.stub import Stubber

from infra.ops import template
from pigeonhole.adapters.aws import client
from pigeonhole.adapters.dynamodb import DynamoStore
from pigeonhole.domain.errors import Defect, RetryCause, TryLater
from pigeonhole.domain.record import Record
from pigeonhole.domain.row_attributes import Status
from pigeonhole.jobs.stored import BreakerState, Entry, Write
from tests.contract import moto_cloud
from tests.contract.claude_server import Api
from tests.contract.test_stores import BREAKER, CACHED, full_job, full_row, put
from tests.support.builders import job, record, upload
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


def job_item() -> dict[str, Any]:
    return raw(moto_cloud.LEDGER, upload().document, "v#v1#00001")


def test_a_row_is_in_native_types_and_says_nothing_about_what_it_lacks(dynamo_store: DynamoStore) -> None:
    put(dynamo_store, full_row(), record())
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
def test_a_row_of_any_status_can_be_replaced(dynamo_store: DynamoStore, status: Status) -> None:
    put(dynamo_store, full_row(status))
    assert dynamo_store.commit(Write(before=full_row(status), after=record(full_job().upload)))


@pytest.mark.parametrize(
    "entry",
    [job(revision=1), full_row(), CACHED, BreakerState(revision=1)],
    ids=lambda each: type(each).__name__,
)
def test_what_has_no_value_is_left_out(dynamo_store: DynamoStore, entry: Entry) -> None:
    put(dynamo_store, entry)
    for table in (moto_cloud.DOCUMENTS, moto_cloud.LEDGER):
        assert "NULL" not in str(moto_cloud.client("dynamodb").scan(TableName=table)["Items"])


@pytest.mark.parametrize(
    "entry", [job(revision=1), job(revision=1, wake_at=START), CACHED], ids=["ended", "open", "cached reply"]
)
def test_what_nothing_refers_to_any_more_expires(dynamo_store: DynamoStore, entry: Entry) -> None:
    put(dynamo_store, entry)
    is_cached = entry is CACHED
    item = plain(raw(moto_cloud.LEDGER, "reply#finance", "k") if is_cached else job_item())
    assert item["expires_at"] == int(item["expires_at"])
    # A text lives for 90 days, a message for 7.
    assert START.timestamp() - DAY < item["expires_at"] - 97 * DAY
    assert template.load()["Resources"]["LedgerTable"]["Properties"]["TimeToLiveSpecification"] == {
        "AttributeName": "expires_at",
        "Enabled": True,
    }


def test_the_circuit_breaker_never_expires(dynamo_store: DynamoStore) -> None:
    put(dynamo_store, BREAKER)
    assert "expires_at" not in raw(moto_cloud.LEDGER, "breaker", "claude")


def test_only_open_jobs_stand_in_the_index_of_what_is_due(dynamo_store: DynamoStore) -> None:
    put(dynamo_store, job(revision=1, wake_at=START))
    assert (job_item()["open"], job_item()["due_at"]) == ({"S": "open"}, {"S": "2026-11-22T12:00:00.000Z"})
    assert dynamo_store.commit(Write(before=job(revision=1, wake_at=START), after=job(revision=2)))
    assert not job_item().keys() & {"open", "due_at", "due"}


REASONS = {
    "somebody else writes": (["None", "TransactionConflict"], TryLater),
    "too fast": (["ThrottlingError"], TryLater),
    "too fast for the table": (["None", "ProvisionedThroughputExceeded"], TryLater),
    "an item of ours is illegal": (["None", "ValidationError"], Defect),
    "an item of ours is too large": (["ItemCollectionSizeLimitExceeded"], Defect),
    "a reason of tomorrow": (["SomethingNew"], Defect),
}


@contextmanager
def cancelling(codes: list[str]) -> Iterator[DynamoStore]:
    """A store whose next transaction is cancelled for these reasons."""
    dynamodb = moto_cloud.client("dynamodb", aws_access_key_id="x", aws_secret_access_key="y")
    with Stubber(dynamodb) as stub:
        stub.add_client_error(
            "transact_write_items",
            "TransactionCanceledException",
            modeled_fields={"CancellationReasons": [{"Code": code} for code in codes]},
            http_status_code=400,
        )
        yield DynamoStore(dynamodb, documents=moto_cloud.DOCUMENTS, ledger=moto_cloud.LEDGER)


@pytest.mark.parametrize(("codes", "expected"), REASONS.values(), ids=REASONS)
def test_a_cancelled_transaction_says_whose_fault_it_is(codes: list[str], expected: type[Exception]) -> None:
    with cancelling(codes) as store, pytest.raises(expected):
        put(store, job(revision=1))


def test_a_condition_that_fails_beside_a_conflict_is_an_answer() -> None:
    with cancelling(["ConditionalCheckFailed", "TransactionConflict"]) as store:
        assert not store.commit(Write(before=None, after=job(revision=1)))


READS: dict[str, tuple[str, dict[str, Any], Callable[[DynamoStore], object]]] = {
    "row": ("get_item", {}, lambda store: store.row(upload().document)),
    "job": ("get_item", {}, lambda store: store.job(upload(), 1)),
    "job and row": ("batch_get_item", {"Responses": {}}, lambda store: store.job_and_row(upload(), 1)),
    "latest": ("query", {"Items": []}, lambda store: store.latest_job(upload())),
}


@pytest.mark.parametrize(("operation", "answer", "read"), READS.values(), ids=READS)
def test_what_is_there_is_read_as_it_is_now_and_not_as_it_was(
    operation: str, answer: dict[str, Any], read: Callable[[DynamoStore], object]
) -> None:
    dynamodb = moto_cloud.client("dynamodb", aws_access_key_id="x", aws_secret_access_key="y")
    asked: list[dict[str, Any]] = []
    dynamodb.meta.events.register("provide-client-params.dynamodb", lambda params, **_: asked.append(params))
    with Stubber(dynamodb) as stub:
        stub.add_response(operation, answer)
        read(DynamoStore(dynamodb, documents=moto_cloud.DOCUMENTS, ledger=moto_cloud.LEDGER))
    tables = asked[0].get("RequestItems", {"the only one": asked[0]}).values()
    assert all(table.get("ConsistentRead") for table in tables)


def test_what_dynamodb_had_no_time_for_is_not_taken_for_what_is_not_there() -> None:
    dynamodb = moto_cloud.client("dynamodb", aws_access_key_id="x", aws_secret_access_key="y")
    key = {"document": {"S": upload().document}}
    left = {moto_cloud.DOCUMENTS: {"Keys": [key], "ConsistentRead": True}}
    with Stubber(dynamodb) as stub:
        stub.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": left})
        store = DynamoStore(dynamodb, documents=moto_cloud.DOCUMENTS, ledger=moto_cloud.LEDGER)
        with pytest.raises(TryLater, match="UnprocessedKeys"):
            store.job_and_row(upload(), 1)


def test_what_adds_is_tried_once_since_a_first_try_may_have_worked(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", api.url)
    moto_cloud.isolate(monkeypatch)
    api.says(500, {})
    store = DynamoStore(None, documents="d", ledger="l", once=client("dynamodb", attempts=1))
    with pytest.raises(TryLater) as exc_info:
        store.refund("stack", START.date(), Decimal(1))
    assert exc_info.value.cause is RetryCause.UNCERTAIN
    assert len(api.asked) == 1
