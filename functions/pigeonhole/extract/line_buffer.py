"""Text that is read piece by piece, passed on in passages of whole lines."""

from __future__ import annotations

from collections.abc import Iterator


class LineBuffer:
    """Text that arrives in pieces and leaves in passages of whole lines.

    The first passage is short, so that something is sent before a document breaks its worker. Sizes are
    characters.
    """

    # A passage doubles up to the usual size; a line that is longer than the longest is broken.
    FIRST, USUAL, LONGEST = 400, 51_200, 819_200

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0
        self._passage_chars = self.FIRST

    def add(self, piece: str) -> None:
        """Add text; a line ends only at the end of a piece."""
        self._pieces.append(piece)
        self._size += len(piece)

    def remove_line_end(self) -> None:
        """Remove a line end that turned out to be the last of its cell."""
        if self._pieces and self._pieces[-1] == "\n":
            self._pieces.pop()

    def take_passage(self) -> Iterator[str]:
        """The lines that have ended, once they are enough for a passage; else nothing."""
        if self._size < self._passage_chars:
            return
        ends = (at for at in range(len(self._pieces) - 1, 0, -1) if self._pieces[at - 1].endswith("\n"))
        if at := next(ends, 0):
            yield "".join(self._pieces[:at])
            self._pieces = self._pieces[at:]
            self._size = sum(map(len, self._pieces))
            self._passage_chars = min(self._passage_chars * 2, self.USUAL)
        elif self._passage_chars < self.LONGEST:
            self._passage_chars *= 2
        else:
            yield from self.take_rest()

    def take_rest(self) -> Iterator[str]:
        """All that is left, whole lines or not."""
        if self._pieces:
            yield "".join(self._pieces)
        self._pieces, self._size = [], 0
