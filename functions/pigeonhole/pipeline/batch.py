"""One invocation's messages, side by side: each is finished, or comes again when it makes sense."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pigeonhole.domain.document import Stage
from pigeonhole.domain.errors import TryLater
from pigeonhole.domain.upload import ObjectEvent, ObjectEventType
from pigeonhole.guards.budget import Budget
from pigeonhole.guards.lease import Invocation
from pigeonhole.guards.s3_sync import S3Sync
from pigeonhole.jobs.job import NeedsIsolationError, Task
from pigeonhole.jobs.message import Batch, Message
from pigeonhole.ports import ArtifactStore, Queues, Runner, Telemetry

Request = ObjectEvent | Task
# The use case for the tasks of each stage.
TaskHandlers = Mapping[Stage, Callable[[Task, Invocation], None]]

# After a mistake of ours: not so often that it costs, not so late that it hurts.
_DEFECT_SECONDS = 900.0
# SQS takes no visibility beyond 12 hours.
_LONGEST_SECONDS = 43_000.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Handlers:
    """What a function does with what it is asked for; all else is in the wrong queue.

    An upload is a task for triage, and a removal one for `sync`, where S3's events are expected.
    """

    inbox: str
    tasks: TaskHandlers
    sync: S3Sync | None = None

    def misrouted(self, request: Request) -> str | None:
        """Why this is nothing that the function works on."""
        if isinstance(request, Task) and request.stage not in self.tasks:
            return "this Task does not belong into this queue"
        if isinstance(request, ObjectEvent) and self.sync is None:
            return "this ObjectEvent does not belong into this queue"
        if request.upload.bucket != self.inbox:
            return f"it is about the bucket {request.upload.bucket}, which is not our inbox"
        return None

    def handle(self, request: Request, invocation: Invocation) -> None:
        """Run the use case for the request. TryLater; NeedsIsolationError."""
        if isinstance(request, ObjectEvent):
            if request.type is not ObjectEventType.CREATED and self.sync:
                self.sync.sync(request.upload)
                return
            request = Task(upload=request.upload)
        self.tasks[request.stage](request, invocation)


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchPorts:
    """What an invocation's messages are worked on with."""

    runner: Runner
    queues: Queues
    artifacts: ArtifactStore
    telemetry: Telemetry


def process_batch(batch: Batch, handlers: Handlers, ports: BatchPorts, invocation: Invocation) -> list[str]:
    """The ids of the messages that must come again; nothing raises, and no message hurts another.

    Side by side; then, one by one, those with a document that has crashed before.
    """
    process = partial(_process, handlers=handlers, ports=ports, invocation=invocation)
    results = ports.runner.map(process, batch.messages)
    isolated = replace(invocation, isolated=True)
    return [
        message.id
        for message, result in zip(batch.messages, results, strict=True)
        if not (_process(message, handlers, ports, isolated) if result.needs_isolation else result).is_done
    ]


def finish(budget: Budget, telemetry: Telemetry) -> None:
    """The end of an invocation: give back what was not spent, and write out the metrics."""
    try:
        budget.refund_unspent()
    except Exception as error:  # noqa: BLE001  the documents are done: what is not given back stays spent
        telemetry.log_defect("refund failed", error)
    telemetry.flush()


@dataclass(frozen=True, slots=True)
class _Result:
    """Whether the message is done with, or has to be done without neighbours."""

    is_done: bool
    needs_isolation: bool = False


def _process(message: Message, handlers: Handlers, ports: BatchPorts, invocation: Invocation) -> _Result:
    actions: list[Callable[[], Any]] = [partial(_quarantine_unreadable, message, handlers, ports)]
    actions += [
        partial(handlers.handle, request, invocation)
        for request in message.requests
        if not handlers.misrouted(request)
    ]
    try:
        waits = [_attempt(action, message, ports.telemetry) for action in actions]
    except NeedsIsolationError:
        return _Result(is_done=False, needs_isolation=True)
    unfinished = [wait for wait in waits if wait is not None]
    if unfinished:
        wait = min(max(unfinished), _LONGEST_SECONDS)
        _attempt(partial(ports.queues.requeue, message, wait), message, ports.telemetry)
    return _Result(is_done=not unfinished)


def _quarantine_unreadable(message: Message, handlers: Handlers, ports: BatchPorts) -> None:
    misrouted = [why for request in message.requests if (why := handlers.misrouted(request))]
    why = message.unreadable or next(iter(misrouted), None)
    if why:
        uri = ports.artifacts.quarantine(message, why)
        ports.telemetry.metric("Unreadable")
        ports.telemetry.log("unreadable message", message_id=message.id, why=why, kept_at=uri)


def _attempt(action: Callable[[], Any], message: Message, telemetry: Telemetry) -> float | None:
    """None when the action is done, or the seconds after which to try it again."""
    try:
        action()
    except TryLater as error:
        telemetry.metric("TriedLater")
        telemetry.log("retry scheduled", message_id=message.id, why=error.reason, seconds=error.seconds)
        return error.seconds
    except NeedsIsolationError:
        raise
    except Exception as error:  # noqa: BLE001  one message's bug must not fail its neighbours
        telemetry.log_defect("unexpected error", error, message_id=message.id)
        return _DEFECT_SECONDS
    return None
