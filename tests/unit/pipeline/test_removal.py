"""Removals and expiries: S3 is asked what the key shows now, and an older event never undoes a newer one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pigeonhole.domain.document import Change, Kind, TryLater, Upload
from pigeonhole.domain.record import Status
from pigeonhole.guards.s3_sync import follow
from pigeonhole.jobs.job import Order
from pigeonhole.pipeline.process import triage
from tests.support.builders import SHIFT, World, breaks, created, reply, upload
from tests.support.fakes import START

TEXT = "Amount due: 12"
FIRST = upload()
MARKER = upload(version="m", order=5)
EXPIRED = replace(MARKER, sequencer="")


def world() -> World:
    """A world in which the first upload is done."""
    made = World()
    made.put(FIRST, TEXT)
    made.analyst.answers += [reply()]
    triage(created(FIRST), made.parts, SHIFT)
    return made


def deleted(made: World, marker: Upload = MARKER) -> World:
    made.objects.put(marker, None)
    return made


@pytest.mark.parametrize(
    "change",
    [Change(kind=Kind.REMOVED, upload=MARKER), Change(kind=Kind.EXPIRED, upload=EXPIRED)],
    ids=["removed", "expired"],
)
def test_a_document_that_is_gone_is_removed_with_its_answer(change):
    made = deleted(world())
    made.clock.pass_by(60)
    triage(change, made.parts, SHIFT)

    row = made.row(FIRST)
    assert (row.status, row.category, row.summary, row.text_uri) == (Status.REMOVED, None, None, None)
    assert row.expires_at == int((START + timedelta(days=30, seconds=60)).timestamp())
    assert row.outcome_id
    assert len(made.analyst.requests) == 1


def test_a_removal_that_uncovers_the_version_of_the_row_only_makes_it_as_new_as_that():
    made = world()
    before = made.row(FIRST)
    follow(replace(MARKER, version_id="v0"), made.parts)

    assert made.row(FIRST) == before.model_copy(update={"sequencer": MARKER.sequencer})
    assert len(made.analyst.requests) == 1


def test_an_upload_that_was_removed_before_its_event_came_does_not_hide_what_it_had_covered():
    made = world()
    follow(replace(MARKER, version_id="v2"), made.parts)
    triage(created(made.put(upload(version="v2", order=4), TEXT)), made.parts, SHIFT)

    assert (made.row(FIRST).version_id, made.row(FIRST).status) == ("v1", Status.DONE)


def test_a_removal_comes_back_while_somebody_is_at_the_version_that_it_uncovers():
    made = World()
    made.put(FIRST, TEXT)
    made.claimed(Order(upload=FIRST))
    with pytest.raises(TryLater, match="somebody is at the version"):
        follow(replace(MARKER, version_id="v0"), made.parts)

    assert made.row(FIRST).sequencer == FIRST.sequencer


def test_an_old_removal_does_not_touch_a_newer_upload():
    made = deleted(world())
    newest = made.put(upload(version="v2", order=9), TEXT)
    made.analyst.answers += [reply()]
    triage(created(newest), made.parts, SHIFT)
    follow(MARKER, made.parts)

    assert (made.row(FIRST).version_id, made.row(FIRST).status) == ("v2", Status.DONE)


def test_an_old_removal_does_not_touch_the_row_of_a_newer_event_even_if_nothing_is_there():
    made = world()
    newest = upload(version="v2", order=9)
    made.put(newest, "broken")
    triage(created(newest), made.parts, SHIFT)
    deleted(made, upload(version="m2", order=10))
    follow(MARKER, made.parts)

    assert (made.row(FIRST).version_id, made.row(FIRST).status) == ("v2", Status.FAILED)


def test_an_upload_event_that_comes_after_the_removal_stays_removed_and_costs_nothing():
    made = World()
    made.put(FIRST, TEXT)
    deleted(made)
    follow(MARKER, made.parts)
    triage(created(FIRST), made.parts, SHIFT)

    assert made.row(FIRST).status is Status.REMOVED
    assert made.analyst.requests == []


def test_a_removal_twice_is_one_removal():
    made = deleted(world())
    follow(MARKER, made.parts)
    before = made.row(FIRST)
    made.clock.pass_by(60)
    follow(MARKER, made.parts)
    follow(EXPIRED, made.parts)

    assert made.row(FIRST) == before
    assert made.journal.counts["Removed"] == 1


def test_a_document_that_nobody_had_seen_is_removed_all_the_same():
    made = World()
    follow(EXPIRED, made.parts)

    assert made.row(FIRST).status is Status.REMOVED


def test_a_document_that_is_uploaded_again_comes_back():
    made = deleted(world())
    follow(MARKER, made.parts)
    again = made.put(upload(version="v2", order=9), TEXT)
    made.analyst.answers += [reply()]
    triage(created(again), made.parts, SHIFT)

    row = made.row(FIRST)
    assert (row.version_id, row.status, row.expires_at) == ("v2", Status.DONE, None)


@pytest.mark.parametrize("event", [MARKER, EXPIRED], ids=["removed", "expired"])
def test_a_removal_while_the_document_is_read_is_not_undone(event):
    made = World()
    made.put(FIRST, TEXT)

    def meanwhile():
        follow(event, deleted(made).parts)
        return reply()

    made.analyst.answers += [meanwhile]
    triage(created(FIRST), made.parts, SHIFT)

    assert made.row(FIRST).status is Status.REMOVED


def test_an_expiry_of_the_very_version_while_it_is_read_is_not_undone():
    made = World()
    made.put(FIRST, TEXT)

    def meanwhile():
        follow(replace(FIRST, sequencer=""), deleted(made).parts)
        return reply()

    made.analyst.answers += [meanwhile]
    triage(created(FIRST), made.parts, SHIFT)

    assert made.row(FIRST).status is Status.REMOVED


@pytest.mark.parametrize(
    ("port", "method"), [("objects", "current"), ("ledger", "row"), ("ledger", "swap")], ids=str
)
def test_whatever_is_out_of_reach_the_next_try_succeeds(port, method):
    made = deleted(world())
    breaks(getattr(made, port), method, TryLater("AWS is busy", seconds=20))
    with pytest.raises(TryLater):
        follow(MARKER, made.parts)
    follow(MARKER, made.parts)

    assert made.row(FIRST).status is Status.REMOVED
