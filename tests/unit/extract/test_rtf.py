"""RTF: what a word processor shows, and what a document states of itself."""

from __future__ import annotations

import pytest

from pigeonhole.extract import rtf


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        (rb"{\rtf1 a{\*\unknown hidden}b}", "ab"),
        (rb"{\rtf1\uc2 \u8364??x}", "€x"),
        (rb"{\rtf1 a\v hidden\v0 b}", "ab"),
        (rb"{\rtf1 \u-10179?\u-8704?}", "\U0001f600"),
        (rb"{\rtf1 word{\footnote said below}}", "word said below"),
        (rb"{\rtf1 {\field{\*\fldinst HYPERLINK x}{\fldrslt link}}}", "link"),
        (rb"{\rtf1 a\bin4 }{}\b}", "ab"),
        (rb"{\rtf1\ansicpg932 \'82\'a0}", "あ"),
        (rb"{\rtf1 \{a\}\\\~b}", "{a}\\\u00a0b"),
        (rb"{\rtf1\trowd a\cell b\cell\row}", "a\tb\t\n"),
        (rb"{\rtf1\trowd {a\par}\cell {b\par}\cell\row}", "a\tb\t\n"),
        (rb"}}}{\rtf1 a", "a"),
        (rb"{\rtf1{\info{\title T}{\subject S}}{\*\pnseclvl1{\pntxta .}}a}", "a"),
        (rb"{\rtf1{\*\htmltag <br>}a\htmlrtf\par\htmlrtf0 b}", "a\nb"),
    ],
)
def test_the_text_of_rtf_is_what_a_word_processor_shows(markup, text):
    assert "".join(rtf.RtfParser(markup).passages()).removeprefix(" ") == text


def test_rtf_that_breaks_off_is_read_and_marked_as_cut(read):
    text = read(rb"{\rtf1 The first half of it {\b and")
    assert text.text == "The first half of it and\n\n[not read: the rest: corrupt]"
    assert (text.coverage.cut, text.coverage.parts_failed) == (("corrupt",), 1)


def test_an_annotation_is_set_apart_from_the_word_before_it(read):
    noted = rb"{\rtf1 The price{\*\annotation \pard\plain Ask Ada} holds.}"
    assert read(noted, "a.rtf").text == "The price Ask Ada holds."


def test_rtf_states_its_dates_and_its_page_count(read):
    written = rb"{\creatim\yr2011\mo8\dy29\hr5\min20}{\revtim\yr2011\mo13\dy1}"
    text = read(rb"{\rtf1{\info{\title Plan}{\author Ada}%s{\nofpages2}}x}" % written, "a.rtf")
    assert (text.title, text.author, text.text) == ("Plan", "Ada", "x")
    assert (text.created, text.modified) == ("2011-08-29T05:20:00", None)
    assert text.coverage.pages_total == 2
