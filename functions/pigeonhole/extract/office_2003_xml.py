"""Word documents and workbooks in one XML file, as Office 2003 and many programs since have written them."""

from __future__ import annotations

from collections.abc import Iterator

from pigeonhole.extract.parts import Part, Source
from pigeonhole.extract.xmlparts import Events, Lines, pieces

_TEXTS = ("t", "Data")
_SIGNS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_ENDS = {"p": "\n", "tc": "\t", "tr": "\n", "Cell": "\t", "Row": "\n"}
_SKIPPED = frozenset(("binData", "binaryData", "instrText", "styles", "Styles", "rPr", "pPr", "delText"))


def read(source: Source) -> Iterator[Part]:
    """Paragraphs, and rows of cells under the names of their sheets."""
    lines, path = Lines(), [""]
    skipped = 0

    def start(tag: str, at: dict[str, str]) -> None:
        nonlocal skipped
        path.append(tag)
        skipped += tag in _SKIPPED
        if tag == "Worksheet":
            lines.add(f"\n## {at.get('ss:Name', '')}\n")
        elif tag in _SIGNS and not skipped:
            lines.add(_SIGNS[tag])

    def end(tag: str) -> None:
        nonlocal skipped
        path.pop()
        skipped -= tag in _SKIPPED
        if tag in ("tc", "tr"):
            lines.rejoin()
        if tag in _ENDS:
            lines.add(_ENDS[tag])

    events = Events(start, end, lambda text: lines.add(text) if path[-1] in _TEXTS and not skipped else None)
    for piece in pieces(source.data):
        yield from lines.full()
        events.feed(piece)
    events.feed(b"", last=True)
    yield from lines.rest()
