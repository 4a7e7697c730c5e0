"""Names and texts of documents cannot control the terminal or break a table."""

import json
from typing import Any

import pytest
from rich.console import Console

from infra.cli.console import json_line, sanitize
from infra.cli.table import documents_table

HOSTILE = "\x1b[31m\x9b2J\u202egnp.exe\x07 [bold]not bold[/bold] \ud800"


def rendered(row: dict[str, Any]) -> str:
    console = Console(width=200, force_terminal=False)
    with console.capture() as captured:
        console.print(documents_table([row]))
    return captured.get()


def test_control_characters_and_markup_of_a_row_are_shown_as_text():
    table = rendered({"status": "done", "key": HOSTILE, "category": "invoice", "summary": f"a\nb {HOSTILE}"})
    assert not set("\x1b\x9b\u202e\x07") & set(table)
    assert "[bold]not bold[/bold]" in table


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (
            {
                "status": "failed",
                "key": "k",
                "error": {"message": "It is locked.", "next_step": "Unlock it."},
            },
            "It is locked. Unlock it.",
        ),
        ({"status": "needs_review", "key": "k", "review_reasons": ["unreadable"]}, "For review (unreadable)"),
        ({"status": "done", "key": "k", "category": "letter", "confidence": 0.9, "tier": "fast"}, "letter"),
        (
            {"status": "done", "key": "k", "cost_usd": 0.0004, "unsettled_usd": 0.01},
            "0.0004 + at most 0.0100",
        ),
    ],
    ids=["failed", "for-review", "done", "unsettled"],
)
def test_the_table_shows_the_outcome_of_a_document_and_the_reason(row: dict[str, Any], text: str):
    assert text in rendered(row)


def test_tabs_and_line_breaks_of_a_text_stay():
    assert sanitize("a\n\tb\x00c") == "a\n\tb c"


def test_a_name_that_is_not_utf8_is_still_valid_json():
    assert json.loads(json_line({"path": "bad\udcff", "é": "😀"})) == {"path": "bad\udcff", "é": "😀"}
