"""Both tables behind ports.Ledger: every change is a transaction of puts, each under what was read before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar

from botocore.exceptions import ClientError
from pydantic import TypeAdapter

from pigeonhole.adapters import dynamodb_accounts
from pigeonhole.adapters.aws_errors import classified, code_of
from pigeonhole.adapters.dynamodb_items import Item, as_item, as_plain, plain_times
from pigeonhole.domain.document import TryLater, Upload
from pigeonhole.domain.record import Record, stamp
from pigeonhole.jobs.job import OverCapBy, Work
from pigeonhole.jobs.usage import Tally
from pigeonhole.money.account import Account, Draw
from pigeonhole.ports import Answer, Entry, Gate, Swap

# Longer than any message lives in a queue and any saved text in its bucket: after that nothing refers to it.
_LEDGER_AGE = timedelta(days=100)
_OPEN = "open"
_GATE = {"pk": "gate", "sk": "claude"}
_CONFLICT_SECONDS = 2.0
# Why a transaction may be cancelled and still be as good as any: others write, or too much at once.
_PASSING = frozenset({"None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
# A row has no revision of its own: these tell one state of it from any other.
_ROW_STATE = ("version_id", "sequencer", "status", "run", "updated_at", "outcome_id")

T = TypeVar("T")

_ADAPTERS: Mapping[type[Any], TypeAdapter[Any]] = {each: TypeAdapter(each) for each in (Work, Answer, Gate)}


class DynamoLedger:
    """ports.Ledger over DynamoDB; reads are strongly consistent, but for what is open.

    `once` is a client that tries no request twice, for writes that add: money must not be given back twice.
    """

    def __init__(self, dynamodb: Any, *, documents: str, ledger: str, once: Any = None) -> None:
        self._db = dynamodb
        self._once = once or dynamodb
        self._documents = documents
        self._ledger = ledger

    def work(self, upload: Upload, run: int) -> Work | None:
        """One run of one upload."""
        return self._entry(Work, _work_key(upload, run))

    def state(self, upload: Upload, run: int) -> tuple[Work | None, Record | None]:
        """Both in one request."""
        tables = {self._ledger: _work_key(upload, run), self._documents: {"document": upload.document}}
        wanted = {name: {"Keys": [as_item(key)], "ConsistentRead": True} for name, key in tables.items()}
        with classified():
            answer = self._db.batch_get_item(RequestItems=wanted)
        if answer.get("UnprocessedKeys"):
            raise TryLater("DynamoDB: UnprocessedKeys", seconds=_CONFLICT_SECONDS)
        work, row = (next(iter(answer["Responses"].get(name, ())), None) for name in tables)
        return work and _load(Work, work), row and Record.model_validate(as_plain(row))

    def latest(self, upload: Upload) -> Work | None:
        """The last sort key of the upload."""
        with classified():
            found = self._db.query(
                TableName=self._ledger,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :runs)",
                ExpressionAttributeValues=as_item({":pk": upload.document, ":runs": _runs(upload)}),
                ScanIndexForward=False,
                Limit=1,
                ConsistentRead=True,
            )["Items"]
        return _load(Work, found[0]) if found else None

    def row(self, document: str) -> Record | None:
        """The public row."""
        found = self._get(self._documents, {"document": document})
        return Record.model_validate(as_plain(found)) if found else None

    def answer(self, team: str, key: str) -> Answer | None:
        """The reply to a request that the team has asked."""
        return self._entry(Answer, _answer_key(team, key))

    def gate(self) -> Gate | None:
        """The gate."""
        return self._entry(Gate, _GATE)

    def due(self, now: datetime, limit: int) -> list[Work]:
        """One partition of one index, ordered by due time."""
        return self._works(islice(self._open("due_at <= :when", stamp(now)), limit))

    def over_cap(self, until: datetime, pays: Callable[[OverCapBy], bool], limit: int) -> list[Work]:
        """The same partition: what is due at one time is ordered by upload there, if it waits for money.

        What it waits for stands in the index, so that what cannot go on is passed over unread.
        """
        waiting = self._open("begins_with(due_at, :when)", f"{stamp(until)} ")
        found = self._works(
            islice((each for each in waiting if pays(_waits_for(each["due_at"]["S"]))), limit)
        )
        return [work for work in found if work.over_cap]

    def _open(self, condition: str, when: str) -> Iterator[Item]:
        pages = self._db.get_paginator("query").paginate(
            TableName=self._ledger,
            IndexName="open_by_due",
            KeyConditionExpression=f"#open = :open AND {condition}",
            ExpressionAttributeNames={"#open": "open"},
            ExpressionAttributeValues=as_item({":open": _OPEN, ":when": when}),
        )
        for page in pages:
            yield from page["Items"]

    def _works(self, entries: Iterable[Item]) -> list[Work]:
        with classified():
            keys = [as_plain({"pk": each["pk"], "sk": each["sk"]}) for each in entries]
        works = [self._get(self._ledger, key) for key in keys]
        return [_load(Work, item) for item in works if item and "due_at" in item]

    def account(self, name: str, day: date) -> Account:
        """One item a month."""
        found = self._get(self._ledger, dynamodb_accounts.key(name, day))
        return dynamodb_accounts.load(as_plain(found)) if found else Account()

    def draw(self, draw: Draw) -> tuple[bool, Account]:
        """One conditional update; a second one where the guess was wrong whether others are before it."""
        return dynamodb_accounts.draw(self._once, self._ledger, draw)

    def credit(self, account: str, day: date, usd: Decimal) -> None:
        """One update."""
        dynamodb_accounts.credit(self._once, self._ledger, account, day, usd)

    def tallies(self, day: str) -> list[Tally]:
        """One partition a day."""
        return dynamodb_accounts.tallies(self._db, self._ledger, day)

    def swap(self, *swaps: Swap, tallies: Iterable[Tally] = ()) -> bool:
        """One transaction."""
        items = [self._put(each) for each in swaps] + [
            dynamodb_accounts.adding(self._ledger, each) for each in tallies
        ]
        with classified():
            try:
                self._db.transact_write_items(TransactItems=items)
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
                "Put": {"TableName": self._documents, "Item": as_item(swap.after.row())}
                | _row_is(swap.before)
            }
        return {
            "Put": {"TableName": self._ledger, "Item": as_item(_saved(swap.after))}
            | _revision_is(swap.before)
        }

    def _entry(self, kind: type[T], key: Item) -> T | None:
        found = self._get(self._ledger, key)
        return _load(kind, found) if found else None

    def _get(self, table: str, key: Item) -> Item | None:
        with classified():
            found: Item = self._db.get_item(TableName=table, Key=as_item(key), ConsistentRead=True)
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
    index = (
        {"open": _OPEN, "due_at": _due_at(entry, entry.due)} if isinstance(entry, Work) and entry.due else {}
    )
    forever = (
        {} if isinstance(entry, Gate) else {"expires_at": int((datetime.now(UTC) + _LEDGER_AGE).timestamp())}
    )
    saved: Item = plain_times(_key(entry) | values | index | forever)
    return saved


def _due_at(work: Work, due: datetime) -> str:
    """When it is due; of what waits for money until then, the oldest upload is the first."""
    if work.over_cap is None:
        return stamp(due)
    by = work.over_cap
    return f"{stamp(due)} {stamp(work.upload.uploaded_at)} {by.usd} {by.account}"


def _waits_for(due_at: str) -> OverCapBy:
    _, _, usd, account = due_at.split(" ", 3)
    return OverCapBy(account=account, usd=Decimal(usd))


def _load(kind: type[T], item: Item) -> T:
    loaded: T = _ADAPTERS[kind].validate_python(as_plain(item))
    return loaded


def _revision_is(before: Entry | None) -> Item:
    if before is None or isinstance(before, Record):
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {"ConditionExpression": "rev = :rev", "ExpressionAttributeValues": as_item({":rev": before.rev})}


def _row_is(before: Entry | None) -> Item:
    if not isinstance(before, Record):
        return {"ConditionExpression": "attribute_not_exists(document)"}
    state = {name: value for name, value in before.row().items() if name in _ROW_STATE}
    is_there = [f"#{name} = :{name}" for name in state]
    is_absent = [f"attribute_not_exists(#{name})" for name in _ROW_STATE if name not in state]
    return {
        "ConditionExpression": " AND ".join(is_there + is_absent),
        "ExpressionAttributeNames": {f"#{name}": name for name in _ROW_STATE},
        "ExpressionAttributeValues": as_item({f":{name}": value for name, value in state.items()}),
    }
