"""Tables and code spans in Markdown, for the generated references."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Line = Sequence[str]


def table(columns: Line, lines: Iterable[Line]) -> str:
    """A table; line breaks in a cell become spaces, and bars are escaped."""
    cells = (
        [" ".join(cell.split()).replace("|", "\\|") for cell in line]
        for line in (columns, ["---"] * len(columns), *lines)
    )
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def code(value: object) -> str:
    """The value as a code span; an empty one stays empty."""
    return f"`{value}`" if str(value) else ""
