"""OpenDocument texts, sheets and slides: paragraphs, headings, and tables row by row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.nested import looked_at
from pigeonhole.extract.package import Package
from pigeonhole.extract.parts import Facts, Part, Source
from pigeonhole.extract.xmlparts import CHUNK, Element, Events, Lines, elements, pieces, values

REPEATS = 20
_META_ENDS = b"</office:meta>"

_FACTS = {"title": "title", "creator": "author", "creation-date": "created", "date": "modified"}
_COUNTS = {"odt": ("page-count",), "ods": ("table-count",), "odp": ("page-count",)}
_DROPPED = frozenset({"tracked-changes", "forms", "scripts", "event-listeners", "binary-data", "ruby-text"})
_WORDS_APART = frozenset({"creator", "date", "title", "desc"})
_SILENT = frozenset({"span", "a", "p"})  # most elements of a text; at their start there is nothing to do
_ITEM = {"odt": None, "ods": "table", "odp": "page"}


def read(source: Source) -> Iterator[Part]:
    """The body of the document, after what it says of itself; its pictures when it says nothing."""
    if not source.data.startswith(b"PK"):
        yield from _flat(source)
        return
    package = Package(source)
    if _locked(_optional(package, "META-INF/manifest.xml")):
        raise DocumentError("encrypted", "an OpenDocument file with a password")
    yield _facts(_optional(package, "meta.xml"))
    body = Body(source.kind, source.limits.rows)
    yield from body.lines.read(body.events, package.chunks("content.xml"))
    yield from body.facts()
    if not body.spoke:
        for name in (name for name in package.members if name.startswith("Pictures/")):
            yield from looked_at(source, name.rpartition("/")[2], package.read(name))


def _flat(source: Source) -> Iterator[Part]:
    """The same in one XML file."""
    start = source.data.find(b"<office:meta>", 0, CHUNK)
    end = source.data.find(_META_ENDS, start, start + CHUNK) if start >= 0 else -1
    yield _facts(source.data[start : end + len(_META_ENDS)] if end >= 0 else b"")
    body = Body(source.kind, source.limits.rows)
    yield from body.lines.read(body.events, pieces(source.data))
    yield from body.facts()


def _optional(package: Package, name: str) -> bytes:
    """A member that the words do not depend on: where it is missing or broken, nothing."""
    with suppress(DocumentError):
        return package.read(name)
    return b""


def _locked(manifest: bytes) -> bool:
    """Whether the words have a password; its macros may have one of their own."""
    entries = (entry for entry in manifest.split(b"file-entry") if b"encryption-data" in entry)
    return any(b"content.xml" in entry or b"encrypted-package" in entry for entry in entries)


def _facts(meta: bytes) -> Facts:
    try:
        found: list[Element] = elements(meta) if meta else []
    except DocumentError:
        found = []
    said = values(found)
    pages = next(
        (at["page-count"] for tag, at, _ in found if tag == "document-statistic" and "page-count" in at), ""
    )
    return Facts(
        pages_total=int(pages[:9]) if pages.isascii() and pages.isdigit() else None,
        **{ours: said[theirs] for theirs, ours in _FACTS.items() if theirs in said},  # type: ignore[arg-type]
    )


class Body:
    """What the events of content.xml amount to."""

    def __init__(self, kind: str, most_rows: int) -> None:
        self.lines = Lines()
        self.events = Events(self._start, self._end, self._text)
        self.spoke = False
        self._kind = kind
        self._most_rows = most_rows
        self._rows = self._items = self._dropped = self._cells = self._open = 0
        self._row: list[str] = []
        self._cell_repeats = 1
        self._cut = False
        self._inside = False

    def facts(self) -> Iterator[Facts]:
        """What was counted on the way."""
        if self._items:
            yield Facts(pages_total=self._items, pages_read=self._items)
        if self._cut:
            yield Facts(cut="rows")

    def _say(self, text: str) -> None:
        self.lines.add(text)
        self.spoke = self.spoke or not text.isspace()

    def _start(self, tag: str, at: dict[str, str]) -> None:
        if self._dropped or tag in _DROPPED:
            self._dropped += 1
        elif tag in _SILENT:
            return
        elif tag == "body":
            self._inside = True
        elif tag == _ITEM[self._kind]:
            self._items += 1
            self._rows = 0
            self._say(f"\n## {at.get('table:name') or at.get('draw:name') or self._items}\n")
        elif tag == "h":
            self._write("#" * min(_number(at, "text:outline-level"), 6) + " ")
        elif tag in ("table-cell", "covered-table-cell"):
            self._open += 1
            self._cell_repeats = _number(at, "table:number-columns-repeated")
            if self._open == 1:
                self._row.append("")
        elif tag in ("s", "tab", "line-break"):
            self._write(" " * min(_number(at, "text:c"), 8) if tag == "s" else "\t" if tag == "tab" else "\n")
        elif tag == "list-item":
            self._write("- ")

    def _end(self, tag: str) -> None:
        if self._dropped:
            self._dropped -= 1
        elif tag == "span":
            return
        elif tag in ("p", "h"):
            self._write(" " if self._open else "\n")
        elif tag in _WORDS_APART and self._inside:
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
        if self._rows > self._most_rows:
            self._cut = True
        elif line:
            self._say(line + "\n")

    def _text(self, text: str) -> None:
        if self._inside and not self._dropped:
            self._write(text.replace("\n", " ") if "\n" in text else text)

    def _write(self, text: str) -> None:
        if self._open:
            self._row[-1] += text
        else:
            self._say(text)


def _number(attributes: dict[str, str], name: str) -> int:
    value = attributes.get(name, "")
    return max(1, int(value[:9])) if value.isascii() and value.isdigit() else 1
