"""URLs that say where something is stay; tracking and redirects do not."""

from __future__ import annotations

import time

import pytest

from pigeonhole.extract import office
from pigeonhole.extract.urls import shorten_urls

TOKEN = "AbCdEfGh1234IjKlMnOp5678QrStUvWx90YzAbCdEfGh1234IjKl"


CYRILLIC = "https://ru.example/wiki/%D0%9B%D0%B5%D1%81%D0%BE%D0%BF%D0%B8%D0%BB%D1%8C%D0%BD%D1%8F_%D0%B8_%D0%B4%D0%BE%D0%BC"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://a.example/x?utm_source=n&id=4711&utm_medium=m.", "https://a.example/x?id=4711."),
        ("(https://a.example/?fbclid=b&gclid=c)", "(https://a.example/)"),
        ("http://a.example/?a=1&amp;mc_eid=2#end", "http://a.example/?a=1#end"),
        (f"https://click.example/ls/click?upn={TOKEN}", "https://click.example/ls/click"),
        (f"https://click.example/f/{TOKEN}/Order.pdf", "https://click.example/f/…/Order.pdf"),
        (
            "<https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fa.example%2Fb%3Fid%3D5%26utm_id%3D1&data=05>",
            "<https://a.example/b?id=5>",
        ),
        ("https://www.google.com/url?sa=D&q=https://a.example/b&ust=1", "https://a.example/b"),
        ("https://urldefense.com/v3/__https://a.example/b__;!!Abc!def$", "https://a.example/b"),
        ("https://a.example/?utm_source=xをご覧ください", "https://a.example/をご覧ください"),
    ],
)  # fmt: skip
def test_tracking_and_redirects_are_removed_from_urls(given, kept):
    assert shorten_urls(f"see {given} there") == f"see {kept} there"


@pytest.mark.parametrize(
    "address",
    [
        "https://a.example/x?id=4711&page=2#terms",
        "https://a.example/how-to-move-the-office-to-another-city-in-a-week-2031-11-25",
        "https://a.example/Annual_Report_2031_For_The_Nordholm_Sawmill_And_Its_Owners.pdf",
        "https://a.example/OIG%20EVALUATION%20REPORT_Evaluation%20of%2018F_%20JE17-001_October%2024%202016.pdf",
        "https://a.example/commit/0123456789abcdef0123456789abcdef01234567",
        "https://a.example/?package=3&pkg=4",
        "https://www.google.com/search?q=https+errors",
        CYRILLIC,
    ],
)
def test_a_url_that_a_person_would_give_is_unchanged(address):
    assert shorten_urls(f"see {address}, please") == f"see {address}, please"


@pytest.mark.parametrize(
    "hostile",
    [
        "https://" * 100_000,
        "https://a.example/?" + "a=1&" * 200_000,
        "https://a.example/" + "Ab1/" * 200_000,
        "https://x.safelinks.protection.outlook.com/?" + "&url" * 200_000,
        "[a" * 300_000,
        "[x](q" * 200_000,
        "[x](http:q" + "(a)" * 200_000,
        "[x](http:" + "a" * 800_000,
    ],
    ids=lambda text: text[:30],
)
def test_no_url_takes_more_than_linear_time(hostile):
    start = time.process_time()
    office._unescaped(shorten_urls(hostile))
    assert time.process_time() - start < 3
