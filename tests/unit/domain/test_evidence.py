"""Which quotes are found: verbatim but for spacing, case and typography; and which are not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pigeonhole.domain.evidence import missing


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("Amount due: 12", "…\nAmount due: 12\n…"),
        ("AMOUNT DUE", "Amount due"),
        ("amount  due:\t12", "Amount\ndue: 12"),
        ("Amount due 12.00", "| Amount due | 12.00 |"),
        ("Amount due 12.00", "Amount\u00a0due\u200912.00"),
        ("it's \"final\"", "it\u2019s \u201cfinal\u201d"),
        ("\u2018quoted\u2019", "'quoted'"),
        ('"Betreff"', "\u201eBetreff\u201c"),
        ('"Objet"', "\u00abObjet\u00bb"),
        ("2025-2026", "2025\u20132026"),
        ("well-known", "well\u2011known"),
        ("a - b", "a \u2014 b"),
        ("-12.00", "\u221212.00"),
        ("remuneration", "remu\u00adneration"),
        ("office", "o\ufb03ce"),
        ("and so on...", "and so on\u2026"),
        ("Stra\u00dfe", "STRASSE"),
        ("r\u00e9siliation", "re\u0301siliation"),
        ("\u8acb\u6c42\u66f8", "\u8acb \u6c42 \u66f8"),
        ("\u91d1\u984d 1,200\u5186", "\u91d1\u984d\u3000\uff11\uff0c\uff12\uff10\uff10\u5186"),
        ("ｶﾌﾞ", "\u30ab\u30d6"),
        ("\u05d7\u05e9\u05d1\u05d5\u05e0", "\u200f\u05d7\u05e9\u05d1\u200f\u05d5\u05e0"),
        ("\u0633\u0644\u0627\u0645", "\u202b\ufeb3\u200c\ufefc\ufee1\u202c"),
        ("a<b>c", "a\u2039b\u203ac"),
        ("zero width", "zero\u200b wi\u200ddth\ufeff"),
    ],
    ids=[
        "as it is", "case", "spacing", "table cells", "odd spaces", "curly quotes", "curly in the quote",
        "German quotes", "French quotes", "en dash", "hard hyphen", "em dash", "minus", "soft hyphen",
        "ligature", "ellipsis", "sharp s", "combining accent", "Japanese broken up", "full-width digits",
        "half-width kana", "Hebrew with marks", "Arabic forms with marks", "brackets made inert",
        "zero width",
    ],
)  # fmt: skip
def test_a_quote_that_stands_in_the_text_is_found(quote, text):
    assert missing([quote], text) == 0


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("Amount due: 13", "Amount due: 12"),
        ("Amount due", "Due amount"),
        ("Amount due … 12", "Amount due by Friday: 12"),
        ("12", ""),
        ("resume", "r\u00e9sum\u00e9"),
        ("1200", "1.200"),
        ("\u8acb\u6c42\u66f8", "\u8acb\u6c42"),
        ("\u05d0\u05d1", "\u05d1\u05d0"),
    ],
    ids=[
        "another figure",
        "another order",
        "left out",
        "no text",
        "accents",
        "punctuation",
        "Japanese",
        "Hebrew",
    ],
)
def test_a_quote_that_does_not_stand_in_the_text_is_missing(quote, text):
    assert missing([quote], text) == 1


def test_each_missing_quote_counts():
    assert missing(["here", "nowhere", "not here"], "it is here") == 2
    assert missing([], "") == 0


@given(st.text(), st.text(min_size=1), st.text())
def test_what_is_cut_out_of_a_composed_text_between_words_is_found(before, quote, after):
    text = f"{before}\n{quote}\n{after}"

    assert missing([quote], text) == 0


@given(st.text())
def test_the_same_text_in_another_normal_form_is_found(text):
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert missing([unicodedata.normalize(form, text)], text) == 0


@given(st.lists(st.text()), st.text())
def test_no_more_quotes_are_missing_than_there_are(quotes, text):
    assert 0 <= missing(quotes, text) <= len(quotes)
