"""Any order of events, repeated and interrupted at will: the newest wins, and nothing is paid for twice."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pigeonhole.domain.document import Change, Defect, Kind, Stage, Tier, TryLater
from pigeonhole.domain.record import OUTCOMES, Status
from pigeonhole.guards.lease import Shift
from pigeonhole.jobs.job import Order
from pigeonhole.jobs.message import Batch, Message
from pigeonhole.pipeline.batch import Ask, Works, settle
from pigeonhole.pipeline.process import escalate, triage
from pigeonhole.pipeline.upkeep import sweep
from pigeonhole.ports import Parts, Swap
from tests.support.builders import World, breaks, keeps, message, reply, upload

REPLIES = [reply(), reply(confidence=20), reply("refusal"), reply(text="?"), reply(issue="unreadable")]
ERRORS = [TryLater("busy", seconds=2), Defect("400"), ZeroDivisionError()]
PLACES = [
    ("objects", "body"), ("objects", "current"), ("artifacts", "keep_text"), ("artifacts", "text"),
    ("ledger", "swap"), ("ledger", "work"), ("ledger", "row"), ("ledger", "answer"), ("queues", "send"),
]  # fmt: skip

# What may be written though its answer is lost.
WRITES = {"keep_text", "swap", "send"}


def at_its_stage(order: Order, parts: Parts, shift: Shift) -> None:
    (escalate if order.stage is Stage.ESCALATION else triage)(order, parts, shift)


WORKS: Works = {Change: triage, Stage.TRIAGE: at_its_stage, Stage.ESCALATION: at_its_stage}


def history(made: World, steps: list[bool]) -> list[Ask]:
    """What happened to the key, as S3 tells it: an upload, or a deletion by a marker."""
    changes: list[Ask] = []
    for order, is_upload in enumerate(steps, start=1):
        of = upload(version=f"v{order}", order=order)
        made.objects.put(of, f"Amount due: 12, letter {order}".encode() if is_upload else None)
        changes.append(Change(kind=Kind.CREATED if is_upload else Kind.REMOVED, upload=of))
    return changes


def deliver(made: World, messages: list[Message]) -> list[Message]:
    """Those that come again; whatever lease stands has ended by then."""
    again = settle(Batch(messages=tuple(messages), queued=True), WORKS, made.parts, made.shift())
    made.clock.pass_by(1000)
    return [each for each in messages if each.id in again]


TROUBLE = st.tuples(st.sampled_from(PLACES), st.booleans(), st.sampled_from(ERRORS))


def spares_replies(*asked: object, **_: object) -> bool:
    return not keeps(*[each for each in asked if isinstance(each, Swap)])


def interrupt(made: World, troubles: list[Any]) -> None:
    """The next one; all may break but the one window: between a reply and its being written down."""
    if troubles:
        (port, method), late, error = troubles.pop()
        after = late and method in WRITES
        breaks(getattr(made, port), method, error, after=after, when=spares_replies)


@given(st.data(), st.lists(st.booleans(), min_size=1, max_size=4))
def test_the_newest_event_wins_and_every_version_is_paid_for_once(data, steps):
    made = World()
    changes = history(made, steps)
    made.analyst.answers += [data.draw(st.sampled_from(REPLIES)) for _ in range(20)]
    asks = data.draw(st.permutations(changes + data.draw(st.lists(st.sampled_from(changes), max_size=3))))
    troubles = data.draw(st.lists(TROUBLE, max_size=8))
    waiting, sent = [message(ask, name=f"m{number}") for number, ask in enumerate(asks)], 0
    for _ in range(300):
        if not waiting and not any(work.due for work in made.ledger.works.values()):
            break
        interrupt(made, troubles)
        if not waiting:
            made.clock.pass_by(5000)
            with suppress(*map(type, ERRORS)):
                sweep(made.parts)
        size = data.draw(st.integers(1, max(len(waiting), 1)))
        waiting = waiting[size:] + deliver(made, waiting[:size])
        orders = made.queues.orders[sent:]
        waiting += [message(each, name=f"o{sent + number}") for number, each in enumerate(orders)]
        sent += len(orders)

    row = made.row(upload())
    assert row.sequencer == changes[-1].upload.sequencer
    assert (row.status is Status.REMOVED) == (not steps[-1])
    assert row.status in OUTCOMES
    assert all(work.owner is None for work in made.ledger.works.values())
    paid = [tier for work in made.ledger.works.values() for tier in work.replies]
    assert len(made.analyst.requests) == len(paid)
    assert paid.count(Tier.FAST) <= sum(steps)
