"""Values for tests, each with sensible defaults, and the parts put together from fakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from pigeonhole.claude import model_catalog
from pigeonhole.claude.prompt import Asking
from pigeonhole.domain import taxonomy
from pigeonhole.domain.document import Allowance, Change, Kind, Reply, Stage, Tier, Upload, Usage
from pigeonhole.domain.policy import Thresholds
from pigeonhole.domain.record import OUTCOMES, Record, Status, begun
from pigeonhole.guards.budget import STACK, Budget
from pigeonhole.guards.circuit_breaker import Gatekeeper
from pigeonhole.guards.lease import Claim, Shift, take
from pigeonhole.jobs import transitions
from pigeonhole.jobs.job import Order, Work
from pigeonhole.jobs.message import Message
from pigeonhole.money.account import Cap
from pigeonhole.ports import Answer, Parts, Rules, Swap
from tests.support.fakes import (
    START,
    FakeAnalyst,
    FakeArtifacts,
    FakeBus,
    FakeChance,
    FakeClock,
    FakeJournal,
    FakeLedger,
    FakeObjects,
    FakeQueues,
    FakeReader,
    Inline,
)

ALLOWANCE = Allowance(requests=1_000_000)
DEADLINE = START + timedelta(seconds=100)
SHIFT = Shift(deadline=DEADLINE)

TAXONOMY = taxonomy.load(
    """
    [[category]]
    slug = "invoice"
    name = "Invoice"
    description = "Asks for money."
    keywords = ["amount due"]

    [[category]]
    slug = "letter"
    name = "Letter"
    description = "One party writes to another."

    [[category]]
    slug = "contract"
    name = "Contract"
    description = "Binds its parties."
    second_opinion = true
    """
)


def upload(key: str = "finance/a.txt", version: str = "v1", order: int = 1) -> Upload:
    return Upload(
        bucket="inbox",
        key=key,
        version_id=version,
        sequencer=f"{order:04X}".ljust(64, "0"),
        uploaded_at=START,
        size_bytes=10,
    )


def record(of: Upload | None = None, status: Status = Status.DONE, run: int = 1, **changes: Any) -> Record:
    """The row of an upload, at its begin or already at another status; an outcome took one attempt."""
    row = begun(of or upload(), run, START)
    attempts = {"attempts": 1} if status in OUTCOMES - {Status.REMOVED} else {}
    return row if status is Status.PROCESSING else row.to(status, START, **attempts | changes)


def work(of: Upload | None = None, **changes: Any) -> Work:
    """The work on an upload that has just begun, but for the changes."""
    run = changes.get("run", 1)
    return replace(transitions.new(Order(upload=of or upload(), run=run), None, START), **changes)


def created(of: Upload) -> Change:
    return Change(kind=Kind.CREATED, upload=of)


def message(*asks: Change | Order, name: str = "m1", unreadable: str | None = None) -> Message:
    return Message(id=name, receipt=f"receipt-{name}", body=name, asks=asks, unreadable=unreadable)


def s3_record(event: str = "ObjectCreated:Put", key: Any = "finance/a.txt", **thing: Any) -> dict[str, Any]:
    """One record of S3's own notification; what is given as None is left out."""
    full = {"key": key, "size": 10, "eTag": "e", "versionId": "v1", "sequencer": "0055AED6DCD90281E5"} | thing
    return {
        "eventName": event,
        "eventTime": "2026-11-22T12:00:00.000Z",
        "s3": {
            "bucket": {"name": "inbox"},
            "object": {name: value for name, value in full.items() if value is not None},
        },
    }


def sqs_event(*bodies: Any) -> dict[str, Any]:
    """What Lambda hands over for these messages, m1 and on; what is no text is sent as JSON."""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": f"receipt-m{number}",
                "eventSource": "aws:sqs",
                "body": body if isinstance(body, str) else json.dumps(body),
            }
            for number, body in enumerate(bodies, start=1)
        ]
    }


def stream_record(name: str, old: Record | None, new: Record | None) -> dict[str, Any]:
    """A change of a row as the documents table's stream tells it."""
    images = {"OldImage": old, "NewImage": new}
    serialize = TypeSerializer().serialize
    change = {image: serialize(row.row())["M"] for image, row in images.items() if row}
    return {"eventName": "MODIFY", "dynamodb": {"SequenceNumber": name} | change}


def answer(**changes: Any) -> dict[str, Any]:
    """A plain, certain answer about an invoice, but for the changes."""
    return {
        "evidence": ["Amount due: 12"],
        "title": "Invoice 7",
        "summary": "It asks for 12.",
        "language": "en",
        "keywords": ["invoice"],
        "issue": "none",
        "category": "invoice",
        "confidence": 95,
        "runner_up": "letter",
        "runner_up_confidence": 5,
    } | changes


def reply(stop_reason: str = "end_turn", text: str | None = None, **changes: Any) -> Reply:
    return Reply(
        model="claude-haiku-5-5",
        text=json.dumps(answer(**changes)) if text is None else text,
        stop_reason=stop_reason,
        usage=Usage(input_tokens=1000, output_tokens=100),
        request_id="msg_1",
    )


def asking(tier: Tier) -> Asking:
    name = {Tier.FAST: "claude-haiku-5-5", Tier.STRONG: "claude-sonnet-5-5"}[tier]
    return Asking(
        tier=tier,
        model=model_catalog.model(name),
        max_tokens=1024,
        effort="low",
        thinks=tier is Tier.STRONG,
        likely_tokens=300,
        tokens=1000,
        timeout=30,
    )


RULES = Rules(
    taxonomy=TAXONOMY,
    thresholds=Thresholds(),
    fast=asking(Tier.FAST),
    strong=asking(Tier.STRONG),
    inbox="inbox",
    max_bytes=10_000,
    visibility={Stage.TRIAGE: timedelta(seconds=720), Stage.ESCALATION: timedelta(seconds=1080)},
)


def breaks(
    thing: object,
    method: str,
    error: BaseException,
    *,
    after: bool = False,
    when: Callable[..., bool] = lambda *args, **kwargs: True,
    times: int = 1,
) -> None:
    """The next such calls of this method raise; with `after`, only once they have done their work."""
    whole = getattr(thing, method)
    left = [error] * times

    def broken(*args: Any, **kwargs: Any) -> Any:
        if not when(*args, **kwargs):
            return whole(*args, **kwargs)
        if after:
            whole(*args, **kwargs)
        if len(left) == 1:
            setattr(thing, method, whole)
        raise left.pop()

    setattr(thing, method, broken)


def takes(*swaps: Swap, tallies: object = ()) -> bool:
    """Whether the ledger is asked to put work into somebody's hands."""
    return any(isinstance(each.after, Work) and _owner(each.before) != each.after.owner for each in swaps)


def keeps(*swaps: Swap, tallies: object = ()) -> bool:
    """Whether a reply is written down."""
    return any(
        isinstance(each.after, Work) and _replies(each.before) != _replies(each.after) for each in swaps
    )


def reserves(*swaps: Swap, tallies: object = ()) -> bool:
    """Whether a question is about to be asked."""
    return any(isinstance(each.after, Answer) and each.after.owner for each in swaps)


def ends(*swaps: Swap, tallies: object = ()) -> bool:
    """Whether a stage is over."""
    return any(
        isinstance(each.before, Work)
        and isinstance(each.after, Work)
        and each.before.stage != each.after.stage
        for each in swaps
    )


def _owner(entry: object) -> str | None:
    return entry.owner if isinstance(entry, Work) else None


def _replies(entry: object) -> int:
    return len(entry.replies) if isinstance(entry, Work) else 0


@dataclass
class World:
    """The fakes, and the parts made of them."""

    objects: FakeObjects = field(default_factory=FakeObjects)
    artifacts: FakeArtifacts = field(default_factory=FakeArtifacts)
    analyst: FakeAnalyst = field(default_factory=FakeAnalyst)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    queues: FakeQueues = field(default_factory=FakeQueues)
    clock: FakeClock = field(default_factory=FakeClock)
    bus: FakeBus = field(default_factory=FakeBus)
    chance: FakeChance = field(default_factory=FakeChance)
    journal: FakeJournal = field(default_factory=FakeJournal)

    rules: Rules = RULES
    caps: dict[str, Cap] = field(default_factory=lambda: {STACK: Cap(day=Decimal(10), month=Decimal(100))})
    allowance: Allowance = ALLOWANCE

    def put(self, of: Upload, content: str) -> Upload:
        self.objects.put(of, content.encode())
        return of

    def row(self, of: Upload) -> Record:
        """The document's row as its readers find it."""
        return self.ledger.rows[of.document]

    def work(self, of: Upload, run: int = 1) -> Work:
        """How far the work on the upload has come."""
        return self.ledger.works[of.document, of.version_id, run]

    def shift(self, seconds: float = 100, *, alone: bool = False) -> Shift:
        """An invocation that begins now."""
        return Shift(deadline=self.clock.now() + timedelta(seconds=seconds), alone=alone)

    def claimed(self, asked: Order, shift: Shift | None = None) -> Claim:
        """The work in the hands of somebody who does nothing with it."""
        claim = take(asked, self.parts, shift or self.shift())
        assert claim is not None
        return claim

    @property
    def handed(self) -> list[Order]:
        """What was put into the queue of the hard cases."""
        return [each for each in self.queues.orders if each.stage is Stage.ESCALATION]

    @property
    def parts(self) -> Parts:
        return Parts(
            objects=self.objects,
            reader=FakeReader(),
            artifacts=self.artifacts,
            analyst=self.analyst,
            gate=Gatekeeper(self.ledger, self.clock),
            budget=Budget(self.ledger, self.clock, self.caps, self.allowance),
            ledger=self.ledger,
            queues=self.queues,
            bus=self.bus,
            chance=self.chance,
            runner=Inline(),
            clock=self.clock,
            journal=self.journal,
            rules=self.rules,
        )
