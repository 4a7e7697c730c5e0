"""What a document writes to DynamoDB, by the real store on the local stack: calls, units, dollars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from infra.local.lifecycle import local_stack
from infra.ops.services import settings_of
from infra.ops.stack import Stack
from pigeonhole.adapters.dynamodb import DynamoStore
from pigeonhole.domain.document import Reply
from pigeonhole.guards.lease import Invocation
from pigeonhole.services import Services
from tests.support.builders import World, created, reply, upload
from tests.support.fakes import FakeClaude

# On demand, standard class, us-east-1, since November 2024; looked up in November 2026.
USD_A_MILLION_UNITS = 0.625
UNIT_BYTES = 1024
PAIR = 2  # a write in a transaction counts twice, its index entries once
INDEXES: Mapping[str, Mapping[str, frozenset[str]]] = {
    "documents": {
        "by_category": frozenset(
            {"category", "processed_at", "document", "title", "team", "confidence", "tier"}
        ),
        "by_status": frozenset(
            {"status", "updated_at", "document", "title", "team", "confidence", "tier", "processed_at"}
        ),
    },
    "ledger": {"open_by_due": frozenset({"open", "due_at", "pk", "sk"})},
}
KEYS = {
    "by_category": ("category", "processed_at"),
    "by_status": ("status", "updated_at"),
    "open_by_due": ("open", "due_at"),
}
Item = dict[str, Any]
TEXT = "Amount due: 12\n" + "A line about hinges, screws and their delivery in spring. " * 60


def run(on: Path | None) -> Iterator[dict[str, Any]]:
    """An accepted document and an escalated one; `on` has no meaning here."""
    unsure = _reply(confidence=40, runner_up_confidence=35)
    with local_stack() as stack:
        yield {"document": "accepted", **_measured(stack, "a/accepted.txt", [_reply()])}
        yield {"document": "escalated", **_measured(stack, "b/escalated.txt", [unsure, _reply()])}


def _measured(stack: Stack, key: str, replies: list[Reply]) -> dict[str, Any]:
    settings = settings_of(stack)
    tables = {"documents": settings.documents_table, "ledger": settings.ledger_table}
    meter = Meter(dynamodb=stack.client("dynamodb"), tables={name: role for role, name in tables.items()})
    claude = _travelled(key, replies, DynamoStore(meter, **tables))
    if claude.answers:
        raise RuntimeError(f"{key} did not travel as far as it should")
    return {
        "write_calls": meter.calls,
        "items": meter.items,
        "units": meter.units,
        "of_these_indexes": meter.index_units,
        "read_calls": meter.reads,
        "usd_a_million": meter.units * USD_A_MILLION_UNITS,
    }


def _travelled(key: str, replies: list[Reply], store: DynamoStore) -> FakeClaude:
    """Through triage, and through escalation if it was handed over."""
    world = World()
    world.claude.answers = list(replies)
    of = world.put(upload(key), TEXT)
    services = Services(replace(world.outside, store=store), world.config)
    invocation = Invocation(deadline=datetime.now(UTC) + timedelta(days=3650))
    services.triage.handle(created(of), invocation)
    services.budget.refund_unspent()
    for task in world.queues.tasks:
        services.escalation.handle(task, invocation)
        services.budget.refund_unspent()
    return world.claude


def _reply(**changes: Any) -> Reply:
    """As long as answers are."""
    summary = "It asks for payment of twelve hinges that were delivered in spring. " * 8
    return reply(summary=summary, keywords=["hinge", "delivery", "payment", "spring", "invoice"], **changes)


@dataclass
class Meter:
    """Stands before DynamoDB's client and counts what it is asked to write, and what that is billed as."""

    dynamodb: Any
    tables: Mapping[str, str]
    calls: int = 0
    reads: int = 0
    items: int = 0
    units: int = 0
    index_units: int = 0
    _stored: dict[tuple[str, str], Item] = field(default_factory=dict)

    def transact_write_items(self, TransactItems: list[Any]) -> Any:  # noqa: N803  AWS's name
        answer = self.dynamodb.transact_write_items(TransactItems=TransactItems)
        self.calls += 1
        for each in TransactItems:
            if put := each.get("Put"):
                self._count(self.tables[put["TableName"]], _plain(put["Item"]))
            else:
                self._add(each["Update"], PAIR)
        return answer

    def update_item(self, **asked: Any) -> Any:
        answer = self.dynamodb.update_item(**asked)
        self.calls += 1
        self._add(asked, 1)
        return answer

    def _add(self, update: Item, times: int) -> None:
        """What is added to is an account or a usage line: no larger than what is said of it, in no index."""
        said = {**update.get("ExpressionAttributeNames", {}), **_plain(update["ExpressionAttributeValues"])}
        self.items += 1
        self.units += times * _units(_plain(update["Key"]) | said)

    def get_item(self, **asked: Any) -> Any:
        self.reads += 1
        return self.dynamodb.get_item(**asked)

    def batch_get_item(self, **asked: Any) -> Any:
        self.reads += 1
        return self.dynamodb.batch_get_item(**asked)

    def query(self, **asked: Any) -> Any:
        self.reads += 1
        return self.dynamodb.query(**asked)

    def _count(self, table: str, item: Item) -> None:
        """What is billed is the larger of the item before and after."""
        key = (table, str(item.get("document") or (item["pk"], item["sk"])))
        before = self._stored.get(key, {})
        self._stored[key] = item
        in_indexes = sum(_entry_units(name, shown, before, item) for name, shown in INDEXES[table].items())
        self.items += 1
        self.index_units += in_indexes
        self.units += PAIR * _units(before, item) + in_indexes


def _entry_units(index: str, shown: frozenset[str], before: Item, after: Item) -> int:
    """One write for a new, changed or lost entry; two where its key changes: one goes, one comes."""
    old, new = (_entry(index, shown, each) for each in (before, after))
    if old == new:
        return 0
    if not old or not new or all(old[key] == new[key] for key in KEYS[index]):
        return _units(old, new)
    return _units(old) + _units(new)


def _entry(index: str, shown: frozenset[str], item: Item) -> Item:
    if not all(key in item for key in KEYS[index]):
        return {}
    return {name: value for name, value in item.items() if name in shown}


def _units(*items: Item) -> int:
    return max(ceil(max(map(_size, items)) / UNIT_BYTES), 1)


def _size(value: Any) -> int:
    """DynamoDB's rules: UTF-8 of names and texts, a byte for two digits, 3 and 1 an entry for what nests."""
    match value:
        case dict():
            return sum(len(name.encode()) + _size(inner) for name, inner in value.items()) + 3 + len(value)
        case list():
            return sum(map(_size, value)) + 3 + len(value)
        case str():
            return len(value.encode())
        case bool() | None:
            return 1
    return len(str(value)) // 2 + 1


def _plain(item: Item) -> Item:
    deserializer = TypeDeserializer()
    return {name: deserializer.deserialize(value) for name, value in item.items()}
