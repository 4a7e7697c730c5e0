"""The inbox and the tables side by side: what differs is found and healed, what is on its way is left."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from infra.ops.reconcile import Finding, Seen, heal, judge
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
TRIPPED = BreakerState(is_tripped=True)


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
    ("seen", "breaker", "finding"),
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
        (Seen(shown=SHOWN, row=processing(), job=open_job()), None, Finding.STUCK),
        (Seen(shown=SHOWN, row=processing(), job=open_job(LATER)), None, None),
        (Seen(shown=SHOWN, row=processing(), job=None), None, Finding.STUCK),
        (Seen(shown=SHOWN, row=processing(), job=open_job(None)), None, Finding.STUCK),
        (Seen(shown=SHOWN, row=processing(LATER), job=None), None, None),
        (Seen(shown=SHOWN, row=PARKED, job=open_job(START, PARKED)), None, Finding.STUCK),
        (Seen(shown=SHOWN, row=PARKED, job=open_job(START, PARKED)), TRIPPED, None),
    ],
    ids=[
        "no row", "just uploaded", "done", "another version", "just overwritten", "removed yet shown",
        "removed", "shows nothing", "just taken out", "overdue", "in good time", "job is gone",
        "no wake-up", "job is gone just now", "parked too long", "parked while the breaker is tripped",
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_what_is_on_its_way_is_not(seen, breaker, finding):
    assert judge(seen, breaker=breaker, before=BEFORE) is finding


def test_what_never_started_is_started():
    world = World()
    world.put(SHOWN, "text")
    heal(Finding.NEVER_STARTED, Seen(shown=SHOWN, row=None), world.services)
    assert world.store.rows[SHOWN.document].status is Status.PROCESSING
    assert [task.upload.version_id for task in world.queues.tasks] == ["v1"]


def test_a_stale_row_follows_the_bucket():
    world = World()
    world.put(SHOWN, "text")
    world.store.commit(Write(before=None, after=OTHER))
    heal(Finding.STALE, Seen(shown=SHOWN, row=OTHER), world.services)
    assert world.store.rows[SHOWN.document].version_id == "v1"


def test_the_row_of_what_is_no_more_becomes_a_tombstone():
    world = World()
    world.store.commit(Write(before=None, after=DONE))
    heal(Finding.ORPHANED, Seen(shown=None, row=DONE), world.services)
    assert world.store.rows[SHOWN.document].status is Status.REMOVED


def test_a_stuck_job_is_sent_on_from_where_it_stopped():
    world, stuck = World(), job(SHOWN, wake_at=START, stage=Stage.ESCALATION)
    heal(Finding.STUCK, Seen(shown=SHOWN, row=processing(), job=stuck), world.services)
    assert world.queues.tasks == [Task(upload=SHOWN, stage=Stage.ESCALATION)]


def test_a_stuck_row_whose_job_is_gone_is_redriven():
    world = World()
    world.store.commit(Write(before=None, after=processing()))
    heal(Finding.STUCK, Seen(shown=SHOWN, row=processing()), world.services)
    assert [task.run for task in world.queues.tasks] == [2]
