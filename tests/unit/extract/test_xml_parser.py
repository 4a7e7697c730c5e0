"""Text out of XML inside packages, in passages."""

from __future__ import annotations

from tests.documents.vectors import packages


def test_passages_end_at_line_ends(read):
    lines = [" ".join(f"word{at}end" for at in range(line, line + 30)) for line in range(2_000)]
    body = "".join(f"<text:p>{line}</text:p>" for line in lines)
    document = read(packages.opendocument("text", f"<office:text>{body}</office:text>", "t"))
    assert len(document.body) > 2
    assert [line for line in document.text.split("\n") if line] == lines


def test_text_before_broken_xml_is_read(read):
    body = f"<office:text>{'<text:p>A line of some words.</text:p>' * 20}<text:p><</office:text>"
    text = read(packages.opendocument("text", body, "t"))
    assert text.text.splitlines() == [*["A line of some words."] * 20, "", "[not read: the rest: corrupt]"]
    assert (text.coverage.cut, text.coverage.parts_failed) == (("corrupt",), 1)
