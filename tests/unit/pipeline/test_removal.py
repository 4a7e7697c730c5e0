"""Removals and expiries: S3 is asked what the key shows now, and an older event never undoes a newer one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pigeonhole.domain.errors import TryLater
from pigeonhole.domain.row_attributes import Status
from pigeonhole.domain.upload import ObjectEvent, ObjectEventType, Upload
from pigeonhole.jobs.job import Task
from tests.support.builders import World, breaks, created, reply, upload
from tests.support.fakes import START

TEXT = "Amount due: 12"
FIRST = upload()
MARKER = upload(version="m", order=5)
EXPIRED = replace(MARKER, sequencer="")


def new_world() -> World:
    """A world in which the first upload is done."""
    world = World()
    world.put(FIRST, TEXT)
    world.claude.answers += [reply()]
    world.triage(created(FIRST))
    return world


def deleted(world: World, marker: Upload = MARKER) -> World:
    world.objects.put(marker, None)
    return world


@pytest.mark.parametrize(
    "change",
    [
        ObjectEvent(type=ObjectEventType.REMOVED, upload=MARKER),
        ObjectEvent(type=ObjectEventType.EXPIRED, upload=EXPIRED),
    ],
    ids=["removed", "expired"],
)
def test_a_document_that_is_gone_is_removed_with_its_answer(change):
    world = deleted(new_world())
    world.clock.pass_by(60)
    world.triage(change)

    row = world.row(FIRST)
    assert (row.status, row.category, row.summary, row.text_uri) == (Status.REMOVED, None, None, None)
    assert row.expires_at == int((START + timedelta(days=30, seconds=60)).timestamp())
    assert row.outcome_id
    assert len(world.claude.requests) == 1


def test_a_removal_that_uncovers_the_version_of_the_row_only_makes_it_as_new_as_that():
    world = new_world()
    before = world.row(FIRST)
    world.sync(replace(MARKER, version_id="v0"))

    assert world.row(FIRST) == before.with_sequencer(MARKER.sequencer).with_revision(before.revision + 1)
    assert len(world.claude.requests) == 1


def test_an_upload_that_was_removed_before_its_event_came_does_not_hide_what_it_had_covered():
    world = new_world()
    world.sync(replace(MARKER, version_id="v2"))
    world.triage(created(world.put(upload(version="v2", order=4), TEXT)))

    assert (world.row(FIRST).version_id, world.row(FIRST).status) == ("v1", Status.DONE)


def test_a_removal_comes_again_while_the_version_that_it_uncovers_is_leased():
    world = World()
    world.put(FIRST, TEXT)
    world.claimed(Task(upload=FIRST))
    with pytest.raises(TryLater, match="lease held on the version"):
        world.sync(replace(MARKER, version_id="v0"))

    assert world.row(FIRST).sequencer == FIRST.sequencer


def test_an_old_removal_does_not_touch_a_newer_upload():
    world = deleted(new_world())
    newest = world.put(upload(version="v2", order=9), TEXT)
    world.claude.answers += [reply()]
    world.triage(created(newest))
    world.sync(MARKER)

    assert (world.row(FIRST).version_id, world.row(FIRST).status) == ("v2", Status.DONE)


def test_an_old_removal_does_not_touch_the_row_of_a_newer_event_even_if_nothing_is_there():
    world = new_world()
    newest = upload(version="v2", order=9)
    world.put(newest, "broken")
    world.triage(created(newest))
    deleted(world, upload(version="m2", order=10))
    world.sync(MARKER)

    assert (world.row(FIRST).version_id, world.row(FIRST).status) == ("v2", Status.FAILED)


def test_an_upload_event_that_comes_after_the_removal_stays_removed_and_costs_nothing():
    world = World()
    world.put(FIRST, TEXT)
    deleted(world)
    world.sync(MARKER)
    world.triage(created(FIRST))

    assert world.row(FIRST).status is Status.REMOVED
    assert world.claude.requests == []


def test_a_removal_twice_is_one_removal():
    world = deleted(new_world())
    world.sync(MARKER)
    before = world.row(FIRST)
    world.clock.pass_by(60)
    world.sync(MARKER)
    world.sync(EXPIRED)

    assert world.row(FIRST) == before
    assert world.telemetry.metrics["Removed"] == 1


def test_a_document_that_nobody_had_seen_is_removed_all_the_same():
    world = World()
    world.sync(EXPIRED)

    assert world.row(FIRST).status is Status.REMOVED


def test_a_document_that_is_uploaded_again_comes_back():
    world = deleted(new_world())
    world.sync(MARKER)
    again = world.put(upload(version="v2", order=9), TEXT)
    world.claude.answers += [reply()]
    world.triage(created(again))

    row = world.row(FIRST)
    assert (row.version_id, row.status, row.expires_at) == ("v2", Status.DONE, None)


@pytest.mark.parametrize("event", [MARKER, EXPIRED], ids=["removed", "expired"])
def test_a_removal_while_the_document_is_read_is_not_undone(event):
    world = World()
    world.put(FIRST, TEXT)

    def meanwhile():
        deleted(world).sync(event)
        return reply()

    world.claude.answers += [meanwhile]
    world.triage(created(FIRST))

    assert world.row(FIRST).status is Status.REMOVED


def test_an_expiry_of_the_very_version_while_it_is_read_is_not_undone():
    world = World()
    world.put(FIRST, TEXT)

    def meanwhile():
        deleted(world).sync(replace(FIRST, sequencer=""))
        return reply()

    world.claude.answers += [meanwhile]
    world.triage(created(FIRST))

    assert world.row(FIRST).status is Status.REMOVED


@pytest.mark.parametrize(
    ("port", "method"), [("objects", "current"), ("store", "row"), ("store", "commit")], ids=str
)
def test_whatever_is_out_of_reach_the_next_try_succeeds(port, method):
    world = deleted(new_world())
    breaks(getattr(world, port), method, TryLater("AWS is busy", seconds=20))
    with pytest.raises(TryLater):
        world.sync(MARKER)
    world.sync(MARKER)

    assert world.row(FIRST).status is Status.REMOVED
