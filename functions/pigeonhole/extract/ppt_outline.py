"""The outline of a PowerPoint file of before 2007: words that its library passes over on some slides."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Any

_RECORD = struct.Struct("<HHI")
_DOCUMENT, _OUTLINE, _SLIDE, _CHARS, _BYTES = 0x03E8, 0x0FF0, 0x03F3, 0x0FA0, 0x0FA8
_OF_SLIDES = 0x000F  # there are outlines of masters and of notes too, told apart by these bits
_LINES = re.compile("[\r\n\x0b]+")
_SECTION = re.compile(r"^(?=## Slide \d+$)", re.MULTILINE)
_SIGNS = re.compile(r"[\W_]+")


def completed(data: bytes, markdown: str) -> str:
    """The library's text with the lines that only the outline has, each at the end of its slide."""
    said = _SIGNS.sub("", markdown)
    missing = [
        [line for line in lines if (words := _SIGNS.sub("", line)) and words not in said]
        for lines in _outline(data)
    ]
    if not any(missing):
        return markdown
    before, *sections = _SECTION.split(markdown)
    if len(sections) != len(missing):
        before, sections, missing = "", [markdown], [[line for lines in missing for line in lines]]
    whole = (
        "\n\n".join([section.rstrip("\n"), *lines]) for section, lines in zip(sections, missing, strict=True)
    )
    return before + "\n\n".join(whole)


def _outline(data: bytes) -> list[list[str]]:
    """The lines of each slide, in order; of several versions of a file in one, those of the last."""
    stream = _document(data)
    slides: list[list[str]] = []
    for kind, _, document in _records(stream, 0, len(stream)):
        if kind == _DOCUMENT:
            slides = []
            for inner, sort, (start, end) in _records(stream, *document):
                if (inner, sort) == (_OUTLINE, _OF_SLIDES):
                    slides += _slides(stream, start, end)
    return slides


def _document(data: bytes) -> bytes:
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
    for kind, _, (at, after) in _records(stream, start, end):
        if kind == _SLIDE:
            if lines is not None:
                yield lines
            lines = []
        elif kind in (_CHARS, _BYTES) and lines is not None:
            words = stream[at:after].decode("utf-16-le" if kind == _CHARS else "latin-1", "replace")
            lines += filter(str.strip, _LINES.split(words))
    if lines is not None:
        yield lines


def _records(stream: bytes, at: int, end: int) -> Iterator[tuple[int, int, tuple[int, int]]]:
    """Kind, sort and place of each record that stands between two places."""
    while at + _RECORD.size <= end:
        sort, kind, size = _RECORD.unpack_from(stream, at)
        at += _RECORD.size
        yield kind, sort, (at, min(at + size, end))
        at += size
