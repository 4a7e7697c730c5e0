"""Which work may write the row, and what becomes of work whose version is overtaken or current again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from pigeonhole.domain.document import Stage, Tier
from pigeonhole.domain.record import Status, Tokens, begun, stamp
from pigeonhole.jobs import transitions
from pigeonhole.jobs.job import Order
from tests.support.builders import record, reply, upload, work
from tests.support.fakes import START

FIRST, SECOND = upload(order=1), upload(version="v2", order=2)
LATER = START + timedelta(hours=1)
PROCESSING = record(status=Status.PROCESSING)
DECIDED = record(tier="human")
TOMBSTONE = record(status=Status.REMOVED)


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
def test_work_is_overtaken_by_what_is_newer_higher_or_a_persons_word(row, overtaken):
    assert transitions.is_overtaken(work(), row) is overtaken


def test_a_newer_upload_is_not_bound_by_a_persons_word_about_the_older():
    assert not transitions.is_overtaken(work(SECOND), DECIDED)


def test_a_higher_run_is_bound_by_a_persons_word_too():
    assert transitions.is_overtaken(work(run=2), DECIDED)


@pytest.mark.parametrize("status", list(Status))
def test_the_only_run_shows_whatever_it_has_come_to(status):
    draft = record(status=status)
    shown = transitions.shown(work(draft=draft), PROCESSING.model_copy(update={"title": "before"}))

    assert shown == draft


def test_what_the_row_shows_already_is_not_written_again():
    assert transitions.shown(work(draft=record()), record()) is None


@pytest.mark.parametrize("status", list(Status))
def test_a_higher_run_leaves_the_outcome_until_it_has_its_own(status):
    draft = record(status=status, run=2)
    shown = transitions.shown(work(run=2, draft=draft), record())
    has_outcome = status in (Status.DONE, Status.NEEDS_REVIEW, Status.FAILED, Status.REMOVED)

    assert shown == (draft if has_outcome else None)


@pytest.mark.parametrize("run", [1, 2])
def test_a_newer_upload_takes_the_row_at_its_claim(run):
    assert transitions.shown(work(SECOND, run=run), record()) == begun(SECOND, run, START)


def test_a_higher_run_goes_on_from_what_the_upload_has_cost():
    usage = {"claude-haiku-5-5": Tokens(input_tokens=7)}
    row = record(usage={"claude-haiku-5-5": {"input_tokens": 7}}, cost_usd=Decimal("0.5"), title="old")
    draft = transitions.new(Order(upload=FIRST, run=2), row, START).draft

    assert (draft.usage, draft.cost_usd, draft.title, draft.run) == (usage, Decimal("0.5"), None, 2)


def test_a_newer_upload_begins_with_no_cost():
    row = record(cost_usd=Decimal("0.5"))

    assert transitions.new(Order(upload=SECOND), row, START).draft.cost_usd is None


def test_a_forced_order_is_forced_work():
    assert transitions.new(Order(upload=FIRST, forced=True), None, START).order.forced


def test_superseded_work_has_ended_without_an_outcome():
    over = transitions.superseded(work(owner="somebody", lease_until=LATER, due=LATER))

    assert (over.stage, over.superseded, over.owner, over.due) == (Stage.ENDED, True, None, None)
    assert over.draft == PROCESSING


# A version that is current again.

AGAIN = "2".ljust(64, "0")


def test_an_outcome_that_is_current_again_is_news_again():
    done = transitions.ended(work(), record(category="invoice"), {})
    again = transitions.reopened(done, AGAIN, LATER)

    assert (again.stage, again.upload.sequencer, again.due) == (Stage.ENDED, AGAIN, None)
    assert (again.draft.status, again.draft.category, again.draft.sequencer) == (
        Status.DONE,
        "invoice",
        AGAIN,
    )
    assert again.draft.outcome_id not in (None, done.draft.outcome_id)
    assert again.draft.updated_at == stamp(LATER)


def test_superseded_work_that_is_current_again_begins_again_with_what_was_paid_for():
    over = transitions.superseded(transitions.replied(work(crashes=2, put_backs=3), Tier.FAST, reply(), None))
    again = transitions.reopened(over, AGAIN, LATER)

    assert (again.stage, again.superseded, again.due) == (Stage.TRIAGE, False, LATER)
    assert (again.crashes, again.put_backs) == (0, 0)
    assert again.replies == {Tier.FAST: reply()}
    assert again.draft == begun(replace(FIRST, sequencer=AGAIN), 1, LATER)


def test_an_escalation_that_is_current_again_goes_on_at_its_stage():
    draft = record(status=Status.ESCALATED)
    hard = work(stage=Stage.ESCALATION, draft=draft, owner="somebody", lease_until=LATER, failures=2)
    again = transitions.reopened(hard, AGAIN, LATER)

    assert (again.stage, again.owner, again.failures, again.due) == (Stage.ESCALATION, None, 0, LATER)
    assert (again.draft.status, again.draft.sequencer) == (Status.ESCALATED, AGAIN)


def test_an_older_or_the_same_event_changes_nothing():
    assert transitions.renewed(work(), PROCESSING, FIRST, LATER) == work()
    assert transitions.renewed(work(), PROCESSING, upload(order=0), LATER) == work()
    assert transitions.renewed(work(), PROCESSING, replace(FIRST, sequencer=""), LATER) == work()


def test_a_newer_event_about_the_version_that_has_the_row_only_renews_its_order():
    done = transitions.ended(work(), record(), {})
    renewed = transitions.renewed(done, record(), replace(FIRST, sequencer=AGAIN), LATER)

    assert renewed.upload.sequencer == AGAIN
    assert renewed.draft == record().model_copy(update={"sequencer": AGAIN})


@pytest.mark.parametrize(
    "row", [None, TOMBSTONE, record(upload(version="v0", order=0))], ids=["no row", "removed", "another's"]
)
def test_a_newer_event_about_a_version_that_lost_the_row_opens_it_again(row):
    done = transitions.ended(work(), record(), {})
    renewed = transitions.renewed(done, row, replace(FIRST, sequencer=AGAIN), LATER)

    assert renewed == transitions.reopened(done, AGAIN, LATER)


def test_every_change_has_its_own_revision():
    first = transitions.next_revision(None, work())

    assert (first.rev, transitions.next_revision(first, first).rev) == (1, 2)
