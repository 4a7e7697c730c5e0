"""The inbox and the tables side by side: what differs is found and healed, what is on its way is left."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from infra.ops.reconcile import Finding, Seen, heal, judge
from pigeonhole.domain.document import Stage
from pigeonhole.domain.record import Record, Status, begun, stamp
from pigeonhole.jobs import transitions
from pigeonhole.jobs.job import Order, Work
from pigeonhole.ports import Gate, Swap
from tests.support.builders import World, upload
from tests.support.fakes import START

SHOWN = upload()
BEFORE = START + timedelta(hours=1)
LATER = START + timedelta(hours=2)
WAITING = {"for": "claude", "since": stamp(START), "stage": "triage"}
CLOSED = Gate(is_closed=True)


def processing(at: datetime = START) -> Record:
    return begun(SHOWN, 1, at)


def in_state(status: Status, **changes: Any) -> Record:
    return processing().to(status, START, **changes)


def work(due: datetime | None = START, draft: Record | None = None) -> Work:
    begun_work = replace(transitions.new(Order(upload=SHOWN), None, START), due=due)
    return replace(begun_work, draft=draft) if draft else begun_work


DONE = in_state(Status.DONE)
REMOVED = in_state(Status.REMOVED)
PARKED = in_state(Status.PARKED, waiting=WAITING)
OTHER = begun(upload(version="v0"), 1, START).to(Status.DONE, START)
NEW = replace(SHOWN, uploaded_at=LATER)


@pytest.mark.parametrize(
    ("seen", "gate", "finding"),
    [
        (Seen(shown=SHOWN, row=None), None, Finding.NEVER_STARTED),
        (Seen(shown=NEW, row=None), None, None),
        (Seen(shown=SHOWN, row=DONE), None, None),
        (Seen(shown=SHOWN, row=OTHER), None, Finding.STALE),
        (Seen(shown=NEW, row=OTHER), None, None),
        (Seen(shown=SHOWN, row=REMOVED), None, Finding.STALE),
        (Seen(shown=None, row=REMOVED), None, None),
        (Seen(shown=None, row=DONE), None, Finding.ORPHANED),
        (Seen(shown=None, row=processing(LATER)), None, None),
        (Seen(shown=SHOWN, row=processing(), work=work()), None, Finding.STUCK),
        (Seen(shown=SHOWN, row=processing(), work=work(LATER)), None, None),
        (Seen(shown=SHOWN, row=processing(), work=None), None, Finding.STUCK),
        (Seen(shown=SHOWN, row=processing(), work=work(None)), None, Finding.STUCK),
        (Seen(shown=SHOWN, row=processing(LATER), work=None), None, None),
        (Seen(shown=SHOWN, row=PARKED, work=work(START, PARKED)), None, Finding.STUCK),
        (Seen(shown=SHOWN, row=PARKED, work=work(START, PARKED)), CLOSED, None),
    ],
    ids=[
        "no row", "just uploaded", "done", "another version", "just overwritten", "removed yet shown",
        "removed", "shows nothing", "just taken out", "overdue", "in good time", "work is gone",
        "nobody comes", "work is gone just now", "parked too long", "parked behind the gate",
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_what_is_on_its_way_is_not(seen, gate, finding):
    assert judge(seen, gate=gate, before=BEFORE) is finding


def test_what_never_started_is_started():
    world = World()
    world.put(SHOWN, "text")
    heal(Finding.NEVER_STARTED, Seen(shown=SHOWN, row=None), world.parts)
    assert world.ledger.rows[SHOWN.document].status is Status.PROCESSING
    assert [order.upload.version_id for order in world.queues.orders] == ["v1"]


def test_a_stale_row_follows_the_bucket():
    world = World()
    world.put(SHOWN, "text")
    world.ledger.swap(Swap(before=None, after=OTHER))
    heal(Finding.STALE, Seen(shown=SHOWN, row=OTHER), world.parts)
    assert world.ledger.rows[SHOWN.document].version_id == "v1"


def test_the_row_of_what_is_no_more_becomes_a_tombstone():
    world = World()
    world.ledger.swap(Swap(before=None, after=DONE))
    heal(Finding.ORPHANED, Seen(shown=None, row=DONE), world.parts)
    assert world.ledger.rows[SHOWN.document].status is Status.REMOVED


def test_stuck_work_is_sent_on_from_where_it_stopped():
    world, stuck = World(), replace(work(), stage=Stage.ESCALATION)
    heal(Finding.STUCK, Seen(shown=SHOWN, row=processing(), work=stuck), world.parts)
    assert world.queues.orders == [stuck.order]


def test_stuck_work_that_is_gone_is_begun_anew():
    world = World()
    world.ledger.swap(Swap(before=None, after=processing()))
    heal(Finding.STUCK, Seen(shown=SHOWN, row=processing()), world.parts)
    assert [order.run for order in world.queues.orders] == [2]
