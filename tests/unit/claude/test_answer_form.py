"""How a reply becomes an answer within bounds, or is said to hold none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pigeonhole.claude.answer_form import UnusableReplyError, interpret
from pigeonhole.domain.document import Analysis, Reply
from tests.support.builders import TAXONOMY, answer, reply

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


def read(given: Reply) -> Analysis:
    """The answer, checked for its bounds."""
    said = interpret(given, TAXONOMY)
    assert said.category in TAXONOMY.slugs
    assert said.runner_up is None or said.runner_up in TAXONOMY.slugs
    assert said.runner_up != said.category
    assert 0 <= said.confidence <= 100
    assert 0 <= said.runner_up_confidence <= 100
    assert len(said.title) <= 200
    assert len(said.summary) <= 1500
    assert len(said.language) <= 20
    assert len(said.keywords) <= 10
    assert all(len(word) <= 50 for word in said.keywords)
    assert len(said.evidence) <= 3
    assert all(len(quote) <= 300 for quote in said.evidence)
    json.dumps([said.title, said.summary, *said.keywords, *said.evidence], ensure_ascii=False).encode()
    return said


def defect(given: Reply) -> str:
    with pytest.raises(UnusableReplyError) as exc_info:
        interpret(given, TAXONOMY)
    return exc_info.value.defect


def read_or_invalid(given: Reply) -> None:
    try:
        read(given)
    except UnusableReplyError:
        assert defect(given) == "invalid_answer"


def test_a_plain_answer_is_taken_as_it_is():
    assert read(reply()) == Analysis(
        category="invoice",
        confidence=95,
        runner_up="letter",
        runner_up_confidence=5,
        title="Invoice 7",
        summary="It asks for 12.",
        language="en",
        keywords=("invoice",),
        evidence=("Amount due: 12",),
        issue="none",
    )


def test_capitals_do_not_count_in_a_category():
    said = read(reply(category="INVOICE", runner_up="Letter"))

    assert (said.category, said.runner_up) == ("invoice", "letter")


@pytest.mark.parametrize("runner_up", ["none", "None", "NONE", "memo", "", "invoice", "Invoice"])
def test_a_runner_up_that_is_no_other_category_is_none_and_has_no_share(runner_up):
    said = read(reply(runner_up=runner_up, runner_up_confidence=94))

    assert (said.runner_up, said.runner_up_confidence) == (None, 0)


@pytest.mark.parametrize(
    ("stated", "taken"),
    [(-1, 0), (0, 0), (100, 100), (101, 100), (10**30, 100), ("95", 95), (95.0, 95)],
    ids=str,
)
def test_a_confidence_is_brought_within_its_scale(stated, taken):
    assert read(reply(confidence=stated)).confidence == taken
    assert read(reply(runner_up_confidence=stated)).runner_up_confidence == taken


def test_what_is_too_long_is_cut():
    said = read(
        reply(
            title="t" * 201,
            summary="s" * 1501,
            language="l" * 21,
            keywords=["k" * 51] * 11,
            evidence=["e" * 301, "2", "3", "4"],
        )
    )

    assert (said.title, said.summary, said.language) == ("t" * 200, "s" * 1500, "l" * 20)
    assert said.keywords == ("k" * 50,) * 10
    assert said.evidence == ("e" * 300, "2", "3")


def test_a_text_of_rare_characters_is_cut_by_its_bytes():
    said = read(reply(summary="\U00010900" * 1500, title="\u8acb" * 200))

    assert said.summary == "\U00010900" * 1125
    assert said.title == "\u8acb" * 200


def test_blank_words_and_quotes_are_left_out():
    said = read(reply(keywords=["", " ", "due"], evidence=["", "\n", "Amount due: 12"]))

    assert said.keywords == ("due",)
    assert said.evidence == ("Amount due: 12",)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (reply("refusal"), "refused"),
        (reply("refusal", text=""), "refused"),
        (reply("max_tokens"), "truncated_answer"),
        (reply("max_tokens", text='{"evidence": ["Am'), "truncated_answer"),
        (reply("model_context_window_exceeded"), "truncated_answer"),
        (reply(text=""), "invalid_answer"),
        (reply(text="I cannot say."), "invalid_answer"),
        (reply(text='{"evidence": ["Am'), "invalid_answer"),
        (reply(text=json.dumps(answer()) + "Anything else?"), "invalid_answer"),
        (reply(text="[" * 100_000), "invalid_answer"),
        (reply(text='{"title": "\ud800"}'), "invalid_answer"),
        (reply(title="\ud800"), "invalid_answer"),
        (reply(text="[]"), "invalid_answer"),
        (reply(text="{}"), "invalid_answer"),
        (reply(category="memo"), "invalid_answer"),
        (reply(category="none"), "invalid_answer"),
        (reply(category=" invoice"), "invalid_answer"),
        (reply(category=None), "invalid_answer"),
        (reply(confidence="high"), "invalid_answer"),
        (reply(confidence=0.95), "invalid_answer"),
        (reply(confidence=float("nan")), "invalid_answer"),
        (reply(issue="boring"), "invalid_answer"),
        (reply(keywords="invoice"), "invalid_answer"),
        (reply(evidence=[{"quote": "Amount"}]), "invalid_answer"),
    ],
    ids=[
        "refusal", "empty refusal", "cut though whole", "cut", "window exceeded", "empty", "prose",
        "half JSON", "JSON and prose", "endless list", "half a character", "half a character escaped",
        "a list", "nothing filled in", "unknown category",
        "no category", "category with a space", "null", "confidence in words", "a share for percents", "NaN",
        "unknown issue", "text for a list", "object for a text",
    ],
)  # fmt: skip
def test_a_reply_without_an_answer_says_what_is_wrong_with_it(given, why):
    assert defect(given) == why


def test_what_the_form_does_not_ask_for_is_ignored():
    assert read(reply(reasoning="It says so.")) == read(reply())


@given(
    st.text() | JSON.map(json.dumps), st.sampled_from(["end_turn", "stop_sequence", "unknown", "tool_use"])
)
def test_any_reply_at_all_is_an_answer_within_bounds_or_unusable(text, stop_reason):
    read_or_invalid(reply(stop_reason, text))


@given(st.dictionaries(st.sampled_from(sorted(answer())), JSON))
def test_anything_in_any_field_is_an_answer_within_bounds_or_unusable(changes):
    read_or_invalid(reply(**changes))


LONG = st.text(max_size=2000)


@given(LONG, LONG, LONG, st.lists(LONG), st.lists(LONG), st.integers(), st.integers())
def test_a_filled_in_form_is_an_answer_however_much_stands_in_it(
    title, summary, language, keywords, evidence, confidence, runner_up_confidence
):
    said = read(
        reply(
            title=title,
            summary=summary,
            language=language,
            keywords=keywords,
            evidence=evidence,
            confidence=confidence,
            runner_up_confidence=runner_up_confidence,
        )
    )
    assert title.startswith(said.title)
    assert summary.startswith(said.summary)
