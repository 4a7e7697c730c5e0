"""How a row changes: what was read, what it cost, and what became of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pigeonhole.domain.document import Coverage, FetchedObject, PageImage, Stage, Text, Tier, Usage
from pigeonhole.domain.errors import DocumentError, WaitReason
from pigeonhole.domain.policy import Reason
from pigeonhole.domain.record import Record, stamp
from pigeonhole.domain.row_attributes import Status
from tests.support.builders import record, upload
from tests.support.fakes import START

COVERAGE = Coverage(
    pages_total=3, pages_read=2, chars_total=20, chars_read=14, truncated=True, parts_failed=1
)
LATER = START + timedelta(hours=1)
FETCHED = FetchedObject(path=Path(), size_bytes=14, sha256="5" * 64, content_type="text/plain", etag="real")
FAST, STRONG = "claude-haiku-5-5", "claude-sonnet-5-5"
USAGE = Usage(input_tokens=1000, output_tokens=100)


def text(*body: str | PageImage) -> Text:
    return Text(media_type="application/pdf", body=body, coverage=COVERAGE)


def row(**changes) -> Record:
    return Record.new(upload(), 1, START).model_copy(update=changes)


# What was read.


def test_what_s3_says_of_the_bytes_goes_before_what_the_event_said():
    fetched = replace(FETCHED, content_type="text/html; " * 40)
    after = row(etag="stated").with_extraction(fetched, text("a"), None)

    assert (after.etag, after.size_bytes, after.media_type) == ("real", 14, "application/pdf")
    assert after.content_type is not None
    assert len(after.content_type) == 200
    unknown = row(etag="stated").with_extraction(replace(FETCHED, etag=None), text("a"), None)
    assert unknown.etag == "stated"


def test_a_saved_text_has_the_coverage_that_its_row_states():
    read = row().with_extraction(FETCHED, text("a", "b"), "s3://t")
    sent = read.with_coverage(replace(COVERAGE, chars_sent=14))
    again = sent.text_of("a\n\nb")

    assert (again.media_type, again.text) == ("application/pdf", "a\n\nb")
    assert again.coverage == replace(COVERAGE, chars_sent=0)


def test_a_saved_text_of_a_row_that_states_nothing_is_plain():
    again = row().text_of("a")

    assert (again.media_type, again.coverage) == ("text/plain", Coverage())


# What it cost.


def test_every_call_is_added_to_the_bill_by_its_model():
    once = row().with_cost(FAST, USAGE, Decimal("0.00015"))
    twice = once.with_cost(FAST, USAGE, Decimal("0.00015"))
    thrice = twice.with_cost(STRONG, USAGE, Decimal("0.003"))

    assert thrice.usage == {FAST: USAGE + USAGE, STRONG: USAGE}
    assert (once.cost_usd, thrice.cost_usd) == (Decimal("0.00015"), Decimal("0.0033"))


def test_a_cached_reply_costs_nothing_and_is_no_call_on_the_bill():
    fresh = row().with_cost(FAST, Usage(), Decimal(0))

    assert (fresh.usage, fresh.cost_usd) == (None, Decimal(0))
    before = row().with_cost(FAST, USAGE, Decimal("0.00015"))
    assert before.with_cost(STRONG, Usage(), Decimal(0)) == before


def test_what_may_have_been_billed_is_absent_once_all_of_it_is_settled():
    owing = row().with_unsettled(Decimal("0.5"))
    settled = owing.with_unsettled(Decimal("-0.5"))

    assert owing.unsettled_usd == Decimal("0.5")
    assert settled == row()


def test_a_bill_is_usage_cost_and_what_is_unsettled_and_nothing_else():
    other = record(
        usage={FAST: USAGE}, cost_usd=Decimal("0.1"), unsettled_usd=Decimal("0.2"), title="another"
    )
    billed = row(title="mine").with_bill_of(other)

    assert (billed.usage, billed.cost_usd, billed.unsettled_usd) == (
        {FAST: USAGE},
        Decimal("0.1"),
        Decimal("0.2"),
    )
    assert (billed.title, billed.status) == ("mine", Status.PROCESSING)


# What became of it.


def test_a_failed_row_says_why_in_plain_words_with_the_next_step():
    failed = row().failed(DocumentError("corrupt", "it breaks off"), LATER)

    assert (failed.status, failed.processed_at) == (Status.FAILED, stamp(LATER))
    assert failed.error is not None
    assert (failed.error.code, failed.error.detail) == ("corrupt", "it breaks off")
    assert failed.error.message
    assert failed.error.next_step


def test_where_the_second_opinion_failed_the_answer_so_far_stays_for_a_person():
    hard = record(status=Status.ESCALATED, category="letter", tier="fast")
    undecided = hard.undecided(DocumentError("upstream"), LATER)

    assert (undecided.status, undecided.category, undecided.tier) == (
        Status.NEEDS_REVIEW,
        "letter",
        Tier.FAST,
    )
    assert undecided.review_reasons == ("upstream",)
    assert undecided.error is not None
    assert undecided.error.code == "upstream"


def test_an_answer_for_a_person_names_its_reasons():
    reviewed = row().for_review((Reason.UNREADABLE,), LATER)

    assert (reviewed.status, reviewed.review_reasons) == (Status.NEEDS_REVIEW, ("unreadable",))


def test_an_escalated_row_may_be_escalated_again_for_other_reasons():
    once = row().escalated((Reason.LOW_CONFIDENCE,), START)
    again = once.escalated((Reason.NARROW_MARGIN,), LATER)

    assert (once.status, again.status) == (Status.ESCALATED, Status.ESCALATED)
    assert (once.escalation_reasons, again.escalation_reasons) == (("low_confidence",), ("narrow_margin",))
    assert again.updated_at == stamp(LATER)


def test_a_parked_row_goes_on_and_any_other_stays_as_it_is():
    parked = row().parked(WaitReason.CLAUDE, None, Stage.TRIAGE, START)

    assert parked.resumed(Status.PROCESSING, LATER).status is Status.PROCESSING
    assert row().resumed(Status.ESCALATED, LATER) == row()


def test_a_removed_row_is_a_tombstone_that_is_deleted_in_time():
    removed = record().removed(LATER, 1_800_000_000)

    assert (removed.status, removed.expires_at) == (Status.REMOVED, 1_800_000_000)


@pytest.mark.parametrize("status", [Status.DONE, Status.NEEDS_REVIEW, Status.FAILED])
def test_a_persons_word_is_an_outcome_whatever_stood_there_before(status):
    before = record(status=status)
    decided = before.decided("letter", "a" * 201, LATER)

    assert (decided.status, decided.category, decided.tier) == (Status.DONE, "letter", Tier.HUMAN)
    assert (decided.reviewed_by, decided.reviewed_at) == ("a" * 200, stamp(LATER))
    assert decided.error is None
    assert decided.outcome_id != before.outcome_id


def test_an_outcome_that_is_published_once_more_is_the_same_but_for_its_time_and_its_id():
    done = record(category="invoice")
    again = done.republished(LATER)

    assert again.outcome_id not in (None, done.outcome_id)
    assert again.model_copy(update={"updated_at": done.updated_at, "outcome_id": done.outcome_id}) == done
