"""Any task of events, repeated and interrupted at will: the newest wins, and nothing is paid for twice."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pigeonhole.domain.document import Tier
from pigeonhole.domain.errors import Defect, TryLater
from pigeonhole.domain.row_attributes import OUTCOMES, Status
from pigeonhole.domain.upload import ObjectEvent, ObjectEventType
from pigeonhole.jobs.message import Batch, Message
from pigeonhole.jobs.stored import Write
from pigeonhole.pipeline.batch import Handlers, Request, finish, process_batch
from tests.support.builders import World, breaks, keeps, message, reply, upload

REPLIES = [reply(), reply(confidence=20), reply("refusal"), reply(text="?"), reply(issue="unreadable")]
ERRORS = [TryLater("busy", seconds=2), Defect("400"), ZeroDivisionError()]
PLACES = [
    ("objects", "fetch"), ("objects", "current"), ("artifacts", "save_text"), ("artifacts", "text"),
    ("store", "commit"), ("store", "job"), ("store", "row"), ("store", "cached_reply"), ("queues", "send"),
]  # fmt: skip

# What may be written though its answer is lost.
WRITES = {"save_text", "commit", "send"}


def history(world: World, steps: list[bool]) -> list[Request]:
    """What happened to the key, as S3 tells it: an upload, or a deletion by a marker."""
    changes: list[Request] = []
    for task, is_upload in enumerate(steps, start=1):
        of = upload(version=f"v{task}", order=task)
        world.objects.put(of, f"Amount due: 12, letter {task}".encode() if is_upload else None)
        changes.append(
            ObjectEvent(type=ObjectEventType.CREATED if is_upload else ObjectEventType.REMOVED, upload=of)
        )
    return changes


def deliver(world: World, messages: list[Message]) -> list[Message]:
    """Those that come again; whatever lease stands has ended by then."""
    services = world.services
    tasks = {**services.triage.tasks, **services.escalation.tasks}
    handlers = Handlers(inbox=world.config.inbox, tasks=tasks, sync=services.sync)
    batch = Batch(messages=tuple(messages), queued=True)
    again = process_batch(batch, handlers, services.batch_ports, world.invocation())
    finish(services.budget, world.telemetry)
    world.clock.pass_by(1000)
    return [each for each in messages if each.id in again]


TROUBLE = st.tuples(st.sampled_from(PLACES), st.booleans(), st.sampled_from(ERRORS))


def spares_replies(*arguments: object, **_: object) -> bool:
    return not keeps(*[each for each in arguments if isinstance(each, Write)])


def interrupt(world: World, troubles: list[Any]) -> None:
    """The next one; all may break but the one window: between a reply and its being written down."""
    if troubles:
        (port, method), late, error = troubles.pop()
        after = late and method in WRITES
        breaks(getattr(world, port), method, error, after=after, when=spares_replies)


@given(st.data(), st.lists(st.booleans(), min_size=1, max_size=4))
def test_the_newest_event_wins_and_every_version_is_paid_for_once(data, steps):
    world = World()
    changes = history(world, steps)
    world.claude.answers += [data.draw(st.sampled_from(REPLIES)) for _ in range(20)]
    requests = data.draw(st.permutations(changes + data.draw(st.lists(st.sampled_from(changes), max_size=3))))
    troubles = data.draw(st.lists(TROUBLE, max_size=8))
    waiting, sent = [message(each, name=f"m{number}") for number, each in enumerate(requests)], 0
    for _ in range(300):
        if not waiting and not any(job.wake_at for job in world.store.jobs.values()):
            break
        interrupt(world, troubles)
        if not waiting:
            world.clock.pass_by(5000)
            with suppress(*map(type, ERRORS)):
                world.sweep()
        size = data.draw(st.integers(1, max(len(waiting), 1)))
        waiting = waiting[size:] + deliver(world, waiting[:size])
        tasks = world.queues.tasks[sent:]
        waiting += [message(each, name=f"t{sent + number}") for number, each in enumerate(tasks)]
        sent += len(tasks)

    row = world.row(upload())
    assert row.sequencer == changes[-1].upload.sequencer
    assert (row.status is Status.REMOVED) == (not steps[-1])
    assert row.status in OUTCOMES
    assert all(job.owner is None for job in world.store.jobs.values())
    paid = [tier for job in world.store.jobs.values() for tier in job.replies]
    assert len(world.claude.requests) == len(paid)
    assert paid.count(Tier.FAST) <= sum(steps)
