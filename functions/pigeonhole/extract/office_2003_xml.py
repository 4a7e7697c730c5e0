"""Word documents and workbooks in one XML file, as Office 2003 and other programs since have written them."""

from __future__ import annotations

from collections.abc import Iterator

from pigeonhole.extract.interface import Segment, Source
from pigeonhole.extract.line_buffer import LineBuffer
from pigeonhole.extract.xml_parser import XmlParser, split

_TEXTS = ("t", "Data")
_CHARACTERS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_ENDS = {"p": "\n", "tc": "\t", "tr": "\n", "Cell": "\t", "Row": "\n"}
_SKIPPED = frozenset(("binData", "binaryData", "instrText", "styles", "Styles", "rPr", "pPr", "delText"))


def read(source: Source) -> Iterator[Segment]:
    """Paragraphs, and rows of cells under the names of their sheets; raises DocumentError `corrupt`."""
    lines, path = LineBuffer(), [""]
    skipped = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal skipped
        path.append(tag)
        skipped += tag in _SKIPPED
        if tag == "Worksheet":
            lines.add(f"\n## {attributes.get('ss:Name', '')}\n")
        elif tag in _CHARACTERS and not skipped:
            lines.add(_CHARACTERS[tag])

    def end(tag: str) -> None:
        nonlocal skipped
        path.pop()
        skipped -= tag in _SKIPPED
        if tag in ("tc", "tr"):
            lines.remove_line_end()
        if tag in _ENDS:
            lines.add(_ENDS[tag])

    def text(characters: str) -> None:
        if path[-1] in _TEXTS and not skipped:
            lines.add(characters)

    parser = XmlParser(start, end, text)
    for chunk in split(source.data):
        yield from lines.take_passage()
        parser.feed(chunk)
    parser.feed(b"", last=True)
    yield from lines.take_rest()
