"""Which job may write the row, and what becomes of one whose version is overtaken or current again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pigeonhole.domain.document import Stage, Tier
from pigeonhole.domain.record import Record
from pigeonhole.domain.row_attributes import OUTCOMES, Status
from pigeonhole.domain.upload import Upload
from pigeonhole.jobs import transitions, versions
from pigeonhole.jobs.job import Job, Lease, Task
from tests.support.builders import job, record, upload
from tests.support.fakes import START

FIRST, SECOND = upload(order=1), upload(version="v2", order=2)
AGAIN = "2".ljust(64, "0")
LATER = START + timedelta(hours=1)
PROCESSING = record(status=Status.PROCESSING)
DECIDED = record(tier="human")
TOMBSTONE = record(status=Status.REMOVED)
LEASE = Lease(owner="me", until=LATER)


# Who has the row.


@pytest.mark.parametrize(
    ("row", "overtaken"),
    [
        (None, False),
        (PROCESSING, False),
        (record(), False),
        (record(upload(version="v0", order=0)), False),
        (record(upload(version="m", order=0), Status.REMOVED), False),
        (record(SECOND), True),
        (record(SECOND, Status.REMOVED), True),
        (TOMBSTONE, True),
        (record(run=2), True),
        (DECIDED, True),
        (record(upload(version="v0", order=1)), True),
    ],
    ids=[
        "no row", "its own", "its own outcome", "an older upload's", "an older removal's", "a newer upload's",
        "a newer removal's", "its own removal's", "a higher run's", "a person's word", "of another version",
    ],
)  # fmt: skip
def test_a_job_is_overtaken_by_what_is_newer_higher_or_a_persons_word(row, overtaken):
    assert versions.is_overtaken(job(), row) is overtaken


def test_a_newer_upload_is_not_bound_by_a_persons_word_about_the_older():
    assert not versions.is_overtaken(job(SECOND), DECIDED)


def test_a_higher_run_is_bound_by_a_persons_word_too():
    assert versions.is_overtaken(job(run=2), DECIDED)


@pytest.mark.parametrize("status", list(Status))
def test_the_only_run_shows_whatever_it_has_come_to(status):
    draft = record(status=status)
    shown = versions.shown_row(job(draft=draft), PROCESSING.model_copy(update={"title": "before"}))

    assert shown == draft


@pytest.mark.parametrize("revision", [0, 7])
def test_what_the_row_shows_already_is_not_written_again(revision):
    assert versions.shown_row(job(draft=record()), record().with_revision(revision)) is None


@pytest.mark.parametrize("status", list(Status))
def test_a_higher_run_leaves_the_outcome_until_it_has_its_own(status):
    draft = record(status=status, run=2)
    shown = versions.shown_row(job(run=2, draft=draft), record())

    assert shown == (draft if status in OUTCOMES else None)


@pytest.mark.parametrize("run", [1, 2])
def test_a_newer_upload_takes_the_row_at_its_claim(run):
    assert versions.shown_row(job(SECOND, run=run), record()) == Record.new(SECOND, run, START)


# A version that is current again.


def test_an_older_or_the_same_event_changes_nothing():
    assert versions.under_newer_event(job(), PROCESSING, FIRST, LATER) == job()
    assert versions.under_newer_event(job(), PROCESSING, upload(order=0), LATER) == job()
    assert versions.under_newer_event(job(), PROCESSING, replace(FIRST, sequencer=""), LATER) == job()


def test_a_newer_event_about_the_version_that_has_the_row_changes_only_the_sequencer():
    done = transitions.ended(job(), record())
    renewed = versions.under_newer_event(done, record(), replace(FIRST, sequencer=AGAIN), LATER)

    assert renewed.upload.sequencer == AGAIN
    assert renewed.draft == record().model_copy(update={"sequencer": AGAIN})
    assert renewed == transitions.with_sequencer(done, AGAIN)


@pytest.mark.parametrize(
    "row", [None, TOMBSTONE, record(upload(version="v0", order=0))], ids=["no row", "removed", "another's"]
)
def test_a_newer_event_about_a_version_that_lost_the_row_restores_it(row):
    done = transitions.ended(job(), record())
    renewed = versions.under_newer_event(done, row, replace(FIRST, sequencer=AGAIN), LATER)

    assert renewed == transitions.restored(done, AGAIN, LATER)


# What a task makes of a job.


def claim(
    of: Job | None, stage: Stage = Stage.TRIAGE, row: Record | None = None, asked: Upload = FIRST
) -> Job | None:
    return versions.claimed(of, row, Task(upload=asked, stage=stage), LEASE, LATER, START)


def test_the_first_task_of_an_upload_begins_its_job_under_the_lease():
    begun = claim(None)

    assert begun is not None
    assert (begun.lease, begun.wake_at, begun.stage) == (LEASE, LATER, Stage.TRIAGE)


@pytest.mark.parametrize(
    ("of", "stage"),
    [
        (None, Stage.ESCALATION),
        (job(), Stage.ESCALATION),
        (job(stage=Stage.ESCALATION), Stage.TRIAGE),
        (job(stage=Stage.ENDED, draft=record()), Stage.ESCALATION),
    ],
    ids=["no job", "a stage not reached yet", "a stage that is over", "a job that has ended"],
)
def test_a_task_of_another_stage_has_nothing_to_do(of, stage):
    assert claim(of, stage, PROCESSING) is None


def test_a_job_that_something_newer_has_overtaken_is_over_for_all():
    over = claim(job(), row=record(SECOND))

    assert over == transitions.superseded(job())
    assert claim(over, row=record(SECOND)) is None


def test_an_outcome_that_is_current_again_is_restored_by_the_task_without_a_lease():
    done = transitions.ended(job(), record(tier=Tier.FAST))
    again = claim(done, row=TOMBSTONE, asked=replace(FIRST, sequencer=AGAIN))

    assert claim(done, row=TOMBSTONE) is None
    assert again is not None
    assert again == transitions.restored(done, AGAIN, START)
    assert again.lease is None
