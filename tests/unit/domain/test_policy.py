"""Which answers stand: every reason, its threshold to the percent, and which goes before which."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pigeonhole.domain.policy import Accept, Escalate, Review, Signals, Thresholds, judge_fast, judge_strong

LIMITS = Thresholds()
CERTAIN = Signals(confidence=95, margin=90)


def seen(**changes) -> Signals:
    return replace(CERTAIN, **changes)


@pytest.mark.parametrize(
    ("signals", "verdict"),
    [
        (seen(), Accept()),
        (seen(confidence=85), Accept()),
        (seen(confidence=84), Escalate(("low_confidence",))),
        (seen(confidence=0), Escalate(("low_confidence",))),
        (seen(margin=15), Accept()),
        (seen(margin=14), Escalate(("narrow_margin",))),
        (seen(margin=-100), Escalate(("narrow_margin",))),
        (seen(quotes_missing=1), Escalate(("quote_not_found",))),
        (seen(quotes_missing=None), Accept()),
        (seen(second_opinion=True), Escalate(("policy_category",))),
        (seen(issue="mixed_documents"), Escalate(("mixed_documents",))),
        (seen(issue="unreadable"), Review(("unreadable",))),
        (seen(issue="truncated"), Review(("truncated",))),
        (seen(issue="none_of_these"), Review(("none_of_these",))),
        (Signals(defect="refused"), Escalate(("refused",))),
        (Signals(defect="truncated_answer"), Escalate(("truncated_answer",))),
        (Signals(defect="invalid_answer"), Escalate(("invalid_answer",))),
    ],
    ids=[
        "certain", "just confident", "not quite confident", "not confident", "just wide", "not quite wide",
        "behind its runner-up", "a quote missing", "quotes on a picture", "a category with second opinion",
        "mixed", "unreadable", "truncated", "none of these", "refused", "cut answer", "invalid answer",
    ],
)  # fmt: skip
def test_the_fast_answer_is_kept_only_when_nothing_speaks_against_it(signals, verdict):
    assert judge_fast(signals, LIMITS) == verdict


@pytest.mark.parametrize(
    ("signals", "verdict"),
    [
        (seen(), Accept()),
        (seen(confidence=70), Accept()),
        (seen(confidence=69), Review(("low_confidence",))),
        (seen(margin=0), Accept()),
        (seen(second_opinion=True), Accept()),
        (seen(quotes_missing=3), Review(("quote_not_found",))),
        (seen(quotes_missing=None), Accept()),
        (seen(issue="mixed_documents"), Review(("mixed_documents",))),
        (seen(issue="unreadable"), Review(("unreadable",))),
        (seen(issue="truncated"), Review(("truncated",))),
        (seen(issue="none_of_these"), Review(("none_of_these",))),
        (Signals(defect="refused"), Review(("refused",))),
        (Signals(defect="truncated_answer"), Review(("truncated_answer",))),
        (Signals(defect="invalid_answer"), Review(("invalid_answer",))),
    ],
    ids=[
        "certain", "just confident", "not quite confident", "no margin", "a category with second opinion",
        "quotes missing", "quotes on a picture", "mixed", "unreadable", "truncated", "none of these",
        "refused", "cut answer", "invalid answer",
    ],
)  # fmt: skip
def test_the_strong_answer_stands_or_a_person_looks(signals, verdict):
    assert judge_strong(signals, LIMITS) == verdict


def test_every_doubt_is_named_at_once():
    doubtful = Signals(
        issue="mixed_documents", confidence=40, margin=2, quotes_missing=2, second_opinion=True
    )

    assert judge_fast(doubtful, LIMITS) == Escalate(
        ("mixed_documents", "low_confidence", "quote_not_found", "narrow_margin", "policy_category")
    )
    assert judge_strong(doubtful, LIMITS) == Review(("mixed_documents", "low_confidence", "quote_not_found"))


@pytest.mark.parametrize("issue", ["unreadable", "truncated", "none_of_these"])
def test_what_no_stronger_reader_could_mend_goes_to_a_person_whatever_else_is_doubtful(issue):
    doubtful = Signals(issue=issue, confidence=1, margin=0, quotes_missing=3, second_opinion=True)

    assert judge_fast(doubtful, LIMITS) == judge_strong(doubtful, LIMITS) == Review((issue,))


@pytest.mark.parametrize("issue", ["none", "unreadable", "mixed_documents"])
def test_without_an_answer_nothing_but_its_defect_counts(issue):
    signals = Signals(defect="invalid_answer", issue=issue, confidence=99, margin=99, quotes_missing=3)

    assert judge_fast(signals, LIMITS) == Escalate(("invalid_answer",))
    assert judge_strong(signals, LIMITS) == Review(("invalid_answer",))


def test_the_numbers_are_the_operators():
    strict = Thresholds(fast_confidence=96, fast_margin=91, strong_confidence=97)
    lax = Thresholds(fast_confidence=0, fast_margin=-100, strong_confidence=0)

    assert judge_fast(CERTAIN, strict) == Escalate(("low_confidence", "narrow_margin"))
    assert judge_strong(CERTAIN, strict) == Review(("low_confidence",))
    assert judge_fast(Signals(), lax) == judge_strong(Signals(), lax) == Accept()


SIGNALS = st.builds(
    Signals,
    defect=st.none() | st.sampled_from(["refused", "truncated_answer", "invalid_answer"]),
    issue=st.sampled_from(["none", "unreadable", "truncated", "none_of_these", "mixed_documents"]),
    confidence=st.integers(0, 100),
    margin=st.integers(-100, 100),
    quotes_missing=st.none() | st.integers(0, 3),
    second_opinion=st.booleans(),
)


@given(SIGNALS)
def test_an_accepted_answer_has_no_defect_no_issue_and_every_quote(signals):
    for verdict in (judge_fast(signals, LIMITS), judge_strong(signals, LIMITS)):
        if isinstance(verdict, Accept):
            assert signals.defect is None
            assert signals.issue == "none"
            assert not signals.quotes_missing
        else:
            assert verdict.reasons


@given(SIGNALS)
def test_what_the_fast_model_may_decide_the_strong_one_may_too(signals):
    if judge_fast(signals, LIMITS) == Accept():
        assert judge_strong(signals, LIMITS) == Accept()
