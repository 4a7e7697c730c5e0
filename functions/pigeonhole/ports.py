"""The outside as small protocols: what the use cases need of it, and nothing of how it is done.

Every method may raise TryLater (a service is busy or out of reach) and Defect (it will not do what we ask of
it, whatever the document); what else it may raise, it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pigeonhole.domain.document import FetchedObject, Reply, Text
from pigeonhole.domain.outcome_event import OutcomeEvent
from pigeonhole.domain.upload import Upload
from pigeonhole.jobs.job import Task
from pigeonhole.jobs.message import Message

T = TypeVar("T")
R = TypeVar("R")


class ObjectStore(Protocol):
    """The inbox bucket."""

    def fetch(self, upload: Upload, *, max_bytes: int) -> AbstractContextManager[FetchedObject]:
        """That very version's bytes. DocumentError `gone`, `sealed` or `too_large`."""
        ...

    def current(self, upload: Upload) -> Upload | None:
        """What the upload's key shows now, without a sequencer; None for nothing, or a delete marker."""
        ...


class Reader(Protocol):
    """The extractors."""

    def read(self, path: Path, name: str, seconds: float) -> Text:
        """The text with its coverage within so many seconds, or DocumentError; `name` is only a hint."""
        ...


class ArtifactStore(Protocol):
    """The bucket of what we made: texts, and messages that could not be parsed."""

    def save_text(self, upload: Upload, text: str) -> str:
        """Save the text; its S3 URI."""
        ...

    def text(self, uri: str) -> str | None:
        """A saved text, or None when it has expired."""
        ...

    def quarantine(self, message: Message, why: str) -> str:
        """Save a message that cannot be parsed; its S3 URI."""
        ...


class ModelClient(Protocol):
    """Claude."""

    def ask(self, request: Mapping[str, Any], *, timeout: float) -> Reply:
        """Its reply to one request within `timeout` seconds. DocumentError, StopAll."""
        ...


class Queues(Protocol):
    """The intake and the escalation queue."""

    def send(self, task: Task) -> None:
        """Put the task into its stage's queue."""
        ...

    def requeue(self, message: Message, seconds: float) -> None:
        """Let the message come again after that many seconds."""
        ...


class EventBus(Protocol):
    """Where outcomes are published."""

    def publish(self, events: Iterable[OutcomeEvent]) -> list[str]:
        """Publish all of them; the ids of those that were not taken."""
        ...


class Randomness(Protocol):
    """Randomness."""

    def token(self) -> str:
        """A unique identifier: 32 random hex digits."""
        ...

    def jitter(self, seconds: float) -> float:
        """Somewhat more than that many seconds, so that what waits together does not return together."""
        ...


class Runner(Protocol):
    """How independent work is done side by side."""

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """The function's results, in order."""
        ...


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Now, in UTC."""
        ...

    def wait(self, seconds: float) -> None:
        """Let so much of it pass."""
        ...


class Telemetry(Protocol):
    """The log and the metrics; nothing of a document's content goes in."""

    def log(self, event: str, **fields: object) -> None:
        """One line about what happened."""
        ...

    def metric(self, name: str, value: float = 1) -> None:
        """Add to a metric of this invocation."""
        ...

    def log_defect(self, event: str, error: BaseException, **fields: object) -> None:
        """A mistake of ours, with its traceback, and loud: it counts in the metric `Defect`."""
        ...

    def flush(self) -> None:
        """Write out the metrics; the last step of an invocation."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class System:
    """What all use cases need of the machine that they run on."""

    clock: Clock
    randomness: Randomness
    telemetry: Telemetry
