"""What differs between the inbox and the tables is found and repaired; recent changes are left alone."""

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

CURRENT = upload()
BEFORE = START + timedelta(hours=1)
LATER = START + timedelta(hours=2)
WAITING = {"for": "claude", "since": stamp(START), "stage": "triage"}
TRIPPED = Gate(is_closed=True)


def processing(at: datetime = START) -> Record:
    return begun(CURRENT, 1, at)


def in_state(status: Status, **changes: Any) -> Record:
    return processing().to(status, START, **changes)


def work(due: datetime | None = START, draft: Record | None = None) -> Work:
    begun_work = replace(transitions.new(Order(upload=CURRENT), None, START), due=due)
    return replace(begun_work, draft=draft) if draft else begun_work


DONE = in_state(Status.DONE)
REMOVED = in_state(Status.REMOVED)
PARKED = in_state(Status.PARKED, waiting=WAITING)
OTHER = begun(upload(version="v0"), 1, START).to(Status.DONE, START)
NEW = replace(CURRENT, uploaded_at=LATER)


@pytest.mark.parametrize(
    ("state", "breaker", "finding"),
    [
        (DocumentState(current=CURRENT, row=None), None, Finding.NEVER_STARTED),
        (DocumentState(current=NEW, row=None), None, None),
        (DocumentState(current=CURRENT, row=DONE), None, None),
        (DocumentState(current=CURRENT, row=OTHER), None, Finding.STALE),
        (DocumentState(current=NEW, row=OTHER), None, None),
        (DocumentState(current=CURRENT, row=REMOVED), None, Finding.STALE),
        (DocumentState(current=None, row=REMOVED), None, None),
        (DocumentState(current=None, row=DONE), None, Finding.ORPHANED),
        (DocumentState(current=None, row=processing(LATER)), None, None),
        (DocumentState(current=CURRENT, row=processing(), work=work()), None, Finding.STUCK),
        (DocumentState(current=CURRENT, row=processing(), work=work(LATER)), None, None),
        (DocumentState(current=CURRENT, row=processing(), work=None), None, Finding.STUCK),
        (DocumentState(current=CURRENT, row=processing(), work=work(None)), None, Finding.STUCK),
        (DocumentState(current=CURRENT, row=processing(LATER), work=None), None, None),
        (DocumentState(current=CURRENT, row=PARKED, work=work(START, PARKED)), None, Finding.STUCK),
        (DocumentState(current=CURRENT, row=PARKED, work=work(START, PARKED)), TRIPPED, None),
    ],
    ids=[
        "no row", "just uploaded", "done", "another version", "just overwritten", "removed and in the inbox",
        "removed", "not in the inbox", "just deleted", "overdue", "not yet due", "without work",
        "without a due time", "recently without work", "parked too long", "parked while tripped",
    ],
)  # fmt: skip
def test_an_inconsistent_document_is_found_and_a_recent_change_is_not(state, breaker, finding):
    assert classify(state, breaker=breaker, before=BEFORE) is finding


def test_a_document_without_a_row_is_started():
    world = World()
    world.put(CURRENT, "text")
    heal(Finding.NEVER_STARTED, DocumentState(current=CURRENT, row=None), world.parts)
    assert world.ledger.rows[CURRENT.document].status is Status.PROCESSING
    assert [order.upload.version_id for order in world.queues.orders] == ["v1"]


def test_a_stale_row_is_replaced_by_the_version_in_the_bucket():
    world = World()
    world.put(CURRENT, "text")
    world.ledger.swap(Swap(before=None, after=OTHER))
    heal(Finding.STALE, DocumentState(current=CURRENT, row=OTHER), world.parts)
    assert world.ledger.rows[CURRENT.document].version_id == "v1"


def test_the_row_of_a_deleted_document_becomes_a_tombstone():
    world = World()
    world.ledger.swap(Swap(before=None, after=DONE))
    heal(Finding.ORPHANED, DocumentState(current=None, row=DONE), world.parts)
    assert world.ledger.rows[CURRENT.document].status is Status.REMOVED


def test_stuck_work_is_sent_to_the_queue_of_its_stage():
    world, stuck = World(), replace(work(), stage=Stage.ESCALATION)
    heal(Finding.STUCK, DocumentState(current=CURRENT, row=processing(), work=stuck), world.parts)
    assert world.queues.orders == [stuck.order]


def test_a_stuck_document_without_work_gets_a_new_run():
    world = World()
    world.ledger.swap(Swap(before=None, after=processing()))
    heal(Finding.STUCK, DocumentState(current=CURRENT, row=processing()), world.parts)
    assert [order.run for order in world.queues.orders] == [2]
