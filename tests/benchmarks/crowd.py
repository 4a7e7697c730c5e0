"""Many documents at once in the simulation's time, where the offline Claude answers, limits and bills."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import httpx2
from anthropic import Anthropic
from greenlet import getcurrent

from infra.local.offline_claude import Settings as Behaviour
from infra.local.offline_claude.api.app import App
from infra.local.offline_claude.api.http_messages import HttpRequest, HttpResponse
from infra.ops import template
from pigeonhole.adapters.anthropic_client import AnthropicClient
from pigeonhole.domain.document import RateLimits, Reply, Stage
from pigeonhole.guards.claude_call import CallGuards
from pigeonhole.pipeline.sweep import sweep
from pigeonhole.services import PipelineConfig, Services
from tests.benchmarks.sorting import deployed_config
from tests.simulation.scheduler import Scheduler, SimulatedInvocation
from tests.simulation.simulated_aws import VISIBILITY, Faults, SentMessage, SimulatedAws
from tests.support.fakes import START

BATCHES = {"intake": 10, "escalation": 1, "dead": 10}
SEED = 1
_NETWORK_S = 0.01
_SWEEP_S = 120.0
_ITEMS = "\n".join(f"{line}. Brass hinge, box of {line * 10}" for line in range(1, 45))


def sweep_every() -> float:
    """The template's own schedule, in seconds."""
    (event,) = template.load()["Resources"]["SweepFunction"]["Properties"]["Events"].values()
    minutes = re.fullmatch(r"rate\((\d+) minutes?\)", event["Properties"]["Schedule"])
    if minutes is None:
        raise ValueError(f"no rate in minutes: {event}")
    return int(minutes[1]) * 60.0


def invoice(number: int) -> bytes:
    """A small document that no other is like."""
    total = f"Total due: {number}.00 EUR, payable within 30 days"
    return f"Invoice {number}\nBill to: Example Ltd {number}\n\n{_ITEMS}\n\n{total}\n".encode()


@dataclass
class Crowd(SimulatedAws):
    """The simulated AWS under a backlog: whole batches, so many places, a Claude that counts.

    A container serves one invocation after the other until one dies in it, and remembers what it learned.
    """

    hub: Scheduler = field(default_factory=lambda: Scheduler(random.Random(SEED)))
    faults: Faults = field(default_factory=Faults)
    behaviour: Behaviour = field(default_factory=Behaviour)
    limits: RateLimits = field(default_factory=lambda: RateLimits(requests=1_000))
    places: int = 10
    config: PipelineConfig = field(default_factory=deployed_config)
    sweep_every: float = field(default_factory=sweep_every)
    # What the last sweep sent on, if nothing has moved since.
    last_sent: int | None = None

    def __post_init__(self) -> None:
        self.store.on_row = self._row_changed
        self.app = App(self.behaviour, clock=lambda: START.timestamp() + self.hub.now)
        self.callers: dict[Any, SimulatedInvocation] = {}
        self.containers: list[Container] = []
        self.sdk = AnthropicClient("offline")
        self.sdk._client = Anthropic(
            api_key="offline", max_retries=0, http_client=httpx2.Client(transport=_InProcess(self))
        )

    def drop(self, documents: int) -> None:
        """So many uploads at once, and the schedule that begins with them."""
        for number in range(documents):
            self.s3_put(f"team-{number % 7}/invoice-{number}.txt", invoice(number))
        self.hub.at(self.sweep_every, self._sweep_and_again)

    def ask_offline(self, method: str, path: str) -> Any:
        """What the offline Claude says on one of its own paths."""
        return self.app.handle(HttpRequest(method=method, path=f"/_offline/{path}"), "-").body

    def enqueue(self, queue: str, body: str, delay: float = 0.0) -> None:
        """All at once: nobody is late."""
        super().enqueue(queue, body)

    def is_at_rest(self) -> bool:
        """Whether nothing is on its way, and what is left waits for money that no sweep finds."""
        if any(self.queues.values()) or any(self.running.values()):
            return False
        left = [each for each in self.store.jobs.values() if each.stage is not Stage.ENDED]
        return not left or (self.last_sent == 0 and all(each.charges.over_cap for each in left))

    def poll(self, queue: str) -> None:
        """Hand out a whole batch if a place is free."""
        self.last_sent = None
        if self.running[queue] >= self.places:
            return
        waiting = (each for each in self.queues[queue].values() if each.visible_at <= self.hub.now)
        batch = [each for each in islice(waiting, BATCHES[queue]) if not self._is_dead(queue, each)]
        for message in batch:
            message.receives += 1
            message.visible_at = self.hub.now + VISIBILITY[queue]
            self.hub.at(VISIBILITY[queue], lambda: self.poll(queue))
        if batch:
            self._invoke(queue, batch)

    def _is_dead(self, queue: str, message: SentMessage) -> bool:
        is_dead = queue != "dead" and message.receives >= self.most_receives
        if is_dead:
            self.hub.at(0.0, lambda: self._bury(queue, message))
        return is_dead

    def _bury(self, queue: str, message: SentMessage) -> None:
        if self.queues[queue].pop(message.id, None):
            self.thrown["dead_lettered"] += 1
            self.enqueue("dead", message.body)

    def sweep(self) -> None:
        """What the schedule starts."""
        services = self.services(self.invocation(_SWEEP_S), "sweep")

        def run() -> None:
            self.last_sent = sweep(services.sweep_ports, services.config.visibility)

        self.hub.start(lambda: self._or_next_time(run))

    def _sweep_and_again(self) -> None:
        self.sweep()
        self.hub.at(self.sweep_every, self._sweep_and_again)

    def invocation(self, alive_for: float) -> SimulatedInvocation:
        """Lambda's clocks agree."""
        invocation = super().invocation(alive_for)
        invocation.skew = 0.0
        return invocation

    def services(self, invocation: SimulatedInvocation, queue: str) -> Services:
        """The simulation's, but for what is asked, at which rate, and who answers."""
        outside = replace(super().services(invocation, queue).outside, model=_Asker(self, invocation))
        services = Services(outside, replace(self.config, caps=self.caps, limits=self.limits))
        self._container(invocation, queue, services).serves(invocation, services)
        return services

    def _container(self, invocation: SimulatedInvocation, queue: str, services: Services) -> Container:
        """A warm one if any is free, in whose memory this invocation goes on."""
        self.containers = [each for each in self.containers if not each.invocation.dead]
        free = (each for each in self.containers if each.queue == queue and each.invocation.finished)
        container = next(free, None)
        if container is None:
            container = Container(queue=queue, invocation=invocation, guards=services.guards)
            self.containers.append(container)
        return container


@dataclass
class Container:
    """What a function remembers from one invocation to the next."""

    queue: str
    invocation: SimulatedInvocation
    guards: CallGuards

    def serves(self, invocation: SimulatedInvocation, services: Services) -> None:
        """Let the invocation's services work with what is remembered, by its own store and clock."""
        outside, budget, breaker = services.outside, self.guards.budget, self.guards.breaker
        budget._accounts, budget._clock, budget._caps = outside.store, outside.clock, services.config.caps
        breaker._store, breaker._clock = outside.store, outside.clock
        services.guards, services.budget, self.invocation = self.guards, budget, invocation


@dataclass
class _Asker:
    """ports.ModelClient: the real adapter, whose request knows which invocation it belongs to."""

    crowd: Crowd
    invocation: SimulatedInvocation

    def ask(self, request: Mapping[str, Any], *, timeout: float) -> Reply:
        me = getcurrent()
        self.crowd.callers[me] = self.invocation
        try:
            return self.crowd.sdk.ask(request, timeout=timeout)
        finally:
            del self.crowd.callers[me]


class _InProcess(httpx2.BaseTransport):
    """The network and the offline Claude behind it; what an answer takes passes in the simulation."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        invocation, app = self._crowd.callers[getcurrent()], self._crowd.app
        invocation.pause(_NETWORK_S)
        name = app.next_id()
        reply = app.handle(_as_asked(request), name)
        patience = request.extensions["timeout"]["read"]
        invocation.pause(min(reply.delay_s, patience) + _NETWORK_S)
        if reply.delay_s > patience:
            raise httpx2.ReadTimeout("no answer in time", request=request)
        if reply.disconnect:
            raise httpx2.RemoteProtocolError("cut", request=request)
        return _as_sent(reply, name)


def _as_asked(request: httpx2.Request) -> HttpRequest:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return HttpRequest(method=request.method, path=request.url.path, headers=headers, body=request.read())


def _as_sent(reply: HttpResponse, name: str) -> httpx2.Response:
    headers = {"content-type": "application/json", "request-id": name, **reply.headers}
    return httpx2.Response(reply.status, headers=headers, content=json.dumps(reply.content(name)).encode())
