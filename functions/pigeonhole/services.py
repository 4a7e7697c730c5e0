"""The composition: `Outside` holds every port, `Services` composes what works with them.

Nothing else passes all of the ports on: a use case gets what it uses. bootstrap.py fills them with AWS and
Claude, a test with fakes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, partial

from pigeonhole.claude.tiers import Tiers
from pigeonhole.domain.document import RateLimits, Stage
from pigeonhole.domain.taxonomy import Taxonomy
from pigeonhole.guards.budget import Budget
from pigeonhole.guards.circuit_breaker import CircuitBreaker
from pigeonhole.guards.claude_call import CallGuards, ClaudeCalls
from pigeonhole.guards.lease import Leases
from pigeonhole.guards.s3_sync import S3Sync
from pigeonhole.money.account import Cap
from pigeonhole.pipeline.batch import BatchPorts, Handlers
from pigeonhole.pipeline.dead_letter import record_dead_letter
from pigeonhole.pipeline.escalation import escalate
from pigeonhole.pipeline.reading import Documents
from pigeonhole.pipeline.sweep import SweepPorts
from pigeonhole.pipeline.triage import Escalations, Flow, triage
from pigeonhole.ports import (
    ArtifactStore,
    Clock,
    EventBus,
    ModelClient,
    ObjectStore,
    Queues,
    Randomness,
    Reader,
    Runner,
    System,
    Telemetry,
)
from pigeonhole.stores import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class Outside:
    """Every port."""

    objects: ObjectStore
    reader: Reader
    artifacts: ArtifactStore
    model: ModelClient
    store: Store
    queues: Queues
    bus: EventBus
    runner: Runner
    clock: Clock
    randomness: Randomness
    telemetry: Telemetry


@dataclass(frozen=True, kw_only=True, slots=True)
class PipelineConfig:
    """What the operator decides; `max_bytes` is of an upload, `visibility` of a queue, `inbox` a bucket."""

    taxonomy: Taxonomy
    tiers: Tiers
    inbox: str
    max_bytes: int
    visibility: Mapping[Stage, timedelta]
    caps: Mapping[str, Cap]
    limits: RateLimits


class Services:
    """What works with the ports, each made when first used; functions and commands take theirs from here."""

    def __init__(self, outside: Outside, config: PipelineConfig) -> None:
        self.outside = outside
        self.config = config

    @cached_property
    def system(self) -> System:
        """Clock, randomness and telemetry."""
        outside = self.outside
        return System(clock=outside.clock, randomness=outside.randomness, telemetry=outside.telemetry)

    @cached_property
    def budget(self) -> Budget:
        """The caps and the rate limits."""
        return Budget(self.outside.store, self.outside.clock, self.config.caps, self.config.limits)

    @cached_property
    def guards(self) -> CallGuards:
        """Budget and circuit breaker."""
        return CallGuards(budget=self.budget, breaker=CircuitBreaker(self.outside.store, self.outside.clock))

    @cached_property
    def sync(self) -> S3Sync:
        """What brings a row in line with S3."""
        outside = self.outside
        return S3Sync(outside.objects, outside.store, outside.queues, self.system, self.config.visibility)

    @cached_property
    def leases(self) -> Leases:
        """What claims jobs."""
        return Leases(self.outside.store, self.sync, self.system, self.config.visibility)

    @cached_property
    def flow(self) -> Flow:
        """What a pass over a document works with."""
        outside, config = self.outside, self.config
        return Flow(
            leases=self.leases,
            documents=Documents(
                outside.objects, outside.reader, outside.artifacts, outside.clock, config.max_bytes
            ),
            claude=ClaudeCalls(outside.model, self.guards, outside.store, self.system, config.taxonomy),
            escalations=Escalations(outside.queues, self.system, config.visibility),
        )

    @cached_property
    def triage(self) -> Handlers:
        """What the triage function does with its messages."""
        handler = partial(triage, flow=self.flow, tiers=self.config.tiers)
        return Handlers(inbox=self.config.inbox, tasks={Stage.TRIAGE: handler}, sync=self.sync)

    @cached_property
    def escalation(self) -> Handlers:
        """What the escalation function does with its messages."""
        handler = partial(escalate, flow=self.flow, tiers=self.config.tiers)
        return Handlers(inbox=self.config.inbox, tasks={Stage.ESCALATION: handler, Stage.FINAL: handler})

    @cached_property
    def dead_letter(self) -> Handlers:
        """What the dead-letter function does with its messages."""
        handler = partial(record_dead_letter, leases=self.leases)
        tasks = dict.fromkeys((Stage.TRIAGE, Stage.ESCALATION, Stage.FINAL), handler)
        return Handlers(inbox=self.config.inbox, tasks=tasks, sync=self.sync)

    @cached_property
    def batch_ports(self) -> BatchPorts:
        """What an invocation's messages are worked on with."""
        outside = self.outside
        return BatchPorts(
            runner=outside.runner,
            queues=outside.queues,
            artifacts=outside.artifacts,
            telemetry=outside.telemetry,
        )

    @cached_property
    def sweep_ports(self) -> SweepPorts:
        """What sweep works with."""
        outside = self.outside
        return SweepPorts(jobs=outside.store, guards=self.guards, queues=outside.queues, clock=outside.clock)
