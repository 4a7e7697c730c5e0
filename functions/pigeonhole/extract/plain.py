"""Whatever is text already: decoded."""

from __future__ import annotations

from collections.abc import Iterator

from pigeonhole.extract.decode import decode
from pigeonhole.extract.parts import Facts, Part, Source

LONGEST_CHAR = 4


def read(source: Source) -> Iterator[Part]:
    """The text as it stands, and no more bytes of it than the characters that there is room for may take."""
    most = (source.limits.chars + 1) * LONGEST_CHAR
    yield decode(source.data[:most])
    if len(source.data) > most:
        yield Facts(cut="chars")
