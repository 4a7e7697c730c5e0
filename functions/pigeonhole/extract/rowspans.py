"""Cells of an HTML table that reach over several rows: their words belong to each of these rows.

The words are put before a cell's own sign of a line or a tab, and `settled` brings both into order.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

MOST_CELLS = 500
MOST_ROWS = 200
LONGEST = 200
OPEN, SHUT = "\x1c", "\x1d"

_FILLED = re.compile(f"((?:{OPEN}[^{OPEN}{SHUT}]*+{SHUT})++)([\x1e\x1f])")


def fill(page: LexborHTMLParser) -> None:
    """Put the words of each such cell into the rows below: the last first, so that their order stays."""
    for cell in reversed(page.css("td[rowspan],th[rowspan]")[:MOST_CELLS]):
        words = " ".join(cell.text().translate(_SIGNS).split())
        if words and len(words) <= LONGEST:
            _spread(cell, words)


def settled(text: str) -> str:
    """The text with such words after the sign that begins their cell."""
    if OPEN not in text:
        return text
    text = _FILLED.sub(lambda filled: filled.group(2) + filled.group(1).replace(SHUT, "\x1f"), text)
    return text.replace(OPEN, "").replace(SHUT, " ")


_SIGNS = dict.fromkeys(map(ord, f"{OPEN}{SHUT}\x1e\x1f"), " ")


def _spread(cell: LexborNode, words: str) -> None:
    place, row = _place(cell), cell.parent
    for _ in range(min(_rows(cell), MOST_ROWS) - 1):
        row = _next(row, "tr")
        cells = [node for node in row.iter() if node.tag in ("td", "th")] if row else []
        if not cells:
            return
        if place >= len(cells):
            cells[-1].insert_child(f"\x1f{words}")
        elif first := cells[place].child:
            first.insert_before(f"{OPEN}{words}{SHUT}")


def _place(cell: LexborNode) -> int:
    """How many cells of its own each row below has to the left of this one."""
    count, before = 0, cell.prev
    while before is not None:
        count += before.tag in ("td", "th") and _rows(before) == 1
        before = before.prev
    return count


def _rows(cell: LexborNode) -> int:
    stated = cell.attributes.get("rowspan") or ""
    return int(stated[:4]) if stated.isascii() and stated.isdigit() else 1


def _next(node: LexborNode | None, tag: str) -> LexborNode | None:
    node = node.next if node else None
    while node is not None and node.tag != tag:
        node = node.next
    return node
