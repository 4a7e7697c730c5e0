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
TRIPPED = BreakerState(is_tripped=True)


def processing(at: datetime = START) -> Record:
    return Record.new(CURRENT, 1, at)


def in_state(status: Status, **changes: Any) -> Record:
    return processing().to(status, START, **changes)


def open_job(wake_at: datetime | None = START, draft: Record | None = None) -> Job:
    found = job(CURRENT, wake_at=wake_at)
    return replace(found, draft=draft) if draft else found


DONE = in_state(Status.DONE)
REMOVED = in_state(Status.REMOVED)
PARKED = in_state(Status.PARKED, waiting=WAITING)
OTHER = Record.new(upload(version="v0"), 1, START).to(Status.DONE, START)
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
        (DocumentState(current=CURRENT, row=processing(), job=open_job()), None, Finding.STUCK),
        (DocumentState(current=CURRENT, row=processing(), job=open_job(LATER)), None, None),
        (DocumentState(current=CURRENT, row=processing(), job=None), None, Finding.STUCK),
        (DocumentState(current=CURRENT, row=processing(), job=open_job(None)), None, Finding.STUCK),
        (DocumentState(current=CURRENT, row=processing(LATER), job=None), None, None),
        (DocumentState(current=CURRENT, row=PARKED, job=open_job(START, PARKED)), None, Finding.STUCK),
        (DocumentState(current=CURRENT, row=PARKED, job=open_job(START, PARKED)), TRIPPED, None),
    ],
    ids=[
        "no row", "just uploaded", "done", "another version", "just overwritten", "removed and in the inbox",
        "removed", "not in the inbox", "just deleted", "overdue", "not yet due", "without a job",
        "without a wake-up time", "recently without a job", "parked too long", "parked while tripped",
    ],
)  # fmt: skip
def test_an_inconsistent_document_is_found_and_a_recent_change_is_not(state, breaker, finding):
    assert classify(state, breaker=breaker, before=BEFORE) is finding


def test_a_document_without_a_row_is_started():
    world = World()
    world.put(CURRENT, "text")
    heal(Finding.NEVER_STARTED, DocumentState(current=CURRENT, row=None), world.services)
    assert world.store.rows[CURRENT.document].status is Status.PROCESSING
    assert [task.upload.version_id for task in world.queues.tasks] == ["v1"]


def test_a_stale_row_is_replaced_by_the_version_in_the_bucket():
    world = World()
    world.put(CURRENT, "text")
    world.store.commit(Write(before=None, after=OTHER))
    heal(Finding.STALE, DocumentState(current=CURRENT, row=OTHER), world.services)
    assert world.store.rows[CURRENT.document].version_id == "v1"


def test_the_row_of_a_deleted_document_becomes_a_tombstone():
    world = World()
    world.store.commit(Write(before=None, after=DONE))
    heal(Finding.ORPHANED, DocumentState(current=None, row=DONE), world.services)
    assert world.store.rows[CURRENT.document].status is Status.REMOVED


def test_a_stuck_job_is_sent_to_the_queue_of_its_stage():
    world, stuck = World(), job(CURRENT, wake_at=START, stage=Stage.ESCALATION)
    heal(Finding.STUCK, DocumentState(current=CURRENT, row=processing(), job=stuck), world.services)
    assert world.queues.tasks == [Task(upload=CURRENT, stage=Stage.ESCALATION)]


def test_a_stuck_document_without_a_job_gets_a_new_run():
    world = World()
    world.store.commit(Write(before=None, after=processing()))
    heal(Finding.STUCK, DocumentState(current=CURRENT, row=processing()), world.services)
    assert [task.run for task in world.queues.tasks] == [2]
