"""The report page shows what the rows hold, and every value of a row only as text."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.report.entry import decimal
from infra.report.labels import STATUSES
from infra.report.page import duration, readable, render, usd
from pigeonhole.domain.error_codes import EXPLANATIONS, ErrorCode

INVOICE = {
    "schema": 1,
    "document": "s3://inbox/finance/invoice.pdf",
    "key": "finance/invoice.pdf",
    "team": "finance",
    "status": "done",
    "category": "invoice",
    "confidence": 0.93,
    "tier": "fast",
    "model": "claude-haiku-5-5",
    "title": "Invoice 4711",
    "summary": "A bill for lamps.",
    "language": "en",
    "keywords": ["lamps"],
    "evidence": ["Amount due 3,949.20"],
    "usage": {"claude-haiku-5-5": {"input_tokens": 2000, "output_tokens": 200}},
    "cost_usd": 0.0003,
}


class Page(HTMLParser):
    """A page as a browser parses it: its elements, their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += " " + data if data.strip() else ""

    @property
    def text(self) -> str:
        return " ".join(self.words.partition("reduced-motion")[2].split())


def page(*rows: Mapping[str, Any], engine: str = "api") -> Page:
    return Page(render(rows, engine=engine, seconds=12.34))


# The tags of our own template: any other would have come out of a row.
TAGS = {tag for tag, _ in page(INVOICE).elements} | {
    "blockquote",
    "p",
    "i",
    "h4",
    "section",
    "small",
    "details",
}
ATTRIBUTES = {
    "class",
    "id",
    "href",
    "title",
    "dir",
    "lang",
    "style",
    "aria-label",
    "aria-hidden",
    "name",
    "content",
}
SVG = {"viewbox", "fill", "stroke", "stroke-width", "fill-opacity", "x", "y", "width", "height", "rx", "d"}


def has_only_our_markup(seen: Page) -> bool:
    attributes = {name for _, attrs in seen.elements for name in attrs}
    links = {str(attrs.get("href", "#d")) for _, attrs in seen.elements}
    return (
        {tag for tag, _ in seen.elements} <= TAGS
        and attributes <= ATTRIBUTES | SVG | {"charset", "http-equiv"}
        and all(link.startswith("#d") for link in links)
    )


def test_a_document_is_shown_with_its_attributes() -> None:
    text = page(INVOICE).text
    for known in (
        "Invoice 4711",
        "finance/invoice.pdf",
        "A bill for lamps.",
        "Amount due 3,949.20",
        "93 %",
        "lamps",
    ):
        assert known in text


def test_the_headline_counts_documents_by_status() -> None:
    rows = [INVOICE, INVOICE | {"key": "b"}, INVOICE | {"key": "c", "status": "needs_review"}]
    assert "3 documents came in: 2 sorted, 1 for a person." in page(*rows).text


def test_a_confidence_without_a_category_is_not_shown() -> None:
    nowhere = INVOICE | {"status": "needs_review", "category": None, "confidence": 0.31}
    assert "31 %" not in page(nowhere).text


def test_a_file_without_an_outcome_is_shown_with_the_reason() -> None:
    html = render([INVOICE], engine="api", seconds=1, missing={"in/<b>.txt": "it is a link to nothing"})
    seen = Page(html)
    assert has_only_our_markup(seen)
    assert "in/<b>.txt it is a link to nothing" in seen.text


def test_unsettled_costs_are_shown_where_there_are_any() -> None:
    assert "nsettled" not in page(INVOICE).text
    text = page(INVOICE | {"unsettled_usd": 0.012}, INVOICE | {"key": "b", "unsettled_usd": 0.003}).text
    assert "unsettled: at most $0.012" in text
    assert "may have cost up to $0.015 more" in text


def test_an_empty_inbox_has_a_message() -> None:
    assert "Nothing came in." in page().text


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_is_shown_by_its_label(status: str) -> None:
    assert STATUSES[status] in page({"key": "a/b.pdf", "status": status}).text


def test_an_unknown_status_is_shown_as_it_is() -> None:
    assert "hibernating" in page({"key": "a/b.pdf", "status": "hibernating"}).text


def test_a_failed_document_is_shown_with_its_message_and_next_step() -> None:
    explanation = EXPLANATIONS[ErrorCode("encrypted")]
    error = {
        "code": "encrypted",
        "message": explanation.message,
        "next_step": explanation.next_step,
        "retryable": False,
    }
    text = page({"key": "a.pdf", "status": "failed", "error": error}).text
    section = "What failed No answer was possible. Each says why, and what to do."
    assert f"{section} a.pdf a.pdf {explanation.message}" in text
    assert explanation.next_step in text


def test_escalation_and_review_reasons_are_shown_as_sentences() -> None:
    hard = {"tier": "strong", "escalation_reasons": ["narrow_margin"], "review_reasons": ["mixed_documents"]}
    text = page(INVOICE | {"status": "needs_review"} | hard).text
    assert "Two categories were nearly as likely." in text
    assert "Several unrelated documents are in one file." in text


def test_an_error_code_among_the_reasons_is_shown_as_its_message() -> None:
    row = INVOICE | {"status": "needs_review", "review_reasons": ["upstream"]}
    assert EXPLANATIONS[ErrorCode("upstream")].message in page(row).text


@pytest.mark.parametrize(
    ("coverage", "words"),
    [
        ({"pages_total": 40, "pages_read": 12}, "12 of 40 pages read"),
        ({"chars_total": 9000, "chars_read": 4000, "chars_sent": 4000}, "4,000 of 9,000 characters read"),
        (
            {"chars_read": 4000, "chars_sent": 1000},
            "1,000 of 4,000 characters that were read went to the model",
        ),
        ({"parts_failed": 2}, "2 parts could not be read"),
        ({"truncated": True}, "only part of it was read"),
    ],
)
def test_the_parts_that_were_not_read_are_shown(coverage: dict[str, Any], words: str) -> None:
    assert f"Partly read: {words}." in page(INVOICE | {"coverage": coverage}).text


def test_a_document_that_was_read_completely_has_no_warning() -> None:
    whole = {"pages_total": 2, "pages_read": 2, "chars_total": 90, "chars_read": 90, "chars_sent": 90}
    assert (
        "Partly read"
        not in page(INVOICE | {"coverage": whole | {"truncated": False, "parts_failed": 0}}).text
    )


def test_costs_add_up_in_total_and_by_tier() -> None:
    strong = INVOICE | {"key": "b", "tier": "strong", "cost_usd": "0.0097"}
    text = page(INVOICE, INVOICE | {"key": "a"}, strong, {"key": "c", "status": "failed"}).text
    assert "$0.010 in all, $0.0034 on average for each of the 3 documents" in text
    assert "Fast model 2 $0.00060 $0.00030 Strong model 1 $0.0097 $0.0097 No model 1 $0 $0" in text


def test_tokens_add_up_by_model_and_kind() -> None:
    assert "claude-haiku-5-5 Input 4,000 Output 400" in page(INVOICE, INVOICE | {"key": "b"}).text


def test_the_offline_claude_is_called_a_keyword_classifier() -> None:
    assert "a keyword classifier, not the real model" in page(INVOICE, engine="offline").text
    assert "keyword classifier" not in page(INVOICE, engine="api").text


def test_a_row_may_lack_every_attribute() -> None:
    assert "1 document came in" in page({}).text


def test_the_page_forbids_scripts_and_loads_nothing() -> None:
    seen = page(INVOICE)
    policies = [
        str(attrs["content"]) for tag, attrs in seen.elements if tag == "meta" and "http-equiv" in attrs
    ]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"]
    assert has_only_our_markup(seen)


@pytest.mark.parametrize(
    "attribute", [*INVOICE, "escalation_reasons", "review_reasons", "error", "runner_up"]
)
@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' onmouseover='x",
        "</style><script>",
        "{{ 7*7 }}",
    ],
)
def test_markup_in_any_attribute_stays_text(attribute: str, hostile: str) -> None:
    old = INVOICE.get(attribute)
    value = [hostile] if isinstance(old, list) or attribute.endswith("reasons") else hostile
    odd = {
        "error": {"code": hostile, "message": hostile, "next_step": hostile},
        "usage": {hostile: {hostile: 1}},
    }
    seen = page(INVOICE | {"status": "failed"} | {attribute: odd.get(attribute, value)}, INVOICE)
    assert has_only_our_markup(seen)
    assert "49" not in seen.text.replace("3,949.20", "")


def test_marks_that_reverse_the_reading_direction_of_a_name_are_visible() -> None:
    text = page({"key": "a/invoice\u202efdp.exe", "status": "failed"}).text
    assert "invoice⟨U+202E⟩fdp.exe" in text
    assert "\u202e" not in text


@given(
    text=st.text(),
    key=st.text(min_size=1),
    number=st.one_of(st.floats(), st.text(), st.none(), st.integers()),
)
def test_any_row_gives_a_complete_page_without_foreign_markup(text: str, key: str, number: object) -> None:
    words = {"title": text, "summary": text, "language": text, "category": text, "team": text, "status": text}
    lists = {
        "keywords": [text],
        "evidence": [text],
        "review_reasons": [text],
        "usage": {text: {text: number}},
    }
    numbers = {
        "confidence": number,
        "cost_usd": number,
        "size_bytes": number,
        "coverage": {"chars_read": number},
    }
    rows: list[Mapping[str, Any]] = [
        INVOICE,
        {"key": key, **words, **lists, **numbers},
        {"key": key, "error": {"code": text}},
    ]
    html = render(rows, engine=text, seconds=1)
    html.encode("utf-8")
    assert has_only_our_markup(Page(html))
    assert html.rstrip().endswith("</html>")


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "$0"),
        ("0.000412", "$0.00041"),
        ("0.5", "$0.50"),
        ("1234.5", "$1,234.50"),
        ("NaN", "unknown"),
        ("x", "unknown"),
    ],
)
def test_small_amounts_keep_two_significant_digits(amount: str, shown: str) -> None:
    assert usd(decimal(amount)) == shown


def test_durations_and_slugs_are_readable() -> None:
    assert [duration(9.87), duration(131.4)] == ["9.9 s", "2 min 11 s"]
    assert readable("meeting_minutes") == "Meeting minutes"
