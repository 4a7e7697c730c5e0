"""The outline of a PowerPoint file of before 2007: it has text that office_oxide skips on some slides."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Any

_RECORD = struct.Struct("<HHI")
_DOCUMENT, _OUTLINE, _SLIDE, _CHARS, _BYTES = 0x03E8, 0x0FF0, 0x03F3, 0x0FA0, 0x0FA8
_SLIDE_OUTLINE = 0x000F  # the instance of a slide list; masters and notes have others
_LINES = re.compile("[\r\n\x0b]+")
_SECTION = re.compile(r"^(?=## Slide \d+$)", re.MULTILINE)
_NO_LETTERS = re.compile(r"[\W_]+")


def with_outline(data: bytes, markdown: str) -> str:
    """office_oxide's text with the lines that only the outline has, each at the end of its slide."""
    known = _NO_LETTERS.sub("", markdown)
    missing = [
        [line for line in lines if (words := _NO_LETTERS.sub("", line)) and words not in known]
        for lines in _outline(data)
    ]
    if not any(missing):
        return markdown
    before, *sections = _SECTION.split(markdown)
    if len(sections) != len(missing):
        before, sections, missing = "", [markdown], [[line for lines in missing for line in lines]]
    sections_with_lines = (
        "\n\n".join([section.rstrip("\n"), *lines]) for section, lines in zip(sections, missing, strict=True)
    )
    return before + "\n\n".join(sections_with_lines)


def _outline(data: bytes) -> list[list[str]]:
    """The lines of each slide, in order; of a file with several saved versions, those of the last."""
    stream = _document_stream(data)
    slides: list[list[str]] = []
    for record_type, _, span in _records(stream, 0, len(stream)):
        if record_type == _DOCUMENT:
            slides = []
            for inner_type, instance, (start, end) in _records(stream, *span):
                if (inner_type, instance) == (_OUTLINE, _SLIDE_OUTLINE):
                    slides += _slides(stream, start, end)
    return slides


def _document_stream(data: bytes) -> bytes:
    import olefile  # type: ignore[import-untyped,unused-ignore]

    try:
        compound: Any = olefile.OleFileIO(data)
        with compound:
            return bytes(compound.openstream("PowerPoint Document").read())
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  olefile raises whatever hostile bytes make it raise: then nothing is added
        return b""


def _slides(stream: bytes, start: int, end: int) -> Iterator[list[str]]:
    lines: list[str] | None = None
    for record_type, _, (at, after) in _records(stream, start, end):
        if record_type == _SLIDE:
            if lines is not None:
                yield lines
            lines = []
        elif record_type in (_CHARS, _BYTES) and lines is not None:
            words = stream[at:after].decode("utf-16-le" if record_type == _CHARS else "latin-1", "replace")
            lines += filter(str.strip, _LINES.split(words))
    if lines is not None:
        yield lines


def _records(stream: bytes, at: int, end: int) -> Iterator[tuple[int, int, tuple[int, int]]]:
    """Type, version and instance, and span of each record in a span of the stream."""
    while at + _RECORD.size <= end:
        instance, record_type, size = _RECORD.unpack_from(stream, at)
        at += _RECORD.size
        yield record_type, instance, (at, min(at + size, end))
        at += size
