"""What strangers wrote cannot steer the terminal, and nobody's table breaks over it."""

import json
from typing import Any

import pytest
from rich.console import Console

from infra.cli.console import json_line, sanitize
from infra.cli.table import documents_table

HOSTILE = "\x1b[31m\x9b2J\u202egnp.exe\x07 [bold]not bold[/bold] \ud800"


def shown(row: dict[str, Any]) -> str:
    console = Console(width=200, force_terminal=False)
    with console.capture() as captured:
        console.print(documents_table([row]))
    return captured.get()


def test_hostile_names_and_summaries_are_shown_without_their_power():
    table = shown({"status": "done", "key": HOSTILE, "category": "invoice", "summary": f"a\nb {HOSTILE}"})
    assert not set("\x1b\x9b\u202e\x07") & set(table)
    assert "[bold]not bold[/bold]" in table


@pytest.mark.parametrize(
    ("row", "words"),
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
def test_the_table_says_what_became_of_a_document_and_why(row: dict[str, Any], words: str):
    assert words in shown(row)


def test_line_breaks_stay_where_a_text_is_shown_whole():
    assert sanitize("a\n\tb\x00c") == "a\n\tb c"


def test_a_name_that_is_no_text_still_makes_a_line_of_json():
    assert json.loads(json_line({"path": "bad\udcff", "é": "😀"})) == {"path": "bad\udcff", "é": "😀"}
