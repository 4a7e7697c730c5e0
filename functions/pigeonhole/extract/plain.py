"""Whatever is text already: decoded, and handed on in pieces."""

from __future__ import annotations

from collections.abc import Iterator

from pigeonhole.extract.decode import decode
from pigeonhole.extract.parts import Part, Source


def read(source: Source) -> Iterator[Part]:
    """The text as it stands."""
    yield decode(source.data)
