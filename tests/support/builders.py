"""Values for tests, each with sensible defaults, and the parts put together from fakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from infra.ops import operations
from infra.ops.operations import OperationPorts
from pigeonhole.claude import model_catalog
from pigeonhole.claude.tiers import TierConfig
from pigeonhole.domain import taxonomy
from pigeonhole.domain.document import RateLimits, Reply, Stage, Tier, Usage
from pigeonhole.domain.policy import FINAL_HELPS_WITH, Reason, Thresholds
from pigeonhole.domain.record import Record
from pigeonhole.domain.row_attributes import OUTCOMES, Status
from pigeonhole.domain.upload import ObjectEvent, ObjectEventType, Upload
from pigeonhole.guards.claimed_job import ClaimedJob
from pigeonhole.guards.lease import Invocation
from pigeonhole.jobs import transitions
from pigeonhole.jobs.job import Attempts, Charges, Job, Lease, Task
from pigeonhole.jobs.message import Message
from pigeonhole.jobs.stored import AnyWrite, CachedReply
from pigeonhole.money.account import STACK, Cap
from pigeonhole.pipeline.sweep import sweep
from pigeonhole.services import Outside, PipelineConfig, Services
from tests.support.fakes import (
    START,
    FakeArtifactStore,
    FakeBus,
    FakeClaude,
    FakeClock,
    FakeObjectStore,
    FakeQueues,
    FakeRandomness,
    FakeReader,
    FakeStore,
    FakeTelemetry,
    Inline,
)

LIMITS = RateLimits(requests=1_000_000)
DEADLINE = START + timedelta(seconds=100)
INVOCATION = Invocation(deadline=DEADLINE)

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
    row = Record.new(of or upload(), run, START)
    attempts = {"attempts": 1} if status in OUTCOMES - {Status.REMOVED} else {}
    return row if status is Status.PROCESSING else row.to(status, START, **attempts | changes)


_PARTS: tuple[tuple[str, type[Any]], ...] = (("attempts", Attempts), ("charges", Charges), ("task", Task))


def job(of: Upload | None = None, *, owner: str | None = None, **changes: Any) -> Job:
    """The job of an upload that has just begun, but for the changes.

    Fields of its attempts, charges and task may be given as if they were its own, and its lease by `owner`,
    `until` and `isolated`.
    """
    built = transitions.new_job(Task(upload=of or upload(), run=changes.get("run", 1)), None, START)
    for name, kind in _PARTS:
        own = {each.name: changes.pop(each.name) for each in fields(kind) if each.name in changes}
        built = replace(built, **{name: replace(getattr(built, name), **own)})
    lease = {"until": START, **{each: changes.pop(each) for each in ("until", "isolated") if each in changes}}
    if owner:
        changes["lease"] = Lease(owner=owner, **lease)
    return replace(built, **changes)


def created(of: Upload) -> ObjectEvent:
    return ObjectEvent(type=ObjectEventType.CREATED, upload=of)


def message(*requests: ObjectEvent | Task, name: str = "m1", unreadable: str | None = None) -> Message:
    return Message(id=name, receipt=f"receipt-{name}", body=name, requests=requests, unreadable=unreadable)


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


def tier_config(tier: Tier, **changes: Any) -> TierConfig:
    is_fast = tier is Tier.FAST
    sonnet = model_catalog.model("claude-sonnet-5-5")
    plain = TierConfig(
        tier=tier,
        model=model_catalog.model(MODELS[tier]),
        max_tokens=1024,
        effort="low",
        thinks=not is_fast,
        likely_tokens=300,
        document_tokens=1000,
        timeout=30,
        thresholds=FAST_THRESHOLDS if is_fast else Thresholds(confidence=70),
        escalates_for=frozenset(Reason) if is_fast else frozenset(),
        compared_with=sonnet if is_fast else None,
    )
    return replace(plain, **changes)


MODELS = {
    Tier.FAST: "claude-haiku-5-5",
    Tier.STRONG: "claude-sonnet-5-5",
    Tier.FINAL: "claude-opus-5-5",
}
FAST_THRESHOLDS = Thresholds(confidence=85, margin=15, heeds_category=True)
TIERS = {Stage.TRIAGE: tier_config(Tier.FAST), Stage.ESCALATION: tier_config(Tier.STRONG)}
CONFIG = PipelineConfig(
    taxonomy=TAXONOMY,
    tiers=TIERS,
    inbox="inbox",
    max_bytes=10_000,
    visibility={
        Stage.TRIAGE: timedelta(seconds=720),
        Stage.ESCALATION: timedelta(seconds=1080),
        Stage.FINAL: timedelta(seconds=1080),
    },
    caps={STACK: Cap(day=Decimal(10), month=Decimal(100))},
    limits=LIMITS,
)


def with_final(config: PipelineConfig = CONFIG) -> PipelineConfig:
    """The configuration with a final tier."""
    strong = replace(config.tiers[Stage.ESCALATION], escalates_for=FINAL_HELPS_WITH)
    tiers = {**config.tiers, Stage.ESCALATION: strong, Stage.FINAL: tier_config(Tier.FINAL)}
    return replace(config, tiers=tiers)


def with_tier(config: PipelineConfig, stage: Stage, **changes: Any) -> PipelineConfig:
    """The configuration with one tier changed."""
    return replace(config, tiers={**config.tiers, stage: replace(config.tiers[stage], **changes)})


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


def takes(*writes: AnyWrite, usage: object = ()) -> bool:
    """Whether the store is asked to put a job under somebody's lease."""
    return any(isinstance(each.after, Job) and _owner(each.before) != each.after.owner for each in writes)


def keeps(*writes: AnyWrite, usage: object = ()) -> bool:
    """Whether a reply is written down."""
    return any(
        isinstance(each.after, Job) and _replies(each.before) != _replies(each.after) for each in writes
    )


def reserves(*writes: AnyWrite, usage: object = ()) -> bool:
    """Whether a request is about to be sent."""
    return any(isinstance(each.after, CachedReply) and each.after.lease for each in writes)


def ends(*writes: AnyWrite, usage: object = ()) -> bool:
    """Whether a stage is over."""
    return any(
        isinstance(each.before, Job) and isinstance(each.after, Job) and each.before.stage != each.after.stage
        for each in writes
    )


def _owner(entry: object) -> str | None:
    return entry.owner if isinstance(entry, Job) else None


def _replies(entry: object) -> int:
    return len(entry.replies) if isinstance(entry, Job) else 0


@dataclass
class World:
    """The fakes, and the services made of them, anew each time: each call is another container's."""

    objects: FakeObjectStore = field(default_factory=FakeObjectStore)
    artifacts: FakeArtifactStore = field(default_factory=FakeArtifactStore)
    claude: FakeClaude = field(default_factory=FakeClaude)
    store: FakeStore = field(default_factory=FakeStore)
    queues: FakeQueues = field(default_factory=FakeQueues)
    clock: FakeClock = field(default_factory=FakeClock)
    bus: FakeBus = field(default_factory=FakeBus)
    randomness: FakeRandomness = field(default_factory=FakeRandomness)
    telemetry: FakeTelemetry = field(default_factory=FakeTelemetry)
    config: PipelineConfig = CONFIG
    caps: dict[str, Cap] = field(default_factory=dict)
    limits: RateLimits | None = None

    def __post_init__(self) -> None:
        self.caps = self.caps or dict(self.config.caps)

    def put(self, of: Upload, content: str) -> Upload:
        self.objects.put(of, content.encode())
        return of

    def row(self, of: Upload) -> Record:
        """The document's row as its readers find it."""
        return self.store.rows[of.document]

    def job(self, of: Upload, run: int = 1) -> Job:
        """How far the job of the upload has come."""
        return self.store.jobs[of.document, of.version_id, run]

    def invocation(self, seconds: float = 100, *, isolated: bool = False) -> Invocation:
        """An invocation that begins now."""
        return Invocation(deadline=self.clock.now() + timedelta(seconds=seconds), isolated=isolated)

    def claimed(self, task: Task, invocation: Invocation | None = None) -> ClaimedJob:
        """The job under the lease of somebody who does nothing with it."""
        claimed = self.services.leases.claim(task, invocation or self.invocation())
        assert claimed is not None
        return claimed

    def triage(self, request: ObjectEvent | Task, invocation: Invocation | None = None) -> None:
        """What the triage function does with a request."""
        self.services.triage.handle(request, invocation or INVOCATION)

    def escalate(self, task: Task, invocation: Invocation | None = None) -> None:
        """What the escalation function does with a task."""
        self.services.escalation.handle(task, invocation or INVOCATION)

    def record_dead_letter(self, request: ObjectEvent | Task, invocation: Invocation | None = None) -> None:
        """What the dead-letter function does with a request."""
        self.services.dead_letter.handle(request, invocation or INVOCATION)

    def sweep(self) -> int:
        """What the sweep function does."""
        return sweep(self.services.sweep_ports, self.config.visibility)

    def sync(self, of: Upload) -> bool:
        """What a removal leads to."""
        return self.services.sync.sync(of)

    def redrive(self, row: Record, *, forced: bool = False) -> Job:
        """What an operator does to a document."""
        return operations.redrive(row, self.operation_ports, self.config.visibility, forced=forced)

    def review(self, document: str, category: str | None, who: str) -> Record:
        """What a person says of a document."""
        return operations.review(document, category, who, self.operation_ports, self.config.taxonomy)

    @property
    def operation_ports(self) -> OperationPorts:
        return OperationPorts(jobs=self.store, queues=self.queues, system=self.services.system)

    @property
    def handed(self) -> list[Task]:
        """What was put into the queue of the hard cases."""
        return [each for each in self.queues.tasks if each.stage is not Stage.TRIAGE]

    @property
    def outside(self) -> Outside:
        return Outside(
            objects=self.objects,
            reader=FakeReader(),
            artifacts=self.artifacts,
            model=self.claude,
            store=self.store,
            queues=self.queues,
            bus=self.bus,
            runner=Inline(),
            clock=self.clock,
            randomness=self.randomness,
            telemetry=self.telemetry,
        )

    @property
    def services(self) -> Services:
        limits = self.limits or self.config.limits
        return Services(self.outside, replace(self.config, caps=self.caps, limits=limits))
