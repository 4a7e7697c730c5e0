"""Both tables behind ports.Store: every commit is a transaction of conditional puts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar

from botocore.exceptions import ClientError
from pydantic import TypeAdapter

from pigeonhole.adapters import dynamodb_accounts
from pigeonhole.adapters.aws import classified, code_of
from pigeonhole.adapters.dynamodb_items import Item, as_item, as_plain, plain_times
from pigeonhole.domain.document import Upload
from pigeonhole.domain.errors import TryLater
from pigeonhole.domain.record import Record, stamp
from pigeonhole.jobs.job import CapWait, Job
from pigeonhole.jobs.stored import BreakerState, CachedReply, Entry, Write
from pigeonhole.jobs.usage import UsageLine
from pigeonhole.money.account import Account, Withdrawal

# Longer than any message lives in a queue and any saved text in its bucket: after that nothing refers to it.
_LEDGER_AGE = timedelta(days=100)
_OPEN = "open"
_BREAKER = {"pk": "breaker", "sk": "claude"}
_CONFLICT_SECONDS = 2.0
# Why a transaction may be cancelled and still be as good as any: others write, or too much at once.
_PASSING = frozenset({"None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})

T = TypeVar("T")

_ADAPTERS: Mapping[type[Any], TypeAdapter[Any]] = {
    each: TypeAdapter(each) for each in (Job, CachedReply, BreakerState)
}


class DynamoStore:
    """ports.Store over DynamoDB; reads are strongly consistent, but for what is due.

    `once` is a client that tries no request twice, for writes that add: money must not be given back twice.
    """

    def __init__(self, dynamodb: Any, *, documents: str, ledger: str, once: Any = None) -> None:
        self._db = dynamodb
        self._once = once or dynamodb
        self._documents = documents
        self._ledger = ledger

    def job(self, upload: Upload, run: int) -> Job | None:
        """One run of one upload."""
        return self._entry(Job, _job_key(upload, run))

    def job_and_row(self, upload: Upload, run: int) -> tuple[Job | None, Record | None]:
        """Both in one request."""
        tables = {self._ledger: _job_key(upload, run), self._documents: {"document": upload.document}}
        wanted = {name: {"Keys": [as_item(key)], "ConsistentRead": True} for name, key in tables.items()}
        with classified():
            found = self._db.batch_get_item(RequestItems=wanted)
        if found.get("UnprocessedKeys"):
            raise TryLater("DynamoDB: UnprocessedKeys", seconds=_CONFLICT_SECONDS)
        job, row = (next(iter(found["Responses"].get(name, ())), None) for name in tables)
        return job and _load(Job, job), row and Record.model_validate(as_plain(row))

    def latest_job(self, upload: Upload) -> Job | None:
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
        return _load(Job, found[0]) if found else None

    def row(self, document: str) -> Record | None:
        """The public row."""
        found = self._get(self._documents, {"document": document})
        return Record.model_validate(as_plain(found)) if found else None

    def cached_reply(self, team: str, key: str) -> CachedReply | None:
        """The entry for a request, by its hash."""
        return self._entry(CachedReply, _reply_key(team, key))

    def breaker(self) -> BreakerState | None:
        """The circuit breaker's one item."""
        return self._entry(BreakerState, _BREAKER)

    def due_jobs(self, now: datetime, limit: int) -> list[Job]:
        """One partition of one index, ordered by due time."""
        return self._jobs(islice(self._open("due_at <= :when", stamp(now)), limit))

    def jobs_over_cap(self, until: datetime, fits: Callable[[CapWait], bool], limit: int) -> list[Job]:
        """The same partition: what is due at one time is ordered by upload there, if it waits for money.

        What it waits for stands in the index, so that what cannot go on is passed over unread.
        """
        waiting = self._open("begins_with(due_at, :when)", f"{stamp(until)} ")
        found = self._jobs(islice((each for each in waiting if fits(_waits_for(each["due_at"]["S"]))), limit))
        return [job for job in found if job.charges.over_cap]

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

    def _jobs(self, entries: Iterable[Item]) -> list[Job]:
        with classified():
            keys = [as_plain({"pk": each["pk"], "sk": each["sk"]}) for each in entries]
        jobs = [self._get(self._ledger, key) for key in keys]
        return [_load(Job, item) for item in jobs if item and "due_at" in item]

    def account(self, name: str, day: date) -> Account:
        """One item a month."""
        found = self._get(self._ledger, dynamodb_accounts.key(name, day))
        return dynamodb_accounts.load(as_plain(found)) if found else Account()

    def withdraw(self, withdrawal: Withdrawal) -> tuple[bool, Account]:
        """One conditional update; a second one where the guess was wrong whether others come before."""
        return dynamodb_accounts.withdraw(self._once, self._ledger, withdrawal)

    def refund(self, account: str, day: date, usd: Decimal) -> None:
        """One update."""
        dynamodb_accounts.refund(self._once, self._ledger, account, day, usd)

    def usage(self, day: str) -> list[UsageLine]:
        """One partition a day."""
        return dynamodb_accounts.usage(self._db, self._ledger, day)

    def commit(self, *writes: Write, usage: Iterable[UsageLine] = ()) -> bool:
        """One transaction."""
        items = [self._put(each) for each in writes] + [
            dynamodb_accounts.adding(self._ledger, each) for each in usage
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

    def _put(self, write: Write) -> Item:
        if isinstance(write.after, Record):
            put = {"TableName": self._documents, "Item": as_item(write.after.row())}
            return {"Put": put | _unchanged(write, key="document")}
        return {
            "Put": {"TableName": self._ledger, "Item": as_item(_saved(write.after))}
            | _unchanged(write, key="pk")
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


def _job_key(upload: Upload, run: int) -> Item:
    return {"pk": upload.document, "sk": f"{_runs(upload)}{run:05d}"}


def _reply_key(team: str, key: str) -> Item:
    return {"pk": f"reply#{team}", "sk": key}


def _key(entry: Entry) -> Item:
    if isinstance(entry, Job):
        return _job_key(entry.upload, entry.task.run)
    return _reply_key(entry.team, entry.key) if isinstance(entry, CachedReply) else _BREAKER


def _saved(entry: Entry) -> Item:
    """An entry as its item: nothing that is None, times as text."""
    values = _ADAPTERS[type(entry)].dump_python(entry, by_alias=True, exclude_none=True)
    saved: Item = plain_times(_key(entry) | values)
    if isinstance(entry, Job) and entry.wake_at:
        saved |= {"open": _OPEN, "due_at": _due_at(entry, entry.wake_at)}
    if not isinstance(entry, BreakerState):
        saved["expires_at"] = int((datetime.now(UTC) + _LEDGER_AGE).timestamp())
    return saved


def _due_at(job: Job, wake_at: datetime) -> str:
    """When it is due; of what waits for money until then, the oldest upload is the first."""
    if job.charges.over_cap is None:
        return stamp(wake_at)
    wait = job.charges.over_cap
    return f"{stamp(wake_at)} {stamp(job.upload.uploaded_at)} {wait.usd} {wait.account}"


def _waits_for(due_at: str) -> CapWait:
    _, _, usd, account = due_at.split(" ", 3)
    return CapWait(account=account, usd=Decimal(usd))


def _load(kind: type[T], item: Item) -> T:
    loaded: T = _ADAPTERS[kind].validate_python(as_plain(item))
    return loaded


def _unchanged(write: Write, *, key: str) -> Item:
    """The condition that nothing was written since the entry was read."""
    if write.before is None:
        return {"ConditionExpression": f"attribute_not_exists({key})"}
    return {
        "ConditionExpression": "revision = :revision",
        "ExpressionAttributeValues": as_item({":revision": write.before.revision}),
    }
