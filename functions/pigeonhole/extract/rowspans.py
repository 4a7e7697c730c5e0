"""Cells of an HTML table that reach over several rows (rowspan): their text belongs to each of these rows.

`fill` puts the text into the parsed page, before the control character that begins a cell there; only in
the text of the page can `move_into_cells` bring the two into order.
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
    """Repeat each such cell in the rows below it: the last cell first, so that their order stays."""
    for cell in reversed(page.css("td[rowspan],th[rowspan]")[:MOST_CELLS]):
        words = " ".join(cell.text().translate(_NO_SIGNS).split())
        if words and len(words) <= LONGEST:
            _repeat_below(cell, words)


def move_into_cells(text: str) -> str:
    """The page's text with what `fill` repeated behind the control character that begins its cell."""
    if OPEN not in text:
        return text
    text = _FILLED.sub(lambda filled: filled.group(2) + filled.group(1).replace(SHUT, "\x1f"), text)
    return text.replace(OPEN, "").replace(SHUT, " ")


_NO_SIGNS = dict.fromkeys(map(ord, f"{OPEN}{SHUT}\x1e\x1f"), " ")


def _repeat_below(cell: LexborNode, words: str) -> None:
    column, row = _column(cell), cell.parent
    for _ in range(min(_rowspan(cell), MOST_ROWS) - 1):
        row = _next_sibling(row, "tr")
        cells = [node for node in row.iter() if node.tag in ("td", "th")] if row else []
        if not cells:
            return
        if column >= len(cells):
            cells[-1].insert_child(f"\x1f{words}")
        elif first := cells[column].child:
            first.insert_before(f"{OPEN}{words}{SHUT}")


def _column(cell: LexborNode) -> int:
    """How many cells each row below has of its own to the left of this one."""
    count, before = 0, cell.prev
    while before is not None:
        count += before.tag in ("td", "th") and _rowspan(before) == 1
        before = before.prev
    return count


def _rowspan(cell: LexborNode) -> int:
    stated = cell.attributes.get("rowspan") or ""
    return int(stated[:4]) if stated.isascii() and stated.isdigit() else 1


def _next_sibling(node: LexborNode | None, tag: str) -> LexborNode | None:
    node = node.next if node else None
    while node is not None and node.tag != tag:
        node = node.next
    return node
