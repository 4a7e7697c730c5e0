"""Running headers, footers and page numbers: kept where they first stand, left out once they repeat.

A page of a few lines keeps them all: there nothing tells a header from what it heads.
"""

from __future__ import annotations

import re
from collections import Counter

EDGE_LINES = 2
KEPT = 2

_NUMBER = re.compile(r"(?<![\d.,])\d{1,5}(?![\d.,]*\d)")


class Furniture:
    """Remembers what stood at the edges of the pages so far."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, int]] = Counter()

    def without(self, text: str, page: int) -> str:
        """The page's text less the edge lines that earlier pages had, whatever their page numbers."""
        lines = text.split("\n")
        filled = [at for at, line in enumerate(lines) if line.strip()]
        if len(filled) <= 2 * EDGE_LINES:
            return text
        edges = dict.fromkeys([*filled[:EDGE_LINES], *filled[-EDGE_LINES:]])
        outermost = (filled[0], filled[-1])
        gone = {at for at in edges if self._repeats(lines[at], page, at in outermost)}
        return "\n".join(line for at, line in enumerate(lines) if at not in gone) if gone else text

    def _repeats(self, line: str, page: int, outermost: bool) -> bool:
        signs = _signs(" ".join(line.split()), page, outermost)
        repeats = any(self._seen[sign] >= KEPT for sign in signs)
        self._seen.update(signs)
        return repeats


def _signs(line: str, page: int, outermost: bool) -> set[tuple[str, int]]:
    """The line itself; an outermost one also with its first and last numbers as distances from the page's."""
    signs = {(line, 0)}
    numbers = list(_NUMBER.finditer(line))
    for found in {numbers[0], numbers[-1]} if numbers and outermost else ():
        signs.add((f"{line[: found.start()]}\0{line[found.end() :]}", int(found.group()) - page))
    return signs
