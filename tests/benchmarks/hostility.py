"""What a soak does to the local stack while it works: copies of messages, killed workers, early sweeps."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from infra.ops.services import operator
from infra.ops.stack import Stack
from pigeonhole.adapters.system import SystemClock
from pigeonhole.domain.errors import PigeonholeError
from pigeonhole.pipeline.sweep import sweep as sweep_once
from pigeonhole.services import Services

KILL_EVERY_S = (15.0, 30.0)
COPY_EVERY_S = (2.0, 4.0)
SWEEP_EVERY_S = (25.0, 35.0)
SERVER = "-m ministack"


class Later(SystemClock):
    """A clock that is ahead: to sweep early is safe, and nobody has to wait a quarter of an hour."""

    def now(self) -> datetime:
        return super().now() + timedelta(minutes=20)


@dataclass(kw_only=True)
class Done:
    """What was done so far, and when workers were killed."""

    copies: int = 0
    kills: list[float] = field(default_factory=list)
    swept: int = 0


@contextmanager
def hostility(stack: Stack, bodies: Sequence[str], chance: random.Random) -> Iterator[Done]:
    """For as long as the block lasts; `bodies` are the messages that may come again."""
    done, services = Done(), early(stack)

    def copy() -> None:
        done.copies += send(stack, chance.sample(bodies, max(1, len(bodies) // 50)))

    def kill() -> None:
        if workers := _workers():
            os.kill(chance.choice(workers), signal.SIGKILL)
            done.kills.append(time.time())

    def sweep() -> None:
        done.swept += swept(services)

    with ExitStack() as ends:
        for step, every in ((copy, COPY_EVERY_S), (kill, KILL_EVERY_S), (sweep, SWEEP_EVERY_S)):
            ends.enter_context(_again_and_again(step, every, chance))
        yield done


def swept(services: Services) -> int:
    """One sweep; another may be at it at the same time."""
    try:
        return sweep_once(services.sweep_ports, services.config.visibility)
    except PigeonholeError:
        return 0


def early(stack: Stack) -> Services:
    """An operator's services for whom it is later."""
    services = operator(stack)
    return Services(replace(services.outside, clock=Later()), services.config)


def send(stack: Stack, bodies: Sequence[str]) -> int:
    """Put these into the intake queue, as S3 does when it delivers twice."""
    for body in bodies:
        stack.client("sqs").send_message(QueueUrl=stack.outputs["IntakeQueueUrl"], MessageBody=body)
    return len(bodies)


def waiting(stack: Stack) -> list[str]:
    """The bodies of what is in the intake queue; MiniStack shows them without handing them out."""
    query = urllib.parse.urlencode({"QueueUrl": stack.outputs["IntakeQueueUrl"]})
    with urllib.request.urlopen(
        f"{stack.endpoint_url}/_ministack/sqs/messages?{query}", timeout=30
    ) as answer:
        return [body for body in _bodies(json.load(answer)) if "ObjectCreated" in body]


def _bodies(shown: Any) -> Iterator[str]:
    match shown:
        case {"Body": str(body)} | {"body": str(body)}:
            yield body
        case dict():
            for inner in shown.values():
                yield from _bodies(inner)
        case list():
            for inner in shown:
                yield from _bodies(inner)


@contextmanager
def _again_and_again(
    step: Callable[[], None], every: tuple[float, float], chance: random.Random
) -> Iterator[None]:
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(chance.uniform(*every)):
            step()

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _workers() -> list[int]:
    """The processes that run functions for the server which this very process started, and no others."""
    listed = subprocess.run(["ps", "-axo", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
    lines = [line.split(None, 2) for line in listed.stdout.splitlines()]
    children: dict[int, list[tuple[int, str]]] = {}
    for pid, parent, *words in lines:
        children.setdefault(int(parent), []).append((int(pid), " ".join(words)))
    ours = children.get(os.getpid(), [])
    supervisors = [pid for pid, words in ours if "supervisor.py" in words and SERVER in words]
    servers = [pid for each in supervisors for pid, words in children.get(each, []) if SERVER in words]
    return [pid for server in servers for pid, _ in children.get(server, [])]
