"""The inbox and the tables side by side: what differs is found and healed, what is on its way is left."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from infra.ops.reconcile import DocumentState, Finding, classify, heal
from pigeonhole.domain.document import Stage
from pigeonhole.domain.record import Record, stamp
from pigeonhole.domain.row_attributes import Status
from pigeonhole.jobs.job import Job, Task
from pigeonhole.jobs.stored import BreakerState, Write
from tests.support.builders import World, job, upload
from tests.support.fakes import START

SHOWN = upload()
BEFORE = START + timedelta(hours=1)
LATER = START + timedelta(hours=2)
WAITING = {"for": "claude", "since": stamp(START), "stage": "triage"}
TRIPPED = Gate(is_closed=True)


def processing(at: datetime = START) -> Record:
    return Record.new(SHOWN, 1, at)


def in_state(status: Status, **changes: Any) -> Record:
    return processing().to(status, START, **changes)


def open_job(wake_at: datetime | None = START, draft: Record | None = None) -> Job:
    found = job(SHOWN, wake_at=wake_at)
    return replace(found, draft=draft) if draft else found


DONE = in_state(Status.DONE)
REMOVED = in_state(Status.REMOVED)
PARKED = in_state(Status.PARKED, waiting=WAITING)
OTHER = Record.new(upload(version="v0"), 1, START).to(Status.DONE, START)
NEW = replace(SHOWN, uploaded_at=LATER)


@pytest.mark.parametrize(
    ("state", "breaker", "finding"),
    [
        (DocumentState(current=SHOWN, row=None), None, Finding.NEVER_STARTED),
        (DocumentState(current=NEW, row=None), None, None),
        (DocumentState(current=SHOWN, row=DONE), None, None),
        (DocumentState(current=SHOWN, row=OTHER), None, Finding.STALE),
        (DocumentState(current=NEW, row=OTHER), None, None),
        (DocumentState(current=SHOWN, row=REMOVED), None, Finding.STALE),
        (DocumentState(current=None, row=REMOVED), None, None),
        (DocumentState(current=None, row=DONE), None, Finding.ORPHANED),
        (DocumentState(current=None, row=processing(LATER)), None, None),
        (DocumentState(current=SHOWN, row=processing(), work=work()), None, Finding.STUCK),
        (DocumentState(current=SHOWN, row=processing(), work=work(LATER)), None, None),
        (DocumentState(current=SHOWN, row=processing(), work=None), None, Finding.STUCK),
        (DocumentState(current=SHOWN, row=processing(), work=work(None)), None, Finding.STUCK),
        (DocumentState(current=SHOWN, row=processing(LATER), work=None), None, None),
        (DocumentState(current=SHOWN, row=PARKED, work=work(START, PARKED)), None, Finding.STUCK),
        (DocumentState(current=SHOWN, row=PARKED, work=work(START, PARKED)), TRIPPED, None),
    ],
    ids=[
        "no row", "just uploaded", "done", "another version", "just overwritten", "removed yet shown",
        "removed", "shows nothing", "just taken out", "overdue", "in good time", "work is gone",
        "nobody comes", "work is gone just now", "parked too long", "parked while the breaker is tripped",
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_what_is_on_its_way_is_not(state, breaker, finding):
    assert classify(state, breaker=breaker, before=BEFORE) is finding


def test_what_never_started_is_started():
    world = World()
    world.put(SHOWN, "text")
    heal(Finding.NEVER_STARTED, DocumentState(current=SHOWN, row=None), world.parts)
    assert world.ledger.rows[SHOWN.document].status is Status.PROCESSING
    assert [order.upload.version_id for order in world.queues.orders] == ["v1"]


def test_a_stale_row_follows_the_bucket():
    world = World()
    world.put(SHOWN, "text")
    world.ledger.swap(Swap(before=None, after=OTHER))
    heal(Finding.STALE, DocumentState(current=SHOWN, row=OTHER), world.parts)
    assert world.ledger.rows[SHOWN.document].version_id == "v1"


def test_the_row_of_what_is_no_more_becomes_a_tombstone():
    world = World()
    world.ledger.swap(Swap(before=None, after=DONE))
    heal(Finding.ORPHANED, DocumentState(current=None, row=DONE), world.parts)
    assert world.ledger.rows[SHOWN.document].status is Status.REMOVED


def test_stuck_work_is_sent_on_from_where_it_stopped():
    world, stuck = World(), replace(work(), stage=Stage.ESCALATION)
    heal(Finding.STUCK, DocumentState(current=SHOWN, row=processing(), work=stuck), world.parts)
    assert world.queues.orders == [stuck.order]


def test_a_stuck_row_whose_job_is_gone_is_redriven():
    world = World()
    world.ledger.swap(Swap(before=None, after=processing()))
    heal(Finding.STUCK, DocumentState(current=SHOWN, row=processing()), world.parts)
    assert [order.run for order in world.queues.orders] == [2]
