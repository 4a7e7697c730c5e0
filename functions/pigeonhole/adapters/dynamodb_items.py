"""Entries as DynamoDB items: their keys, their values and the conditions under which they are written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from pydantic import TypeAdapter

from pigeonhole.domain.record import stamp
from pigeonhole.domain.upload import Upload
from pigeonhole.jobs.job import CapWait, Job
from pigeonhole.jobs.stored import AnyWrite, BreakerState, CachedReply, Entry

T = TypeVar("T")

Item = dict[str, Any]


def as_item(values: Mapping[str, Any]) -> Item:
    """Plain values as DynamoDB takes them."""
    serializer = TypeSerializer()
    return {name: serializer.serialize(value) for name, value in values.items()}


def as_plain(item: Item) -> Item:
    """What DynamoDB gives, as plain values."""
    deserializer = TypeDeserializer()
    return {name: deserializer.deserialize(value) for name, value in item.items()}


def plain_times(value: Any) -> Any:
    """The value with its times and days as text, at any depth."""
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): plain_times(each) for name, each in value.items()}
    return [plain_times(each) for each in value] if isinstance(value, list | tuple) else value


# Longer than any message lives in a queue and any saved text in its bucket: after that nothing refers to it.
_LEDGER_AGE = timedelta(days=100)
OPEN = "open"
BREAKER_KEY = {"pk": "breaker", "sk": "claude"}
_ADAPTERS: Mapping[type[Any], TypeAdapter[Any]] = {
    each: TypeAdapter(each) for each in (Job, CachedReply, BreakerState)
}


def runs_prefix(upload: Upload) -> str:
    """What the sort keys of all runs of an upload begin with."""
    return f"v#{upload.version_id}#"


def job_key(upload: Upload, run: int) -> Item:
    """The key of one run of one upload."""
    return {"pk": upload.document, "sk": f"{runs_prefix(upload)}{run:05d}"}


def reply_key(team: str, key: str) -> Item:
    """The key of a cached reply."""
    return {"pk": f"reply#{team}", "sk": key}


def _key(entry: Entry) -> Item:
    if isinstance(entry, Job):
        return job_key(entry.upload, entry.task.run)
    return reply_key(entry.team, entry.key) if isinstance(entry, CachedReply) else BREAKER_KEY


def saved_item(entry: Entry) -> Item:
    """An entry as its item: nothing that is None, times as text."""
    values = _ADAPTERS[type(entry)].dump_python(entry, by_alias=True, exclude_none=True)
    saved: Item = plain_times(_key(entry) | values)
    if isinstance(entry, Job) and entry.wake_at:
        saved |= {"open": OPEN, "due_at": _due_at(entry, entry.wake_at)}
    if not isinstance(entry, BreakerState):
        saved["expires_at"] = int((datetime.now(UTC) + _LEDGER_AGE).timestamp())
    return saved


def _due_at(job: Job, wake_at: datetime) -> str:
    """When it is due; of what waits for money until then, the oldest upload is the first."""
    if job.charges.over_cap is None:
        return stamp(wake_at)
    wait = job.charges.over_cap
    return f"{stamp(wake_at)} {stamp(job.upload.uploaded_at)} {wait.usd} {wait.account}"


def cap_wait_of(due_at: str) -> CapWait:
    """What a job over a cap waits for, by its entry in the index alone."""
    _, _, usd, account = due_at.split(" ", 3)
    return CapWait(account=account, usd=Decimal(usd))


def load(kind: type[T], item: Item) -> T:
    """The entry that an item holds."""
    loaded: T = _ADAPTERS[kind].validate_python(as_plain(item))
    return loaded


def unchanged(write: AnyWrite, *, key: str) -> Item:
    """The condition that nothing was written since the entry was read."""
    if write.before is None:
        return {"ConditionExpression": f"attribute_not_exists({key})"}
    return {
        "ConditionExpression": "revision = :revision",
        "ExpressionAttributeValues": as_item({":revision": write.before.revision}),
    }


class UpdateExpression:
    """An update expression as it grows: attribute names may be any words."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: Item = {}
        self._sets: list[str] = []
        self._ifs: list[str] = []

    def set(self, name: str, to: str, **values: Any) -> None:
        """What the attribute becomes; `{}` stands for it."""
        self._sets.append(f"{self._called(name)} = {self._filled(to, name, values)}")

    def only_if(self, name: str, condition: str, **values: Any) -> None:
        """What must hold of the attribute."""
        self._ifs.append(self._filled(condition, name, values))

    def arguments(self) -> dict[str, Any]:
        """As update_item takes them."""
        return {
            "UpdateExpression": f"SET {', '.join(self._sets)}",
            "ConditionExpression": " AND ".join(self._ifs),
            "ExpressionAttributeNames": {alias: name for name, alias in self._names.items()},
            "ExpressionAttributeValues": as_item(self._values),
        }

    def _called(self, name: str) -> str:
        return self._names.setdefault(name, f"#n{len(self._names)}")

    def _filled(self, expression: str, name: str, values: Item) -> str:
        self._values |= {f":{each}": value for each, value in values.items()}
        return expression.format(self._called(name))
