"""The README stays short, and what it points to is there."""

from __future__ import annotations

import re

from infra.dev.bootstrap import ROOT
from infra.dev.command_reference import command_lines

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


def test_each_link_leads_to_a_file_and_each_anchor_to_a_heading():
    links = [link.partition("#") for link in re.findall(r"\]\(((?!https?:)[^)]+)\)", text())]
    assert len(links) > 20
    assert [path for path, _, _ in links if not (ROOT / path).is_file()] == []
    assert [f"{path}#{anchor}" for path, _, anchor in links if anchor not in {"", *anchors(path)}] == []


def test_each_command_that_is_named_exists():
    commands = {name.strip("*`") for name, *_ in command_lines() if name.startswith("**")}
    named = re.findall(r"infra/pigeonhole ((?:local )?[a-z-]+)", text())
    assert len(named) > 10
    assert set(named) <= commands


def anchors(path: str) -> set[str]:
    """Those that GitHub makes of a file's headings, for headings of letters and spaces."""
    headings = re.findall(r"^#+ (.+)$", (ROOT / path).read_text("utf-8"), re.MULTILINE)
    return {heading.lower().replace(" ", "-") for heading in headings}
