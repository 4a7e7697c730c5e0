"""Plain text, Markdown, CSV, JSON and XML: decoded, and otherwise as they stand."""

from __future__ import annotations

from collections.abc import Iterator

from pigeonhole.extract.decode import decode
from pigeonhole.extract.interface import NotRead, Segment, Source

BYTES_PER_CHAR = 4  # at most, in any encoding


def read(source: Source) -> Iterator[Segment]:
    """The text, decoded only as far as `limits.chars` may reach."""
    size = (source.limits.chars + 1) * BYTES_PER_CHAR
    yield decode(source.data[:size])
    if len(source.data) > size:
        yield NotRead(name="the rest", reason="chars", parts=0)
