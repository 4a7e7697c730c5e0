"""The README stays short, and what it points to is there."""

from __future__ import annotations

import re

from infra.dev.bootstrap import ROOT

README = ROOT / "README.md"
# As `wc -w` counts. What does not fit in belongs to the documents that the README links to.
MAX_WORDS = 2_500


def text() -> str:
    return README.read_text("utf-8")


def test_the_readme_has_at_most_2500_words():
    assert len(text().split()) <= MAX_WORDS


def test_each_promise_links_to_a_test_that_there_is():
    rows = re.search(r"\| promise \| shown by \|\n\|[-|]+\|\n((?:\|.*\n)+)", text())
    assert rows is not None
    shown_by = [row.split("|")[2] for row in rows[1].splitlines()]
    tests = [path for cell in shown_by for path in re.findall(r"\]\(([^)]+)\)", cell)]
    assert all("](" in cell or "the same" in cell for cell in shown_by)
    assert [path for path in tests if not re.fullmatch(r"tests/\S+/test_\w+\.py", path)] == []
    assert [path for path in tests if not (ROOT / path).is_file()] == []
