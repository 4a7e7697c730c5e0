"""What the ledger table holds: each write of an entry has a revision of its own."""

from __future__ import annotations

from typing import Any

import pytest

from pigeonhole.domain.document import Stage
from pigeonhole.domain.record import Record
from pigeonhole.domain.row_attributes import Status
from pigeonhole.jobs.job import Task
from pigeonhole.jobs.stored import BreakerState, CachedReply, Write
from tests.support.builders import World, created, job, record, reply, upload

CACHED = CachedReply(team="finance", key="0" * 64, run=1)


@pytest.mark.parametrize(
    "entry", [job(), CACHED, BreakerState(), record()], ids=["job", "cached reply", "breaker", "row"]
)
def test_every_write_of_an_entry_has_the_next_revision(entry: Any):
    first = Write.of(None, entry).after
    # Whatever revision a value comes with: what counts is what it takes the place of.
    second = Write.of(first, entry).after

    assert (first.revision, second.revision, Write.of(second, entry).after.revision) == (1, 2, 3)


def test_a_revision_is_all_that_a_write_adds():
    assert Write.of(record(), record()).after == record().model_copy(update={"revision": 1})
    assert Write.of(job(revision=7), job(revision=3)).after == job(revision=8)


def test_a_rows_revision_grows_by_one_with_each_write_whoever_writes():
    world = World()
    written: list[Record] = []
    world.store.on_row = lambda before, after: written.append(after)
    of = world.put(upload(), "Amount due: 12")
    world.claude.answers = [reply(confidence=1), reply()]

    world.triage(created(of))
    world.escalate(world.handed[0])
    world.clock.pass_by(1)
    world.review(of.document, "letter", "ada")
    world.objects.put(upload(version="m", order=2), None)
    world.sync(upload(version="m", order=2))

    statuses = [row.status for row in written]
    assert statuses == [Status.PROCESSING, Status.ESCALATED, Status.DONE, Status.DONE, Status.REMOVED]
    assert [row.revision for row in written] == [1, 2, 3, 4, 5]


def test_a_newer_upload_goes_on_from_the_revision_of_the_row_that_it_takes():
    world = World()
    first, second = upload(), upload(version="v2", order=2)
    for of in (first, second):
        world.put(of, f"Amount due: {of.version_id}")
        world.claude.answers = [reply(evidence=[])]
        world.triage(created(of))

    assert world.row(second).version_id == "v2"
    assert world.row(second).revision == 4


def test_a_higher_runs_outcome_goes_on_from_the_revision_of_the_row():
    world = World()
    of = world.put(upload(), "Amount due: 12")
    world.claude.answers = [reply(), reply()]
    world.triage(created(of))
    before = world.row(of)
    world.clock.pass_by(60)

    world.triage(Task(upload=of, run=2, stage=Stage.TRIAGE, forced=True), world.invocation())

    assert (before.revision, before.run) == (2, 1)
    assert (world.row(of).revision, world.row(of).run) == (3, 2)
