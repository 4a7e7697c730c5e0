"""One invocation's messages, side by side: each is finished, or comes again when it makes sense."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pigeonhole.domain.document import Change, Stage, TryLater
from pigeonhole.guards.lease import Shift
from pigeonhole.jobs.job import Order, WorkAloneError
from pigeonhole.jobs.message import Batch, Message
from pigeonhole.ports import Parts

Ask = Change | Order
Kind = type[Change] | Stage
# Which use case does what is asked: a change, or an order for a stage; all else is in the wrong queue.
Works = Mapping[Kind, Callable[[Any, Parts, Shift], None]]

# After a mistake of ours: not so often that it costs, not so late that it hurts.
_DEFECT_SECONDS = 900.0
# SQS takes no visibility beyond 12 hours.
_LONGEST_SECONDS = 43_000.0


def settle(batch: Batch, works: Works, parts: Parts, shift: Shift) -> list[str]:
    """The ids of the messages that must come again; nothing raises, and no message hurts another.

    Side by side; then, one by one, those with a document that has crashed before.
    """

    def side_by_side(message: Message) -> _Settled:
        return _settle(message, works, parts, shift)

    settled = parts.runner.map(side_by_side, batch.messages)
    unfinished = [
        message.id
        for message, how in zip(batch.messages, settled, strict=True)
        if not (_settle(message, works, parts, replace(shift, alone=True)) if how.alone else how).done
    ]
    _give_back(parts)
    return unfinished


@dataclass(frozen=True, slots=True)
class _Settled:
    """Whether the message is done with; `alone` when it has to be done without neighbours."""

    done: bool
    alone: bool = False


def _settle(message: Message, works: Works, parts: Parts, shift: Shift) -> _Settled:
    steps = [lambda: _keep_unreadable(message, works, parts)]
    steps += [
        partial(works[_kind(ask)], ask, parts, shift) for ask in message.asks if not _stray(ask, works, parts)
    ]
    try:
        waits = [_attempt(step, message, parts) for step in steps]
    except WorkAloneError:
        return _Settled(done=False, alone=True)
    unsettled = [wait for wait in waits if wait is not None]
    if unsettled:
        wait = min(max(unsettled), _LONGEST_SECONDS)
        _attempt(lambda: parts.queues.put_back(message, wait), message, parts)
    return _Settled(done=not unsettled)


def _give_back(parts: Parts) -> None:
    try:
        parts.budget.flush()
    except Exception as error:  # noqa: BLE001  the documents are done: what is not given back stays spent
        parts.journal.defect("not given back", error)


def _kind(ask: Ask) -> Kind:
    return ask.stage if isinstance(ask, Order) else Change


def _stray(ask: Ask, works: Works, parts: Parts) -> str | None:
    """Why this is nothing that we work on."""
    if _kind(ask) not in works:
        return f"this {type(ask).__name__} does not belong into this queue"
    if ask.upload.bucket != parts.rules.inbox:
        return f"it is about the bucket {ask.upload.bucket}, which is not our inbox"
    return None


def _keep_unreadable(message: Message, works: Works, parts: Parts) -> None:
    stray = [why for ask in message.asks if (why := _stray(ask, works, parts))]
    why = message.unreadable or next(iter(stray), None)
    if why:
        uri = parts.artifacts.keep_unreadable(message, why)
        parts.journal.count("Unreadable")
        parts.journal.note("unreadable", message_id=message.id, why=why, kept_at=uri)


def _attempt(step: Callable[[], None], message: Message, parts: Parts) -> float | None:
    """None when the step is done, or the seconds after which to try it again."""
    try:
        step()
    except TryLater as error:
        parts.journal.count("TriedLater")
        parts.journal.note("later", message_id=message.id, why=error.reason, seconds=error.seconds)
        return error.seconds
    except WorkAloneError:
        raise
    except Exception as error:  # noqa: BLE001  one message's bug must not fail its neighbours
        parts.journal.defect("unexpected", error, message_id=message.id)
        return _DEFECT_SECONDS
    return None
