"""The outside of one history: S3, SQS, Lambda, Claude and the stream, each as unkind as the seed says."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from greenlet import getcurrent

from pigeonhole.adapters import lambda_events
from pigeonhole.claude import model_catalog
from pigeonhole.claude.prompt import request_hash
from pigeonhole.domain import outcome_event
from pigeonhole.domain.document import FetchedObject, Reply, Stage, Tier, Usage
from pigeonhole.domain.errors import DocumentError, RetryCause, StopAll, TryLater, WaitReason
from pigeonhole.domain.outcome_event import OutcomeEvent
from pigeonhole.domain.record import Record
from pigeonhole.domain.row_attributes import OUTCOMES
from pigeonhole.domain.upload import Upload
from pigeonhole.guards.lease import Invocation
from pigeonhole.jobs.job import Task
from pigeonhole.jobs.message import Message as QueueMessage
from pigeonhole.jobs.stored import CachedReply
from pigeonhole.money import pricing
from pigeonhole.money.account import STACK, Cap, account_of
from pigeonhole.pipeline import batch as batches
from pigeonhole.pipeline import publish, sweep
from pigeonhole.services import Outside, PipelineConfig, Services
from tests.simulation.scheduler import Scheduler, SimulatedInvocation
from tests.support import builders
from tests.support.fakes import START, FakeArtifactStore, FakeReader, FakeStore, FakeTelemetry

BUCKET = "inbox"
# What calls take: most of them little, some nearly as much as was set aside for them.
USAGES = (*[Usage(input_tokens=1000, output_tokens=100)] * 2, Usage(input_tokens=4000, output_tokens=1024))
VISIBILITY = {"intake": 720.0, "escalation": 1080.0, "dead": 400.0}
TIMEOUT = {"intake": 120.0, "escalation": 180.0, "dead": 60.0}


@dataclass(frozen=True, kw_only=True)
class Faults:
    """How likely each unkindness is; all zero once a history is to come to rest."""

    crash: float = 0.0
    throttle: float = 0.0
    unsaid: float = 0.0
    busy: float = 0.0
    lost_answer: float = 0.0
    cut_before: float = 0.0
    stop: float = 0.0
    duplicate: float = 0.0
    late: float = 0.0
    refused_news: float = 0.0


@dataclass
class SentMessage:
    body: str
    visible_at: float
    receives: int = 0
    id: str = ""


@dataclass
class SimulatedAws:
    """All of it, with what it saw; one a history."""

    hub: Scheduler
    faults: Faults
    store: FakeStore = field(default_factory=FakeStore)
    artifacts: FakeArtifactStore = field(default_factory=FakeArtifactStore)
    telemetry: FakeTelemetry = field(default_factory=FakeTelemetry)
    versions: dict[str, list[tuple[str, bytes | None]]] = field(default_factory=dict)
    queues: dict[str, dict[str, SentMessage]] = field(
        default_factory=lambda: {"intake": {}, "escalation": {}, "dead": {}}
    )
    running: Counter[str] = field(default_factory=Counter)
    thrown: Counter[str] = field(default_factory=Counter)
    paid: int = 0
    unwritten: list[tuple[str, str, SimulatedInvocation]] = field(default_factory=list)
    lost_answers: int = 0
    askers: dict[Any, str] = field(default_factory=dict)
    asked_afresh: dict[tuple[str, str], bool] = field(default_factory=dict)
    lost_calls: int = 0
    refused_calls: int = 0
    unsaid: int = 0
    stream: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = field(default_factory=list)
    published_ids: list[str] = field(default_factory=list)
    outcomes: list[Record] = field(default_factory=list)
    published: int = 0
    most_receives: int = 50
    config: PipelineConfig = builders.CONFIG
    caps: Mapping[str, Cap] = field(default_factory=lambda: {STACK: Cap(day=Decimal(10), month=Decimal(100))})
    billed: Counter[tuple[str, str]] = field(default_factory=Counter)
    names: int = 0
    violations: list[str] = field(default_factory=list)
    trace: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store.on_row = self._row_changed
        self.store.on_cached = self._cached_reply_changed

    # --- S3

    def s3_put(self, key: str, content: bytes) -> None:
        version = self._name("v")
        self.versions.setdefault(key, []).append((version, content))
        self._notify(key, "ObjectCreated:Put", version, size=len(content))

    def s3_delete(self, key: str) -> None:
        marker = self._name("m")
        self.versions.setdefault(key, []).append((marker, None))
        self.thrown["removals"] += 1
        self._notify(key, "ObjectRemoved:DeleteMarkerCreated", marker)

    def s3_delete_version(self, key: str, newest: bool) -> None:
        of_key = self.versions.get(key)
        if of_key:
            version, _ = of_key.pop(-1 if newest else self.hub.random.randrange(len(of_key)))
            self.thrown["removals"] += 1
            self._notify(key, "ObjectRemoved:Delete", version)

    def s3_expire(self, key: str) -> None:
        if self.versions.get(key):
            marker = self._name("m")
            self.versions[key].append((marker, None))
            self.thrown["removals"] += 1
            self._notify(key, "LifecycleExpiration:DeleteMarkerCreated", marker, sequenced=False)

    def shows(self, key: str) -> tuple[str, bytes] | None:
        of_key = self.versions.get(key)
        if not of_key or of_key[-1][1] is None:
            return None
        return of_key[-1][0], of_key[-1][1]

    def _notify(self, key: str, name: str, version: str, *, size: int = 0, sequenced: bool = True) -> None:
        thing: dict[str, Any] = {"key": key, "versionId": version, "size": size}
        self.names += 1
        if sequenced:
            thing["sequencer"] = f"{self.names:08X}"
        record = {
            "eventName": name,
            "eventTime": _moment(self.hub.now).isoformat(),
            "s3": {"bucket": {"name": BUCKET}, "object": thing},
        }
        body = json.dumps({"Records": [record]})
        copies = 2 if self._happens(self.faults.duplicate) else 1
        self.thrown["duplicates"] += copies - 1
        for _ in range(copies):
            late = self._happens(self.faults.late)
            self.thrown["reordered"] += late
            self.enqueue("intake", body, self.hub.random.uniform(0, 1500 if late else 3))

    # --- SQS and Lambda

    def enqueue(self, queue: str, body: str, delay: float = 0.0) -> None:
        name = self._name("q")
        self.queues[queue][name] = SentMessage(body=body, visible_at=self.hub.now + delay, id=name)
        self.hub.at(delay, lambda: self.poll(queue))

    def poll(self, queue: str) -> None:
        """Hand out what is visible, if a place is free; what was received too often is a dead letter."""
        visible = [each for each in self.queues[queue].values() if each.visible_at <= self.hub.now]
        for message in [each for each in visible if queue != "dead" and each.receives >= self.most_receives]:
            visible.remove(message)
            del self.queues[queue][message.id]
            self.enqueue("dead", message.body)
        if not visible or self.running[queue] >= 3:
            return
        self.hub.random.shuffle(visible)
        batch = visible[: self.hub.random.randint(1, 10)]
        for message in batch:
            message.receives += 1
            message.visible_at = self.hub.now + VISIBILITY[queue]
            self.hub.at(VISIBILITY[queue], lambda: self.poll(queue))
        if len(batch) < len(visible):
            self.hub.at(0.1, lambda: self.poll(queue))
        self._invoke(queue, batch)

    def _invoke(self, queue: str, batch: list[SentMessage]) -> None:
        self.running[queue] += 1
        invocation = self.invocation(TIMEOUT[queue])
        event = {
            "Records": [
                {"eventSource": "aws:sqs", "messageId": each.id, "receiptHandle": each.id, "body": each.body}
                for each in batch
            ]
        }

        def run() -> None:
            services = self.services(invocation, queue)
            handlers = {
                "intake": services.triage,
                "escalation": services.escalation,
                "dead": services.dead_letter,
            }
            deadline = services.outside.clock.now() + timedelta(seconds=TIMEOUT[queue] - 5)
            unfinished = batches.process_batch(
                lambda_events.parse(event),
                handlers[queue],
                services.batch_ports,
                Invocation(deadline=deadline),
            )
            batches.finish(services.budget, services.outside.telemetry)
            for each in batch:
                if each.id not in unfinished:
                    self.queues[queue].pop(each.id, None)

        def free() -> None:
            self.running[queue] -= 1
            self.poll(queue)

        self._begin(invocation, run, free)

    def _begin(
        self, invocation: SimulatedInvocation, run: Callable[[], None], free: Callable[[], None]
    ) -> None:
        def whole() -> None:
            run()
            invocation.finished = True

        self.hub.start(whole)
        self._watch(invocation, free)

    def _watch(self, invocation: SimulatedInvocation, free: Callable[[], None]) -> None:
        """Free the place when the invocation is over, however it ended."""

        def look() -> None:
            if invocation.finished or invocation.dead or self.hub.now > invocation.ends:
                if not invocation.finished:
                    self.thrown["crashes" if invocation.dead else "cuts"] += 1
                    invocation.dead = True
                free()
            else:
                self.hub.at(1.0, look)

        self.hub.at(1.0, look)

    def invocation(self, alive_for: float) -> SimulatedInvocation:
        if self._happens(self.faults.cut_before):
            alive_for *= self.hub.random.random()
        skew = self.hub.random.uniform(-1, 1)
        return SimulatedInvocation(self.hub, skew=skew, crash=self.faults.crash, alive_for=alive_for)

    # --- the stream

    def _row_changed(self, before: Record | None, after: Record) -> None:
        """Every write of a public row: it may not go back in time, nor lose what stands."""
        if before:
            self._look_at_change(before, after)
        self.stream.append((before.row() if before else {}, after.row()))
        if after.outcome_id and (before is None or before.outcome_id != after.outcome_id):
            self.outcomes.append(after)

    def _look_at_change(self, before: Record, after: Record) -> None:
        same = (before.version_id, before.sequencer) == (after.version_id, after.sequencer)
        if after.sequencer < before.sequencer:
            self.violations.append(f"stale: {after.document} went back to an older event")
        if same and before.tier is Tier.HUMAN and after.tier is not Tier.HUMAN and after.status != "removed":
            self.violations.append(f"stale: a person's word on {after.document} was overwritten")
        if same and before.status in OUTCOMES and after.status not in OUTCOMES:
            self.violations.append(f"stale: {after.document} lost its outcome while another run went on")
        if same and before.status in OUTCOMES and after.status == "failed" and after.run <= before.run:
            self.violations.append(f"stale: a duplicate's failure replaced the outcome of {after.document}")
        gave_up = after.error is not None and after.error.code == "upstream"
        # A claim that was written and never confirmed leaves a lease behind, as a crash does.
        attempts = self.lost_calls + self.unsaid + self.thrown["crashes"] + self.thrown["cuts"]
        if gave_up and attempts < 3 and self.refused_calls < 20:
            self.violations.append(f"lost: {after.document} was given up though Claude was only busy")

    def _cached_reply_changed(self, before: CachedReply | None, after: CachedReply) -> None:
        """A reply in the ledger: another one before it, for no newer run, was paid for twice."""
        if after.lease or not after.reply:
            self.askers[getcurrent()] = after.team
            owner = after.lease and after.lease.owner
            askers = [job for job in self.store.jobs.values() if owner and job.owner == owner]
            self.asked_afresh[after.team, after.key] = any(job.task.forced for job in askers)
            return
        mine = [each for each in self.unwritten if each[:2] == (after.team, after.key) and not each[2].dead]
        if not mine:
            return
        self.unwritten.remove(mine[0])
        asked_afresh = self.asked_afresh.get((after.team, after.key))
        if before and before.reply and before.run >= after.run and not asked_afresh:
            self.violations.append(f"double_paid_outside_window: {after.team} {after.key[:8]}")

    def publish(self) -> None:
        """One batch of the stream, in order; what was not taken comes again."""
        if self.published >= len(self.stream):
            return
        batch = list(enumerate(self.stream[self.published :][:20], start=self.published))
        invocation = self.invocation(60)

        def run() -> None:
            events = [
                each for number, (old, new) in batch if (each := outcome_event.of(str(number), old, new))
            ]
            failed = publish.publish(events, self.services(invocation, "publish").outside.bus)
            self.published = min([int(each) for each in failed], default=batch[-1][0] + 1)

        self.hub.start(lambda: self._or_next_time(run))

    def sweep(self) -> None:
        invocation = self.invocation(60)

        def run() -> None:
            services = self.services(invocation, "sweep")
            sweep.sweep(services.sweep_ports, services.config.visibility)

        self.hub.start(lambda: self._or_next_time(run))

    def _or_next_time(self, run: Callable[[], object]) -> None:
        with suppress(TryLater):
            run()

    def reset_breaker(self) -> None:
        state = self.store.breaker()
        if state:
            self.store.breakers["claude"] = replace(
                state, revision=state.revision + 1, is_tripped=False, until=None
            )

    # --- the ports

    def services(self, invocation: SimulatedInvocation, queue: str) -> Services:
        store: Any = Pausing(self.store, self, invocation, "dynamodb")
        artifacts: Any = Pausing(self.artifacts, self, invocation, "s3")
        outside = Outside(
            objects=SimulatedInbox(self, invocation),
            reader=FakeReader(),
            artifacts=artifacts,
            model=SimulatedClaude(self, invocation),
            store=store,
            queues=SimulatedQueues(self, invocation, queue),
            bus=SimulatedBus(self, invocation),
            runner=invocation,
            clock=SkewedClock(self.hub, invocation),
            randomness=SeededRandomness(self),
            telemetry=self.telemetry,
        )
        return Services(outside, replace(self.config, caps=self.caps))

    def call(self, invocation: SimulatedInvocation, service: str) -> None:
        """Before a call of the outside: it takes time, it may be refused, and all may end here."""
        self.thrown["calls"] += 1
        invocation.pause(self.hub.random.uniform(0.001, 0.03))
        if self._happens(self.faults.throttle):
            self.thrown["throttles"] += 1
            raise TryLater(f"{service} is busy", seconds=5)

    def _happens(self, likely: float) -> bool:
        return likely > 0 and self.hub.random.random() < likely

    def _name(self, prefix: str) -> str:
        self.names += 1
        return f"{prefix}{self.names:05d}"


def _moment(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@dataclass
class SkewedClock:
    hub: Scheduler
    invocation: SimulatedInvocation

    def now(self) -> datetime:
        return _moment(self.hub.now + self.invocation.skew)

    def wait(self, seconds: float) -> None:
        self.invocation.pause(seconds)


@dataclass
class SeededRandomness:
    outside: SimulatedAws

    def token(self) -> str:
        return self.outside._name("t")

    def jitter(self, seconds: float) -> float:
        return seconds * (1 + 0.2 * self.outside.hub.random.random())


class Pausing:
    """Any port, with a pause before and after each call; in both the invocation may end.

    What was done may also go unsaid: the caller hears of no answer, and cannot know.
    """

    def __init__(
        self, port: Any, outside: SimulatedAws, invocation: SimulatedInvocation, service: str
    ) -> None:
        self._port = port
        self._outside = outside
        self._invocation = invocation
        self._service = service

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def called(*args: Any, **kwargs: Any) -> Any:
            self._outside.call(self._invocation, self._service)
            result = method(*args, **kwargs)
            self._outside.trace.append((self._outside.hub.now, name, args, result))
            self._invocation.pause(0.001)
            if self._outside._happens(self._outside.faults.unsaid):
                self._outside.unsaid += 1
                raise TryLater(f"no answer from {self._service}", seconds=20, cause=RetryCause.UNCERTAIN)
            return result

        return called


@dataclass
class SimulatedInbox:
    outside: SimulatedAws
    invocation: SimulatedInvocation

    @contextmanager
    def fetch(self, upload: Upload, *, max_bytes: int) -> Iterator[FetchedObject]:
        self.outside.call(self.invocation, "s3")
        content = dict(self.outside.versions.get(upload.key, [])).get(upload.version_id)
        if content is None:
            raise DocumentError("gone")
        yield FetchedObject(
            path=Path("memory") / f"x{content.hex()}",
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            content_type="text/plain",
            etag=None,
        )

    def current(self, upload: Upload) -> Upload | None:
        self.outside.call(self.invocation, "s3")
        shown = self.outside.shows(upload.key)
        self.invocation.pause(0.001)
        return shown and replace(upload, version_id=shown[0], sequencer="", size_bytes=len(shown[1]))


@dataclass
class SimulatedQueues:
    outside: SimulatedAws
    invocation: SimulatedInvocation
    own: str

    def send(self, task: Task) -> None:
        self.outside.call(self.invocation, "sqs")
        queue = "intake" if task.stage is Stage.TRIAGE else "escalation"
        self.outside.enqueue(queue, lambda_events.task_body(task))
        self.invocation.pause(0.001)

    def requeue(self, message: QueueMessage, seconds: float) -> None:
        self.outside.call(self.invocation, "sqs")
        found = self.outside.queues[self.own].get(message.id)
        if found:
            found.visible_at = self.outside.hub.now + seconds
            self.outside.hub.at(seconds, lambda: self.outside.poll(self.own))
        self.invocation.pause(0.001)


@dataclass
class SimulatedBus:
    outside: SimulatedAws
    invocation: SimulatedInvocation

    def publish(self, events: Iterable[OutcomeEvent]) -> list[str]:
        self.outside.call(self.invocation, "events")
        batch = list(events)
        refused = [each.id for each in batch if self.outside._happens(self.outside.faults.refused_news)]
        self.outside.published_ids += [
            str(each.detail["event_id"]) for each in batch if each.id not in refused
        ]
        self.invocation.pause(0.001)
        return refused


@dataclass
class SimulatedClaude:
    """Answers by the request's hash: plain, in doubt, invalid or refused, always the same."""

    outside: SimulatedAws
    invocation: SimulatedInvocation

    def ask(self, request: Mapping[str, Any], *, timeout: float) -> Reply:
        outside, randomness = self.outside, self.outside.hub.random
        outside.thrown["calls"] += 1
        key, usage = request_hash(_uncached(request)), randomness.choice(USAGES)
        self.invocation.pause(0.01)
        if outside._happens(outside.faults.stop):
            outside.thrown["throttles"] += 1
            ends = randomness.choice([60.0, 1200.0, None])
            until = None if ends is None else _moment(outside.hub.now + ends)
            raise StopAll(WaitReason.CLAUDE if ends else WaitReason.CREDENTIALS, "said so", until=until)
        if outside._happens(outside.faults.busy):
            outside.thrown["throttles"] += 1
            outside.refused_calls += 1
            raise TryLater("busy", seconds=randomness.uniform(1, 60), cause=RetryCause.THROTTLED)
        if outside._happens(outside.faults.lost_answer):
            paid = randomness.random() < 0.5
            outside.lost_calls += 1
            outside.paid += paid
            outside.lost_answers += paid
            if paid:
                self._bill(request, usage)
            outside.thrown["cuts"] += 1
            self.invocation.pause(randomness.choice([1.0, timeout]))
            raise TryLater("no answer in time", seconds=20, cause=RetryCause.BILLED)
        outside.paid += 1
        self._bill(request, usage)
        outside.unwritten.append((outside.askers.get(getcurrent(), "-"), key, self.invocation))
        self.invocation.pause(randomness.uniform(0.5, 8))
        return replace(_reply(request, key), usage=usage)

    def _bill(self, request: Mapping[str, Any], usage: Usage) -> None:
        """Claude's own bill, which must stay under every cap by the clock of whoever asks."""
        outside, model = self.outside, model_catalog.model(request["model"])
        team = outside.askers.get(getcurrent(), "-")
        for where in _accounts(team, SkewedClock(outside.hub, self.invocation).now()):
            outside.billed[where] += pricing.cost_usd(model, usage)  # type: ignore[assignment]


def _accounts(team: str, now: datetime) -> Iterator[tuple[str, str]]:
    """Where a call counts: for the stack and for its team, by day and by month."""
    for account in (STACK, account_of(team)):
        yield account, f"{now:%Y-%m-%d}"
        yield account, f"{now:%Y-%m}"


def _uncached(request: Mapping[str, Any]) -> dict[str, Any]:
    """The request as it is for all who ask the same, whether Claude is to keep its prefix or not."""
    (stable,) = request["system"]
    return {**request, "system": [{name: value for name, value in stable.items() if name != "cache_control"}]}


def _reply(request: Mapping[str, Any], key: str) -> Reply:
    kind = int(key[:4], 16) % 10
    strong = "sonnet" in request["model"]
    if kind == 0:
        return Reply(model=request["model"], text="{", stop_reason="end_turn", usage=Usage())
    if kind == 1:
        return Reply(model=request["model"], text="", stop_reason="refusal", usage=Usage())
    doubtful = "perhaps" in str(request["messages"]) and not strong
    return replace(builders.reply(confidence=60 if doubtful else 95, evidence=[]), model=request["model"])
