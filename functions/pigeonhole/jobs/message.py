"""What one invocation is handed: its messages, and what each asks for."""

from __future__ import annotations

from dataclasses import dataclass, field

from pigeonhole.domain.upload import ObjectEvent
from pigeonhole.jobs.job import Task


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message and all that it asks for; `unreadable` says why some of it could not be parsed."""

    id: str
    receipt: str = ""
    body: str = field(default="", repr=False)
    requests: tuple[ObjectEvent | Task, ...] = ()
    unreadable: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """One invocation's messages; `queued` when they can be handed back one by one."""

    messages: tuple[Message, ...]
    queued: bool
