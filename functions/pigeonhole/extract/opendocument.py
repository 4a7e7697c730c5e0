"""OpenDocument texts, sheets and slides: paragraphs, headings, and tables row by row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.interface import Metadata, NotRead, Segment, Source
from pigeonhole.extract.line_buffer import LineBuffer
from pigeonhole.extract.nested import read_picture
from pigeonhole.extract.package import Package
from pigeonhole.extract.xml_parser import CHUNK, Element, XmlParser, elements, first_texts, passages, split

REPEATS = 20  # of one cell's value
_META_ENDS = b"</office:meta>"

_META_ELEMENTS = {"title": "title", "creator": "author", "creation-date": "created", "date": "modified"}
# Elements that are left out with all that is in them.
_DROPPED = frozenset({"tracked-changes", "forms", "scripts", "event-listeners", "binary-data", "ruby-text"})
# Elements whose text no paragraph parts from the next.
_WORDS_APART = frozenset({"creator", "date", "title", "desc"})
_INLINE = frozenset({"span", "a", "p"})  # most elements of a text; at their start there is nothing to do
_SPACES = {"tab": "\t", "line-break": "\n"}
_PAGE_ELEMENT = {"odt": None, "ods": "table", "odp": "page"}


def read(source: Source) -> Iterator[Segment]:
    """The document's text, after its metadata; its pictures when it has no text.

    Raises DocumentError `encrypted`, `corrupt` or `too_large`.
    """
    if not source.data.startswith(b"PK"):
        yield from _read_flat_xml(source)
        return
    package = Package(source)
    if _is_encrypted(_optional(package, "META-INF/manifest.xml")):
        raise DocumentError("encrypted", "an OpenDocument file with a password")
    yield _metadata(_optional(package, "meta.xml"))
    content = ContentHandler(source.format_name, source.limits.rows)
    yield from passages(content.parser, content.lines, package.chunks("content.xml"))
    yield from content.counts()
    if not content.has_text:
        for name in (name for name in package.members if name.startswith("Pictures/")):
            yield from read_picture(source, name.rpartition("/")[2], package.read(name))


def _read_flat_xml(source: Source) -> Iterator[Segment]:
    """The same of a document in one XML file (Flat ODF)."""
    start = source.data.find(b"<office:meta>", 0, CHUNK)
    end = source.data.find(_META_ENDS, start, start + CHUNK) if start >= 0 else -1
    yield _metadata(source.data[start : end + len(_META_ENDS)] if end >= 0 else b"")
    content = ContentHandler(source.format_name, source.limits.rows)
    yield from passages(content.parser, content.lines, split(source.data))
    yield from content.counts()


def _optional(package: Package, name: str) -> bytes:
    """A member that the text does not depend on; nothing where it is missing or broken."""
    with suppress(DocumentError):
        return package.read(name)
    return b""


def _is_encrypted(manifest: bytes) -> bool:
    """Whether the text has a password; macros may have one of their own."""
    entries = (entry for entry in manifest.split(b"file-entry") if b"encryption-data" in entry)
    return any(b"content.xml" in entry or b"encrypted-package" in entry for entry in entries)


def _metadata(meta: bytes) -> Metadata:
    try:
        meta_elements: list[Element] = elements(meta) if meta else []
    except DocumentError:
        meta_elements = []
    stated = first_texts(meta_elements)
    pages = next(
        (
            attributes["page-count"]
            for tag, attributes, _ in meta_elements
            if tag == "document-statistic" and "page-count" in attributes
        ),
        "",
    )
    return Metadata(
        pages_total=int(pages[:9]) if pages.isascii() and pages.isdigit() else None,
        **{name: stated[tag] for tag, name in _META_ELEMENTS.items() if tag in stated},  # type: ignore[arg-type]
    )


class ContentHandler:
    """Turns the elements of content.xml into lines of text; `has_text` tells whether there were any words."""

    def __init__(self, format_name: str, max_rows: int) -> None:
        self.lines = LineBuffer()
        self.parser = XmlParser(self._start, self._end, self._text)
        self.has_text = False
        self._page_element = _PAGE_ELEMENT[format_name]
        self._max_rows = max_rows
        self._rows = self._pages = self._dropped = self._open = 0
        self._row: list[str] = []
        self._cell_repeats = 1
        self._cut = False
        self._in_body = False

    def counts(self) -> Iterator[Segment]:
        """How many sheets or slides there were, and whether rows were cut."""
        if self._pages:
            yield Metadata(pages_total=self._pages, pages_read=self._pages, parts_read=self._pages)
        if self._cut:
            yield NotRead(name="the rest of the rows", reason="rows", parts=0)

    def _add(self, text: str) -> None:
        self.lines.add(text)
        self.has_text = self.has_text or not text.isspace()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._dropped or tag in _DROPPED:
            self._dropped += 1
        elif tag in _INLINE:
            return
        elif tag == "body":
            self._in_body = True
        elif tag == self._page_element:
            self._pages += 1
            self._rows = 0
            self._add(f"\n## {attributes.get('table:name') or attributes.get('draw:name') or self._pages}\n")
        elif tag == "h":
            self._write("#" * min(_number(attributes, "text:outline-level"), 6) + " ")
        elif tag in ("table-cell", "covered-table-cell"):
            self._open += 1
            self._cell_repeats = _number(attributes, "table:number-columns-repeated")
            if self._open == 1:
                self._row.append("")
        elif tag in ("s", "tab", "line-break"):
            self._write(_SPACES.get(tag) or " " * min(_number(attributes, "text:c"), 8))
        elif tag == "list-item":
            self._write("- ")

    def _end(self, tag: str) -> None:
        if self._dropped:
            self._dropped -= 1
        elif tag == "span":
            return
        elif tag in ("p", "h"):
            self._write(" " if self._open else "\n")
        elif tag in _WORDS_APART and self._in_body:
            self._write(" ")
        elif tag in ("table-cell", "covered-table-cell"):
            self._open -= 1
            if self._open == 0 and self._row[-1].strip():
                self._row += self._row[-1:] * (min(self._cell_repeats, REPEATS) - 1)
        elif tag == "table-row" and self._open == 0:
            self._end_row()

    def _end_row(self) -> None:
        line = "\t".join(" ".join(cell.split()) for cell in self._row).rstrip("\t")
        self._row = []
        self._rows += bool(line)
        if self._rows > self._max_rows:
            self._cut = True
        elif line:
            self._add(line + "\n")

    def _text(self, text: str) -> None:
        if self._in_body and not self._dropped:
            self._write(text.replace("\n", " ") if "\n" in text else text)

    def _write(self, text: str) -> None:
        if self._open:
            self._row[-1] += text
        else:
            self._add(text)


def _number(attributes: dict[str, str], name: str) -> int:
    value = attributes.get(name, "")
    return max(1, int(value[:9])) if value.isascii() and value.isdigit() else 1
