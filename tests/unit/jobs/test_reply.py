"""What a reply says, what of it the policy gets to see, and what the row gets of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from pigeonhole.claude import prompt
from pigeonhole.claude.model_catalog import MODELS
from pigeonhole.claude.tiers import TierConfig
from pigeonhole.domain.document import Coverage, PageImage, Text, Tier, Usage
from pigeonhole.domain.policy import Signals
from pigeonhole.domain.record import Record
from pigeonhole.domain.row_attributes import Status
from pigeonhole.jobs.reply import InterpretedReply, interpret, with_answer
from tests.support.builders import TAXONOMY, reply, tier_config, upload
from tests.support.fakes import SCAN, START
from tests.unit.jobs.replies import interpreted, question

COVERAGE = Coverage(
    pages_total=3, pages_read=2, chars_total=20, chars_read=14, truncated=True, parts_failed=1
)


def text(*body: str | PageImage) -> Text:
    return Text(media_type="application/pdf", body=body, coverage=COVERAGE)


def row() -> Record:
    return Record.new(upload(), 1, START)


def answered(of: Record, tier: Tier = Tier.FAST, **changes) -> Record:
    """The row with that tier's answer."""
    return with_answer(of, interpreted(reply(**changes), tier, text("Amount due: 12")))


def sent(document: Text, config: TierConfig) -> InterpretedReply:
    return interpret(reply(), question(document, config), TAXONOMY, START.date())


# What the policy sees.


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
    assert interpreted(reply(evidence=quotes), text=text(*body)).signals.quotes_missing == missing


def test_the_policy_sees_confidence_margin_issue_and_the_categorys_own_rule():
    said = reply(category="contract", confidence=80, runner_up_confidence=30, issue="truncated", evidence=[])

    assert interpreted(said, text=text("")).signals == Signals(
        issue="truncated", confidence=80, margin=50, quotes_missing=0, second_opinion=True
    )


def test_without_a_runner_up_the_margin_is_all_the_confidence():
    assert interpreted(reply(runner_up="none", runner_up_confidence=90)).signals.margin == 95


@pytest.mark.parametrize(
    ("of", "defect"),
    [
        (reply("refusal"), "refused"),
        (reply("max_tokens"), "truncated_answer"),
        (reply(text="?"), "invalid_answer"),
    ],
)
def test_a_reply_without_a_usable_answer_has_a_defect_and_nothing_else(of, defect):
    said = interpreted(of)

    assert said.analysis is None
    assert said.signals == Signals(defect=said.signals.defect)
    assert said.signals.defect == defect


# What was sent, and what it cost.


def test_the_coverage_says_what_was_sent_on_top_of_what_was_read():
    coverage = sent(text("Amount due: 12", SCAN), tier_config(Tier.FAST)).coverage

    assert coverage == replace(COVERAGE, chars_sent=14, pages_as_images=(1,))


def test_what_did_not_fit_the_budget_of_tokens_is_said_to_be_cut():
    whole = replace(COVERAGE, truncated=False, cut=("pages",))
    document = replace(text("a" * 6000), coverage=whole)
    coverage = sent(document, tier_config(Tier.FAST, document_tokens=1000)).coverage

    assert coverage.truncated
    assert coverage.cut == ("pages", "budget")
    assert 0 < coverage.chars_sent <= 3000


def test_a_reply_is_priced_by_the_model_that_gave_it_and_compared_with_the_one_that_it_saved():
    fast, strong = interpreted(), interpreted(tier=Tier.STRONG)

    assert (fast.cost.usd, fast.cost.alone_usd) == (Decimal("0.00015"), Decimal("0.003"))
    assert (strong.cost.usd, strong.cost.alone_usd) == (Decimal("0.003"), Decimal(0))


def test_a_cached_reply_bills_neither_tokens_nor_money():
    said = interpreted(replace(reply(), reused=True))

    assert (said.billed_usage, said.cost.usd) == (Usage(), Decimal(0))
    assert interpreted().billed_usage == Usage(input_tokens=1000, output_tokens=100)


def test_it_knows_on_which_day_it_was_sent_and_under_which_instructions():
    said = interpreted(sent_on=date(2026, 11, 21))

    assert said.sent_on == date(2026, 11, 21)
    assert said.prompt_version == prompt.prompt_version(tier_config(Tier.FAST))
    assert said.taxonomy_version == TAXONOMY.fingerprint


# What the row gets.


def test_the_row_has_the_answer_with_whose_it_is_and_under_which_instructions_it_was_given():
    done = answered(row())

    assert (done.category, done.runner_up, done.confidence) == ("invoice", "letter", Decimal("0.95"))
    assert (done.title, done.summary, done.language) == ("Invoice 7", "It asks for 12.", "en")
    assert (done.tier, done.model) == (Tier.FAST, "claude-haiku-5-5")
    assert done.model in MODELS
    assert done.prompt_version == prompt.prompt_version(tier_config(Tier.FAST))
    assert done.taxonomy_version == TAXONOMY.fingerprint
    assert done.coverage == replace(COVERAGE, chars_sent=14)


def test_what_the_model_left_empty_is_absent():
    attributes = answered(row(), title="", summary="", language="").row()

    assert attributes.keys() & {"title", "summary", "language"} == set()


def test_a_second_answer_leaves_nothing_of_the_first():
    first = answered(row(), title="First", summary="First", keywords=["first"], issue="none")
    second = answered(
        first, Tier.STRONG, title="", summary="", keywords=[], evidence=[], issue="none_of_these"
    )

    assert (second.title, second.summary, second.category) == (None, None, None)
    assert (second.keywords, second.evidence, second.tier) == ((), (), "strong")
    assert second.prompt_version == prompt.prompt_version(tier_config(Tier.STRONG))


@pytest.mark.parametrize(
    ("issue", "category"),
    [
        ("none", "invoice"),
        ("truncated", "invoice"),
        ("mixed_documents", "invoice"),
        ("unreadable", None),
        ("none_of_these", None),
    ],
)
def test_a_category_that_is_not_meant_is_absent(issue, category):
    assert answered(row(), issue=issue).category == category


def test_an_unusable_reply_changes_no_answer_that_stands():
    first = answered(row())

    assert with_answer(first, interpreted(reply("refusal"), Tier.STRONG, text("other"))) == first


def test_an_unusable_first_reply_says_at_least_what_was_sent():
    after = with_answer(row(), interpreted(reply("refusal"), text=text("Amount due: 12")))

    assert after == row().model_copy(update={"coverage": replace(COVERAGE, chars_sent=14)})


def test_the_answer_itself_leaves_the_bill_alone():
    # The bill is written with the reply, by whoever wrote it down.
    before = row().model_copy(update={"cost_usd": Decimal("0.5")})

    assert (answered(before).cost_usd, answered(before).usage) == (Decimal("0.5"), None)


def test_an_answer_makes_a_row_that_may_become_an_outcome():
    assert answered(row()).to(Status.DONE, START).status is Status.DONE
