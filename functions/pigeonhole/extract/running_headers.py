"""Running headers, footers and page numbers: kept on the first two pages that have them, then left out.

A page of a few lines keeps them all: there nothing tells a header from what it heads.
"""

from __future__ import annotations

import re
from collections import Counter

EDGE_LINES = 2  # at the top of a page, and at its foot
KEPT = 2

_NUMBER = re.compile(r"(?<![\d.,])\d{1,5}(?![\d.,]*\d)")


class RunningHeaders:
    """Counts the lines at the edges of the pages so far."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, int]] = Counter()

    def remove_from(self, text: str, page: int) -> str:
        """The text of page number `page` without the edge lines that two earlier pages had.

        Lines count as the same that differ by their page numbers alone.
        """
        lines = text.split("\n")
        filled = [at for at, line in enumerate(lines) if line.strip()]
        if len(filled) <= 2 * EDGE_LINES:
            return text
        edges = dict.fromkeys([*filled[:EDGE_LINES], *filled[-EDGE_LINES:]])
        outermost = (filled[0], filled[-1])
        repeated = {at for at in edges if self._repeats(lines[at], page, at in outermost)}
        return "\n".join(line for at, line in enumerate(lines) if at not in repeated) if repeated else text

    def _repeats(self, line: str, page: int, outermost: bool) -> bool:
        keys = _keys(" ".join(line.split()), page, outermost)
        repeats = any(self._counts[key] >= KEPT for key in keys)
        self._counts.update(keys)
        return repeats


def _keys(line: str, page: int, outermost: bool) -> set[tuple[str, int]]:
    """What a line is known by: itself, and an outermost one also with its first or last number left out.

    With such a number goes its distance from the page's: a page number keeps it, an amount does not.
    """
    keys = {(line, 0)}
    numbers = list(_NUMBER.finditer(line))
    for found in {numbers[0], numbers[-1]} if numbers and outermost else ():
        keys.add((f"{line[: found.start()]}\0{line[found.end() :]}", int(found.group()) - page))
    return keys
