"""How a row grows from what was read and what was said, and what of it the policy gets to see."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from pigeonhole.domain.document import Coverage, PageImage, Text, Tier
from pigeonhole.domain.policy import Signals
from pigeonhole.domain.record import Record, Status, begun
from pigeonhole.guards import row_updates
from pigeonhole.ports import Body
from tests.support.builders import TAXONOMY, reply, upload
from tests.support.fakes import SCAN, START

COVERAGE = Coverage(
    pages_total=3, pages_read=2, chars_total=20, chars_read=14, truncated=True, parts_failed=1
)


def text(*body: str | PageImage) -> Text:
    return Text(media_type="application/pdf", body=body, coverage=COVERAGE)


def told(record: Record, tier: Tier = Tier.FAST, **changes) -> Record:
    said = reply(**changes)
    analysis, _ = row_updates.examine(said, text("Amount due: 12"), TAXONOMY)
    return row_updates.as_told(record, tier, said, analysis, COVERAGE, TAXONOMY)


def row() -> Record:
    return begun(upload(), 1, START)


@pytest.mark.parametrize(
    ("body", "quotes", "missing"),
    [
        (("Amount due: 12",), ["Amount due: 12"], 0),
        (("Amount due: 12",), ["Amount due: 12", "13", "14"], 2),
        (("Amount", "due: 12"), ["Amount due: 12"], 0),
        (("Amount due: 12",), [], 0),
        ((SCAN,), ["13"], None),
        (("Amount due: 12", SCAN), ["13"], None),
    ],
    ids=["found", "two missing", "across passages", "none given", "on a picture", "perhaps on a picture"],
)
def test_quotes_are_looked_for_in_the_text_unless_part_of_it_was_only_looked_at(body, quotes, missing):
    _, seen = row_updates.examine(reply(evidence=quotes), text(*body), TAXONOMY)

    assert seen.quotes_missing == missing


def test_the_policy_sees_confidence_margin_issue_and_the_categorys_own_rule():
    said = reply(category="contract", confidence=80, runner_up_confidence=30, issue="truncated", evidence=[])
    _, seen = row_updates.examine(said, text(""), TAXONOMY)

    assert seen == Signals(issue="truncated", confidence=80, margin=50, quotes_missing=0, second_opinion=True)


def test_without_a_runner_up_the_margin_is_all_the_confidence():
    _, seen = row_updates.examine(
        reply(runner_up="none", runner_up_confidence=90), text("Amount due: 12"), TAXONOMY
    )

    assert seen.margin == 95


def test_what_the_model_left_empty_is_absent():
    made = told(row(), title="", summary="", language="").row()

    assert made.keys() & {"title", "summary", "language"} == set()


def test_a_second_answer_leaves_nothing_of_the_first():
    first = told(row(), title="First", summary="First", keywords=["first"], issue="none")
    second = told(first, Tier.STRONG, title="", summary="", keywords=[], evidence=[], issue="none_of_these")

    assert (second.title, second.summary, second.category) == (None, None, None)
    assert (second.keywords, second.evidence, second.tier) == ((), (), "strong")


def test_every_call_is_added_to_the_bill_by_its_model():
    twice = told(told(row()), Tier.STRONG)

    assert twice.usage
    assert twice.usage["claude-haiku-5-5"].input_tokens == 2000
    assert twice.cost_usd == Decimal("0.0003")


def test_a_reply_that_is_not_there_costs_nothing():
    assert row_updates.charged(row(), None) == row()
    assert row_updates.charged(row(), reply()).cost_usd == Decimal("0.00015")


def test_what_s3_says_of_the_bytes_goes_before_what_the_event_said():
    body = Body(path=Path(), size_bytes=14, sha256="5" * 64, content_type="text/html; " * 40, etag="real")
    made = row_updates.as_read(replace_etag(row(), "stated"), body, text("a"), None)

    assert (made.etag, made.size_bytes, made.media_type) == ("real", 14, "application/pdf")
    assert made.content_type is not None
    assert len(made.content_type) == 200
    unknown = row_updates.as_read(replace_etag(row(), "stated"), replace(body, etag=None), text("a"), None)
    assert unknown.etag == "stated"


def replace_etag(record: Record, etag: str) -> Record:
    return record.model_copy(update={"etag": etag})


def test_a_saved_text_has_the_coverage_that_its_row_states():
    record = row_updates.as_read(row(), body(), text("a", "b"), "s3://t")
    again = row_updates.text_of(record, "a\n\nb")

    assert (again.media_type, again.text) == ("application/pdf", "a\n\nb")
    assert again.coverage == replace(COVERAGE, chars_sent=0)


def body() -> Body:
    return Body(path=Path(), size_bytes=1, sha256="5" * 64, content_type=None, etag=None)


def test_an_answer_makes_a_row_that_may_become_an_outcome():
    assert told(row()).to(Status.DONE, START).status is Status.DONE
