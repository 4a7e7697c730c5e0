"""Both tables behind ports.Ledger: every write is a transaction of puts, each under what was read before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError
from pydantic import TypeAdapter

from pigeonhole.aws.faults import classified, code_of
from pigeonhole.document import TryLater, Upload
from pigeonhole.ports import Answer, Entry, Gate, Swap
from pigeonhole.record import Record, stamp
from pigeonhole.work import Work

# Longer than any message lives in a queue and any saved text in its bucket: after that nothing refers to it.
_LEDGER_AGE = timedelta(days=100)
_OPEN = "open"
_GATE = {"pk": "gate", "sk": "claude"}
_CONFLICT_SECONDS = 2.0
# Why a transaction may be cancelled and still be as good as any: others write, or too much at once.
_PASSING = frozenset({"None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
# A row has no revision of its own: these tell one state of it from any other.
_ROW_STATE = ("version_id", "sequencer", "status", "run", "updated_at", "outcome_id")

Item = dict[str, Any]
T = TypeVar("T")

_ADAPTERS: Mapping[type[Any], TypeAdapter[Any]] = {each: TypeAdapter(each) for each in (Work, Answer, Gate)}


class DynamoLedger:
    """ports.Ledger over DynamoDB; reads are strongly consistent, but for `due`."""

    def __init__(self, dynamodb: Any, *, documents: str, ledger: str) -> None:
        self._db = dynamodb
        self._documents = documents
        self._ledger = ledger

    def work(self, upload: Upload, run: int) -> Work | None:
        """One run of one upload."""
        return self._entry(Work, _work_key(upload, run))

    def latest(self, upload: Upload) -> Work | None:
        """The last sort key of the upload."""
        with classified():
            found = self._db.query(
                TableName=self._ledger,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :runs)",
                ExpressionAttributeValues=_item({":pk": upload.document, ":runs": _runs(upload)}),
                ScanIndexForward=False,
                Limit=1,
                ConsistentRead=True,
            )["Items"]
        return _load(Work, found[0]) if found else None

    def row(self, document: str) -> Record | None:
        """The public row."""
        found = self._get(self._documents, {"document": document})
        return Record.model_validate(_plain(found)) if found else None

    def answer(self, team: str, key: str) -> Answer | None:
        """The reply to a request that the team has asked."""
        return self._entry(Answer, _answer_key(team, key))

    def gate(self) -> Gate | None:
        """The gate."""
        return self._entry(Gate, _GATE)

    def due(self, now: datetime, limit: int) -> list[Work]:
        """One partition of one index, ordered by due time."""
        with classified():
            found = self._db.query(
                TableName=self._ledger,
                IndexName="open_by_due",
                KeyConditionExpression="#open = :open AND due_at <= :now",
                ExpressionAttributeNames={"#open": "open"},
                ExpressionAttributeValues=_item({":open": _OPEN, ":now": stamp(now)}),
                Limit=limit,
            )["Items"]
        keys = [{"pk": item["pk"], "sk": item["sk"]} for item in found]
        works = [self._get(self._ledger, _plain(key)) for key in keys]
        return [_load(Work, item) for item in works if item and "due_at" in item]

    def swap(self, *swaps: Swap) -> bool:
        """One transaction."""
        with classified():
            try:
                self._db.transact_write_items(TransactItems=[self._put(each) for each in swaps])
            except ClientError as error:
                if code_of(error) != "TransactionCanceledException":
                    raise
                reasons = {str(each.get("Code")) for each in error.response.get("CancellationReasons", [])}
                if "ConditionalCheckFailed" in reasons:
                    return False
                if not reasons <= _PASSING:
                    raise
                raise TryLater(f"DynamoDB: {sorted(reasons)}", seconds=_CONFLICT_SECONDS) from error
        return True

    def _put(self, swap: Swap) -> Item:
        if isinstance(swap.after, Record):
            return {
                "Put": {"TableName": self._documents, "Item": _item(swap.after.row())} | _row_is(swap.before)
            }
        return {
            "Put": {"TableName": self._ledger, "Item": _item(_saved(swap.after))} | _revision_is(swap.before)
        }

    def _entry(self, kind: type[T], key: Item) -> T | None:
        found = self._get(self._ledger, key)
        return _load(kind, found) if found else None

    def _get(self, table: str, key: Item) -> Item | None:
        with classified():
            found: Item = self._db.get_item(TableName=table, Key=_item(key), ConsistentRead=True)
        return found.get("Item")


def _runs(upload: Upload) -> str:
    return f"v#{upload.version_id}#"


def _work_key(upload: Upload, run: int) -> Item:
    return {"pk": upload.document, "sk": f"{_runs(upload)}{run:05d}"}


def _answer_key(team: str, key: str) -> Item:
    return {"pk": f"answer#{team}", "sk": key}


def _key(entry: Entry) -> Item:
    if isinstance(entry, Work):
        return _work_key(entry.upload, entry.run)
    return _answer_key(entry.team, entry.key) if isinstance(entry, Answer) else _GATE


def _saved(entry: Entry) -> Item:
    """An entry as its item: nothing that is None, times as text."""
    values = _ADAPTERS[type(entry)].dump_python(entry, by_alias=True, exclude_none=True)
    index = {"open": _OPEN, "due_at": stamp(entry.due)} if isinstance(entry, Work) and entry.due else {}
    forever = (
        {} if isinstance(entry, Gate) else {"expires_at": int((datetime.now(UTC) + _LEDGER_AGE).timestamp())}
    )
    saved: Item = _times_as_text(_key(entry) | values | index | forever)
    return saved


def _load(kind: type[T], item: Item) -> T:
    loaded: T = _ADAPTERS[kind].validate_python(_plain(item))
    return loaded


def _revision_is(before: Entry | None) -> Item:
    if before is None or isinstance(before, Record):
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {"ConditionExpression": "rev = :rev", "ExpressionAttributeValues": _item({":rev": before.rev})}


def _row_is(before: Entry | None) -> Item:
    if not isinstance(before, Record):
        return {"ConditionExpression": "attribute_not_exists(document)"}
    state = {name: value for name, value in before.row().items() if name in _ROW_STATE}
    is_there = [f"#{name} = :{name}" for name in state]
    is_absent = [f"attribute_not_exists(#{name})" for name in _ROW_STATE if name not in state]
    return {
        "ConditionExpression": " AND ".join(is_there + is_absent),
        "ExpressionAttributeNames": {f"#{name}": name for name in _ROW_STATE},
        "ExpressionAttributeValues": _item({f":{name}": value for name, value in state.items()}),
    }


def _times_as_text(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): _times_as_text(each) for name, each in value.items()}
    return [_times_as_text(each) for each in value] if isinstance(value, list | tuple) else value


def _item(values: Mapping[str, Any]) -> Item:
    serializer = TypeSerializer()
    return {name: serializer.serialize(value) for name, value in values.items()}


def _plain(item: Item) -> Item:
    deserializer = TypeDeserializer()
    return {name: deserializer.deserialize(value) for name, value in item.items()}
