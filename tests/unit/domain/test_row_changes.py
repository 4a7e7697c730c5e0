"""How a row changes: what was read, what it cost, and what became of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pigeonhole.domain import row_changes
from pigeonhole.domain.document import Coverage, FetchedObject, PageImage, Stage, Text, Tier, Usage
from pigeonhole.domain.errors import DocumentError, WaitReason
from pigeonhole.domain.policy import Reason
from pigeonhole.domain.record import Record, Status, stamp
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
    return row_changes.new_row(upload(), 1, START).model_copy(update=changes)


# What was read.


def test_what_s3_says_of_the_bytes_goes_before_what_the_event_said():
    fetched = replace(FETCHED, content_type="text/html; " * 40)
    after = row_changes.with_extraction(row(etag="stated"), fetched, text("a"), None)

    assert (after.etag, after.size_bytes, after.media_type) == ("real", 14, "application/pdf")
    assert after.content_type is not None
    assert len(after.content_type) == 200
    unknown = row_changes.with_extraction(row(etag="stated"), replace(FETCHED, etag=None), text("a"), None)
    assert unknown.etag == "stated"


def test_a_saved_text_has_the_coverage_that_its_row_states():
    read = row_changes.with_extraction(row(), FETCHED, text("a", "b"), "s3://t")
    sent = row_changes.with_coverage(read, replace(COVERAGE, chars_sent=14))
    again = row_changes.text_of(sent, "a\n\nb")

    assert (again.media_type, again.text) == ("application/pdf", "a\n\nb")
    assert again.coverage == replace(COVERAGE, chars_sent=0)


def test_a_saved_text_of_a_row_that_states_nothing_is_plain():
    again = row_changes.text_of(row(), "a")

    assert (again.media_type, again.coverage) == ("text/plain", Coverage())


# What it cost.


def test_every_call_is_added_to_the_bill_by_its_model():
    once = row_changes.with_cost(row(), FAST, USAGE, Decimal("0.00015"))
    twice = row_changes.with_cost(once, FAST, USAGE, Decimal("0.00015"))
    thrice = row_changes.with_cost(twice, STRONG, USAGE, Decimal("0.003"))

    assert thrice.usage == {FAST: USAGE + USAGE, STRONG: USAGE}
    assert (once.cost_usd, thrice.cost_usd) == (Decimal("0.00015"), Decimal("0.0033"))


def test_a_cached_reply_costs_nothing_and_is_no_call_on_the_bill():
    fresh = row_changes.with_cost(row(), FAST, Usage(), Decimal(0))

    assert (fresh.usage, fresh.cost_usd) == (None, Decimal(0))
    before = row_changes.with_cost(row(), FAST, USAGE, Decimal("0.00015"))
    assert row_changes.with_cost(before, STRONG, Usage(), Decimal(0)) == before


def test_what_may_have_been_billed_is_absent_once_all_of_it_is_settled():
    owing = row_changes.with_unsettled(row(), Decimal("0.5"))
    settled = row_changes.with_unsettled(owing, Decimal("-0.5"))

    assert owing.unsettled_usd == Decimal("0.5")
    assert settled == row()


def test_a_bill_is_usage_cost_and_what_is_unsettled_and_nothing_else():
    other = record(
        usage={FAST: USAGE}, cost_usd=Decimal("0.1"), unsettled_usd=Decimal("0.2"), title="another"
    )
    billed = row_changes.with_bill_of(row(title="mine"), other)

    assert (billed.usage, billed.cost_usd, billed.unsettled_usd) == (
        {FAST: USAGE},
        Decimal("0.1"),
        Decimal("0.2"),
    )
    assert (billed.title, billed.status) == ("mine", Status.PROCESSING)


# What became of it.


def test_a_failed_row_says_why_in_plain_words_with_the_next_step():
    failed = row_changes.failed(row(), DocumentError("corrupt", "it breaks off"), LATER)

    assert (failed.status, failed.processed_at) == (Status.FAILED, stamp(LATER))
    assert failed.error is not None
    assert (failed.error.code, failed.error.detail) == ("corrupt", "it breaks off")
    assert failed.error.message
    assert failed.error.next_step


def test_where_the_second_opinion_failed_the_answer_so_far_stays_for_a_person():
    hard = record(status=Status.ESCALATED, category="letter", tier="fast")
    undecided = row_changes.undecided(hard, DocumentError("upstream"), LATER)

    assert (undecided.status, undecided.category, undecided.tier) == (
        Status.NEEDS_REVIEW,
        "letter",
        Tier.FAST,
    )
    assert undecided.review_reasons == ("upstream",)
    assert undecided.error is not None
    assert undecided.error.code == "upstream"


def test_an_answer_for_a_person_names_its_reasons():
    reviewed = row_changes.for_review(row(), (Reason.UNREADABLE,), LATER)

    assert (reviewed.status, reviewed.review_reasons) == (Status.NEEDS_REVIEW, ("unreadable",))


def test_an_escalated_row_may_be_escalated_again_for_other_reasons():
    once = row_changes.escalated(row(), (Reason.LOW_CONFIDENCE,), START)
    again = row_changes.escalated(once, (Reason.NARROW_MARGIN,), LATER)

    assert (once.status, again.status) == (Status.ESCALATED, Status.ESCALATED)
    assert (once.escalation_reasons, again.escalation_reasons) == (("low_confidence",), ("narrow_margin",))
    assert again.updated_at == stamp(LATER)


def test_a_parked_row_goes_on_and_any_other_stays_as_it_is():
    parked = row_changes.parked(row(), WaitReason.CLAUDE, None, Stage.TRIAGE, START)

    assert row_changes.resumed(parked, Status.PROCESSING, LATER).status is Status.PROCESSING
    assert row_changes.resumed(row(), Status.ESCALATED, LATER) == row()


def test_a_removed_row_is_a_tombstone_that_is_deleted_in_time():
    removed = row_changes.removed(record(), LATER, 1_800_000_000)

    assert (removed.status, removed.expires_at) == (Status.REMOVED, 1_800_000_000)


@pytest.mark.parametrize("status", [Status.DONE, Status.NEEDS_REVIEW, Status.FAILED])
def test_a_persons_word_is_an_outcome_whatever_stood_there_before(status):
    before = record(status=status)
    decided = row_changes.decided(before, "letter", "a" * 201, LATER)

    assert (decided.status, decided.category, decided.tier) == (Status.DONE, "letter", Tier.HUMAN)
    assert (decided.reviewed_by, decided.reviewed_at) == ("a" * 200, stamp(LATER))
    assert decided.error is None
    assert decided.outcome_id != before.outcome_id


def test_an_outcome_that_is_published_once_more_is_the_same_but_for_its_time_and_its_id():
    done = record(category="invoice")
    again = row_changes.republished(done, LATER)

    assert again.outcome_id not in (None, done.outcome_id)
    assert again.model_copy(update={"updated_at": done.updated_at, "outcome_id": done.outcome_id}) == done
