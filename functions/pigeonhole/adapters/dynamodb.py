"""Both tables behind stores.Store: every commit is a transaction of conditional puts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from pigeonhole.adapters import dynamodb_accounts
from pigeonhole.adapters.aws import classified, code_of
from pigeonhole.adapters.dynamodb_items import (
    BREAKER_KEY,
    OPEN,
    Item,
    as_item,
    as_plain,
    cap_wait_of,
    job_key,
    load,
    reply_key,
    runs_prefix,
    saved_item,
    unchanged,
)
from pigeonhole.domain.errors import TryLater
from pigeonhole.domain.record import Record, stamp
from pigeonhole.domain.upload import Upload
from pigeonhole.jobs.job import CapWait, Job
from pigeonhole.jobs.stored import AnyWrite, BreakerState, CachedReply
from pigeonhole.jobs.usage import UsageLine
from pigeonhole.money.account import Account, Withdrawal

_CONFLICT_SECONDS = 2.0
# Why a transaction may be cancelled and still be as good as any: others write, or too much at once.
_PASSING = frozenset({"None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})

T = TypeVar("T")


class DynamoStore:
    """stores.Store over DynamoDB; reads are strongly consistent, but for what is due.

    `once` is a client that tries no request twice, for writes that add: money must not be given back twice.
    """

    def __init__(self, dynamodb: Any, *, documents: str, ledger: str, once: Any = None) -> None:
        self._db = dynamodb
        self._once = once or dynamodb
        self._documents = documents
        self._ledger = ledger

    def job(self, upload: Upload, run: int) -> Job | None:
        """One run of one upload."""
        return self._entry(Job, job_key(upload, run))

    def job_and_row(self, upload: Upload, run: int) -> tuple[Job | None, Record | None]:
        """Both in one request."""
        tables = {self._ledger: job_key(upload, run), self._documents: {"document": upload.document}}
        wanted = {name: {"Keys": [as_item(key)], "ConsistentRead": True} for name, key in tables.items()}
        with classified():
            found = self._db.batch_get_item(RequestItems=wanted)
        if found.get("UnprocessedKeys"):
            raise TryLater("DynamoDB: UnprocessedKeys", seconds=_CONFLICT_SECONDS)
        job, row = (next(iter(found["Responses"].get(name, ())), None) for name in tables)
        return job and load(Job, job), row and Record.model_validate(as_plain(row))

    def latest_job(self, upload: Upload) -> Job | None:
        """The last sort key of the upload."""
        with classified():
            found = self._db.query(
                TableName=self._ledger,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :runs)",
                ExpressionAttributeValues=as_item({":pk": upload.document, ":runs": runs_prefix(upload)}),
                ScanIndexForward=False,
                Limit=1,
                ConsistentRead=True,
            )["Items"]
        return load(Job, found[0]) if found else None

    def row(self, document: str) -> Record | None:
        """The public row."""
        found = self._get(self._documents, {"document": document})
        return Record.model_validate(as_plain(found)) if found else None

    def cached_reply(self, team: str, key: str) -> CachedReply | None:
        """The entry for a request, by its hash."""
        return self._entry(CachedReply, reply_key(team, key))

    def breaker(self) -> BreakerState | None:
        """The circuit breaker's one item."""
        return self._entry(BreakerState, BREAKER_KEY)

    def due_jobs(self, now: datetime, limit: int) -> list[Job]:
        """One partition of one index, ordered by due time."""
        return self._jobs(islice(self._open("due_at <= :when", stamp(now)), limit))

    def jobs_over_cap(self, until: datetime, fits: Callable[[CapWait], bool], limit: int) -> list[Job]:
        """The same partition: what is due at one time is ordered by upload there, if it waits for money.

        What it waits for stands in the index, so that what cannot go on is passed over unread.
        """
        waiting = self._open("begins_with(due_at, :when)", f"{stamp(until)} ")
        found = self._jobs(
            islice((each for each in waiting if fits(cap_wait_of(each["due_at"]["S"]))), limit)
        )
        return [job for job in found if job.charges.over_cap]

    def _open(self, condition: str, when: str) -> Iterator[Item]:
        pages = self._db.get_paginator("query").paginate(
            TableName=self._ledger,
            IndexName="open_by_due",
            KeyConditionExpression=f"#open = :open AND {condition}",
            ExpressionAttributeNames={"#open": "open"},
            ExpressionAttributeValues=as_item({":open": OPEN, ":when": when}),
        )
        for page in pages:
            yield from page["Items"]

    def _jobs(self, entries: Iterable[Item]) -> list[Job]:
        with classified():
            keys = [as_plain({"pk": each["pk"], "sk": each["sk"]}) for each in entries]
        jobs = [self._get(self._ledger, key) for key in keys]
        return [load(Job, item) for item in jobs if item and "due_at" in item]

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

    def commit(self, *writes: AnyWrite, usage: Iterable[UsageLine] = ()) -> bool:
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

    def _put(self, write: AnyWrite) -> Item:
        if isinstance(write.after, Record):
            put = {"TableName": self._documents, "Item": as_item(write.after.row())}
            return {"Put": put | unchanged(write, key="document")}
        return {
            "Put": {"TableName": self._ledger, "Item": as_item(saved_item(write.after))}
            | unchanged(write, key="pk")
        }

    def _entry(self, kind: type[T], key: Item) -> T | None:
        found = self._get(self._ledger, key)
        return load(kind, found) if found else None

    def _get(self, table: str, key: Item) -> Item | None:
        with classified():
            found: Item = self._db.get_item(TableName=table, Key=as_item(key), ConsistentRead=True)
        return found.get("Item")
