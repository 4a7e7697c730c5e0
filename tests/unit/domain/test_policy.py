"""Which answers stand: every reason, its threshold to the percent, and which goes before which."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pigeonhole.domain.policy import Accept, Escalate, Reason, Review, Signals, Thresholds, judge
from tests.support.builders import FAST_THRESHOLDS

STRONG_THRESHOLDS = Thresholds(confidence=70)
CERTAIN = Signals(confidence=95, margin=90)


def judge_fast(signals: Signals, thresholds: Thresholds = FAST_THRESHOLDS) -> Accept | Escalate | Review:
    """The verdict on an answer of the fast tier: the strong one may help with every reason."""
    return judge(signals, thresholds, frozenset(Reason))


def judge_strong(signals: Signals, thresholds: Thresholds = STRONG_THRESHOLDS) -> Accept | Escalate | Review:
    """The verdict on an answer of the strong tier, which is the last."""
    return judge(signals, thresholds, frozenset())


def seen(**changes) -> Signals:
    return replace(CERTAIN, **changes)


@pytest.mark.parametrize(
    ("signals", "verdict"),
    [
        (seen(), Accept()),
        (seen(confidence=85), Accept()),
        (seen(confidence=84), Escalate((Reason.LOW_CONFIDENCE,))),
        (seen(confidence=0), Escalate((Reason.LOW_CONFIDENCE,))),
        (seen(margin=15), Accept()),
        (seen(margin=14), Escalate((Reason.NARROW_MARGIN,))),
        (seen(margin=-100), Escalate((Reason.NARROW_MARGIN,))),
        (seen(quotes_missing=1), Escalate((Reason.QUOTE_NOT_FOUND,))),
        (seen(quotes_missing=None), Accept()),
        (seen(second_opinion=True), Escalate((Reason.POLICY_CATEGORY,))),
        (seen(issue="mixed_documents"), Escalate((Reason.MIXED_DOCUMENTS,))),
        (seen(issue="unreadable"), Review((Reason.UNREADABLE,))),
        (seen(issue="truncated"), Review((Reason.TRUNCATED,))),
        (seen(issue="none_of_these"), Review((Reason.NONE_OF_THESE,))),
        (Signals(defect=Reason.REFUSED), Escalate((Reason.REFUSED,))),
        (Signals(defect=Reason.TRUNCATED_ANSWER), Escalate((Reason.TRUNCATED_ANSWER,))),
        (Signals(defect=Reason.INVALID_ANSWER), Escalate((Reason.INVALID_ANSWER,))),
    ],
    ids=[
        "certain", "just confident", "not quite confident", "not confident", "just wide", "not quite wide",
        "behind its runner-up", "a quote missing", "quotes on a picture", "a category with second opinion",
        "mixed", "unreadable", "truncated", "none of these", "refused", "cut answer", "invalid answer",
    ],
)  # fmt: skip
def test_the_fast_answer_is_kept_only_when_nothing_speaks_against_it(signals, verdict):
    assert judge_fast(signals) == verdict


@pytest.mark.parametrize(
    ("signals", "verdict"),
    [
        (seen(), Accept()),
        (seen(confidence=70), Accept()),
        (seen(confidence=69), Review((Reason.LOW_CONFIDENCE,))),
        (seen(margin=0), Accept()),
        (seen(second_opinion=True), Accept()),
        (seen(quotes_missing=3), Review((Reason.QUOTE_NOT_FOUND,))),
        (seen(quotes_missing=None), Accept()),
        (seen(issue="mixed_documents"), Review((Reason.MIXED_DOCUMENTS,))),
        (seen(issue="unreadable"), Review((Reason.UNREADABLE,))),
        (seen(issue="truncated"), Review((Reason.TRUNCATED,))),
        (seen(issue="none_of_these"), Review((Reason.NONE_OF_THESE,))),
        (Signals(defect=Reason.REFUSED), Review((Reason.REFUSED,))),
        (Signals(defect=Reason.TRUNCATED_ANSWER), Review((Reason.TRUNCATED_ANSWER,))),
        (Signals(defect=Reason.INVALID_ANSWER), Review((Reason.INVALID_ANSWER,))),
    ],
    ids=[
        "certain", "just confident", "not quite confident", "no margin", "a category with second opinion",
        "quotes missing", "quotes on a picture", "mixed", "unreadable", "truncated", "none of these",
        "refused", "cut answer", "invalid answer",
    ],
)  # fmt: skip
def test_the_strong_answer_stands_or_a_person_looks(signals, verdict):
    assert judge_strong(signals) == verdict


def test_every_doubt_is_named_at_once():
    doubtful = Signals(
        issue="mixed_documents", confidence=40, margin=2, quotes_missing=2, second_opinion=True
    )

    assert judge_fast(doubtful) == Escalate(
        (
            Reason.MIXED_DOCUMENTS,
            Reason.LOW_CONFIDENCE,
            Reason.QUOTE_NOT_FOUND,
            Reason.NARROW_MARGIN,
            Reason.POLICY_CATEGORY,
        )
    )
    assert judge_strong(doubtful) == Review(
        (Reason.MIXED_DOCUMENTS, Reason.LOW_CONFIDENCE, Reason.QUOTE_NOT_FOUND)
    )


@pytest.mark.parametrize("issue", ["unreadable", "truncated", "none_of_these"])
def test_what_no_stronger_reader_could_mend_goes_to_a_person_whatever_else_is_doubtful(issue):
    doubtful = Signals(issue=issue, confidence=1, margin=0, quotes_missing=3, second_opinion=True)

    assert judge_fast(doubtful) == judge_strong(doubtful) == Review((Reason(issue),))


@pytest.mark.parametrize("issue", ["none", "unreadable", "mixed_documents"])
def test_without_an_answer_nothing_but_its_defect_counts(issue):
    signals = Signals(defect=Reason.INVALID_ANSWER, issue=issue, confidence=99, margin=99, quotes_missing=3)

    assert judge_fast(signals) == Escalate((Reason.INVALID_ANSWER,))
    assert judge_strong(signals) == Review((Reason.INVALID_ANSWER,))


def test_the_numbers_are_the_operators():
    strict, lax = Thresholds(confidence=96, margin=91), Thresholds(confidence=0, margin=-100)

    assert judge_fast(CERTAIN, strict) == Escalate((Reason.LOW_CONFIDENCE, Reason.NARROW_MARGIN))
    assert judge_strong(CERTAIN, Thresholds(confidence=97)) == Review((Reason.LOW_CONFIDENCE,))
    assert judge_fast(Signals(), lax) == judge_strong(Signals(), lax) == Accept()


@pytest.mark.parametrize(
    ("signals", "verdict"),
    [
        (seen(confidence=1), Escalate((Reason.LOW_CONFIDENCE,))),
        (seen(margin=1), Review((Reason.NARROW_MARGIN,))),
        (seen(confidence=1, margin=1), Review((Reason.LOW_CONFIDENCE, Reason.NARROW_MARGIN))),
        (Signals(defect=Reason.REFUSED), Review((Reason.REFUSED,))),
    ],
    ids=["one of them", "another", "one of them and another", "a defect"],
)
def test_the_next_tier_is_asked_only_where_it_may_help_with_every_reason(signals, verdict):
    assert judge(signals, FAST_THRESHOLDS, {Reason.LOW_CONFIDENCE}) == verdict


@pytest.mark.parametrize(
    "signals", [seen(second_opinion=True), seen(margin=-100)], ids=["category", "margin"]
)
def test_a_category_and_a_margin_count_only_where_the_thresholds_say_so(signals):
    heedless = Thresholds(confidence=85)

    assert judge_fast(signals, heedless) == Accept()
    assert judge_fast(signals, replace(heedless, margin=15, heeds_category=True)) != Accept()


SIGNALS = st.builds(
    Signals,
    defect=st.none() | st.sampled_from([Reason.REFUSED, Reason.TRUNCATED_ANSWER, Reason.INVALID_ANSWER]),
    issue=st.sampled_from(["none", "unreadable", "truncated", "none_of_these", "mixed_documents"]),
    confidence=st.integers(0, 100),
    margin=st.integers(-100, 100),
    quotes_missing=st.none() | st.integers(0, 3),
    second_opinion=st.booleans(),
)


@given(SIGNALS)
def test_an_accepted_answer_has_no_defect_no_issue_and_every_quote(signals):
    for verdict in (judge_fast(signals), judge_strong(signals)):
        if isinstance(verdict, Accept):
            assert signals.defect is None
            assert signals.issue == "none"
            assert not signals.quotes_missing
        else:
            assert verdict.reasons


@given(SIGNALS)
def test_what_the_fast_model_may_decide_the_strong_one_may_too(signals):
    if judge_fast(signals) == Accept():
        assert judge_strong(signals) == Accept()
