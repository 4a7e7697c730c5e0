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

from infra.local.offline_claude.app import App
from infra.local.offline_claude.exchange import Reply as Answered
from infra.local.offline_claude.exchange import Request
from infra.local.offline_claude.settings import Settings as Behaviour
from infra.ops import template
from pigeonhole.adapters.anthropic_client import Claude
from pigeonhole.domain.document import Allowance, Reply, Stage
from pigeonhole.guards.budget import Budget
from pigeonhole.guards.circuit_breaker import Gatekeeper
from pigeonhole.money.account import Cap
from pigeonhole.pipeline import upkeep
from pigeonhole.ports import Parts, Rules
from tests.benchmarks.sorting import deployed_rules
from tests.simulation.scheduler import Hub, Invocation
from tests.simulation.simulated_aws import VISIBILITY, Faults, Message, Outside
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
class Crowd(Outside):
    """The chaos simulation's outside under a backlog: whole batches, so many places, a Claude that counts.

    A container serves one invocation after the other until one dies in it, and remembers what it learned.
    """

    hub: Hub = field(default_factory=lambda: Hub(random.Random(SEED)))
    faults: Faults = field(default_factory=Faults)
    behaviour: Behaviour = field(default_factory=Behaviour)
    allowance: Allowance = field(default_factory=lambda: Allowance(requests=1_000))
    places: int = 10
    rules: Rules = field(default_factory=deployed_rules)
    sweep_every: float = field(default_factory=sweep_every)
    # What the last sweep sent on, if nothing has moved since.
    last_sent: int | None = None

    def __post_init__(self) -> None:
        self.ledger.on_row = self._row_changed
        self.app = App(self.behaviour, clock=lambda: START.timestamp() + self.hub.now)
        self.asking: dict[Any, Invocation] = {}
        self.containers: list[Container] = []
        self.sdk = Claude("offline")
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
        return self.app.handle(Request(method=method, path=f"/_offline/{path}"), "-").body

    def enqueue(self, queue: str, body: str, delay: float = 0.0) -> None:
        """All at once: nobody is late."""
        super().enqueue(queue, body)

    def is_at_rest(self) -> bool:
        """Whether nothing is on its way, and what is left waits for money that no sweep finds."""
        if any(self.queues.values()) or any(self.running.values()):
            return False
        left = [each for each in self.ledger.works.values() if each.stage is not Stage.ENDED]
        return not left or (self.last_sent == 0 and all(each.over_cap for each in left))

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

    def _is_dead(self, queue: str, message: Message) -> bool:
        is_dead = queue != "dead" and message.receives >= self.most_receives
        if is_dead:
            self.hub.at(0.0, lambda: self._bury(queue, message))
        return is_dead

    def _bury(self, queue: str, message: Message) -> None:
        if self.queues[queue].pop(message.id, None):
            self.thrown["dead_lettered"] += 1
            self.enqueue("dead", message.body)

    def sweep(self) -> None:
        """What the schedule starts."""
        parts = self.parts(self.invocation(_SWEEP_S), "sweep")

        def run() -> None:
            self.last_sent = upkeep.sweep(parts)

        self.hub.start(lambda: self._or_next_time(run))

    def _sweep_and_again(self) -> None:
        self.sweep()
        self.hub.at(self.sweep_every, self._sweep_and_again)

    def invocation(self, alive_for: float) -> Invocation:
        """Lambda's clocks agree."""
        invocation = super().invocation(alive_for)
        invocation.skew = 0.0
        return invocation

    def parts(self, invocation: Invocation, queue: str) -> Parts:
        """The simulation's, but for what is asked, at which pace, and who answers."""
        parts = super().parts(invocation, queue)
        container = self._container(invocation, queue, parts)
        return replace(
            parts,
            analyst=_Asker(self, invocation),
            budget=container.budget,
            gate=container.gate,
            rules=self.rules,
        )

    def _container(self, invocation: Invocation, queue: str, parts: Parts) -> Container:
        """A warm one if any is free, in whose memory this invocation goes on."""
        self.containers = [each for each in self.containers if not each.invocation.dead]
        free = (each for each in self.containers if each.queue == queue and each.invocation.finished)
        container = next(free, None)
        if container is None:
            budget = Budget(parts.ledger, parts.clock, self.caps, self.allowance)
            gate = Gatekeeper(parts.ledger, parts.clock)
            container = Container(queue=queue, invocation=invocation, budget=budget, gate=gate)
            self.containers.append(container)
        container.serves(invocation, parts, self.caps)
        return container


@dataclass
class Container:
    """What a function remembers from one invocation to the next."""

    queue: str
    invocation: Invocation
    budget: Budget
    gate: Gatekeeper

    def serves(self, invocation: Invocation, parts: Parts, caps: Mapping[str, Cap]) -> None:
        self.invocation = invocation
        for each in (self.budget, self.gate):
            each._ledger, each._clock = parts.ledger, parts.clock
        self.budget._caps = caps


@dataclass
class _Asker:
    """ports.Analyst: the real adapter, whose request knows which invocation it belongs to."""

    crowd: Crowd
    invocation: Invocation

    def ask(self, request: Mapping[str, Any], *, timeout: float) -> Reply:
        me = getcurrent()
        self.crowd.asking[me] = self.invocation
        try:
            return self.crowd.sdk.ask(request, timeout=timeout)
        finally:
            del self.crowd.asking[me]


class _InProcess(httpx2.BaseTransport):
    """The network and the offline Claude behind it; what an answer takes passes in the simulation."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        invocation, app = self._crowd.asking[getcurrent()], self._crowd.app
        invocation.pause(_NETWORK_S)
        name = app.next_id()
        reply = app.handle(_as_asked(request), name)
        patience = request.extensions["timeout"]["read"]
        invocation.pause(min(reply.wait_s, patience) + _NETWORK_S)
        if reply.wait_s > patience:
            raise httpx2.ReadTimeout("no answer in time", request=request)
        if reply.cut:
            raise httpx2.RemoteProtocolError("cut", request=request)
        return _as_sent(reply, name)


def _as_asked(request: httpx2.Request) -> Request:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Request(method=request.method, path=request.url.path, headers=headers, body=request.read())


def _as_sent(reply: Answered, name: str) -> httpx2.Response:
    headers = {"content-type": "application/json", "request-id": name, **reply.headers}
    return httpx2.Response(reply.status, headers=headers, content=json.dumps(reply.content(name)).encode())
