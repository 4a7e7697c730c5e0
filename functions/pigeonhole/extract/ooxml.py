"""Office Open XML packages: metadata, pictures, what office_oxide and calamine leave out, and the bare text
of those that office_oxide rejects.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from html import unescape
from itertools import islice

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.interface import Metadata, NotRead, Segment, Source
from pigeonhole.extract.line_buffer import LineBuffer
from pigeonhole.extract.package import Package
from pigeonhole.extract.xml_parser import XmlParser, elements, first_texts, passages

MAX_PROPERTIES = 1 << 20  # bytes

_CORE = {"title": "title", "creator": "author", "created": "created", "modified": "modified"}
_DOCUMENT = "word/document.xml"
_SLIDE = re.compile(r"ppt/slides/slide(\d+)\.xml")
# The parts of a package that have text; Word calls them stories.
_STORY = re.compile(
    r"(?:word/(?:document|footnotes|endnotes|comments)|ppt/(?:slides|notesSlides)/\w+)\d*\.xml"
)
_NOTES_AND_CHARTS = re.compile(r"xl/(?:(?:comments/)?comments?|drawings/drawing|charts/chart)\d*\.xml")
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
# Excel and LibreOffice store the value of each formula beside it; many libraries that write workbooks do not.
_CALCULATED = re.compile(r"1\d\.\d+")
_UNCALCULATED = re.compile(
    rb"<c\b[^<>]*?\br=\"([A-Z]{1,3}\d{1,7})\"[^<>]*+>\s*+<f\b[^<>]*+>([^<]{1,300}+)</f>"
    rb"\s*+(?:<v\s*+/>|<v>\s*+</v>)?\s*+</c>"
)
MOST_FORMULAS = 200
_BOILERPLATE = re.compile(r"\[Threaded comment\].*?Comment:\s*", re.DOTALL)
_MEDIA = re.compile(r"(?:word|ppt|xl)/media/[^/]+\.(?:png|jpe?g|gif|tiff?|bmp|webp)", re.IGNORECASE)
_BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_ENDS = {"p": "\n", "tc": "\t", "tr": "\n", "comment": "\n", "threadedComment": "\n"}
_TEXTS = ("t", "text")


def metadata(source: Source) -> Metadata:
    """Title, author, dates and the count of pages or slides, as far as the package states them; no errors."""
    try:
        package = Package(source)
    except DocumentError:
        return Metadata()
    core, app = _properties(package, "docProps/core.xml"), _properties(package, "docProps/app.xml")
    stated = {name: core[element] for element, name in _CORE.items() if element in core}
    pages = sum(map(bool, map(_SLIDE.fullmatch, package.members))) or _count(app.get("Pages", ""))
    return Metadata(pages_total=pages, **stated)  # type: ignore[arg-type]


def _count(stated: str) -> int | None:
    return int(stated[:9]) or None if stated.isascii() and stated.isdigit() else None


def _properties(package: Package, name: str) -> dict[str, str]:
    try:
        if package.members[name].file_size > MAX_PROPERTIES:
            return {}
        return first_texts(elements(package.read(name)))
    except (DocumentError, KeyError):
        return {}


def pictures(source: Source) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each picture inside, in the order of the package; raises DocumentError."""
    package = Package(source)
    for name in filter(_MEDIA.fullmatch, package.members):
        yield name.rpartition("/")[2], package.read(name)


def sheet_names(source: Source) -> list[str]:
    """The names of a workbook's sheets; none where they cannot be read."""
    try:
        found = elements(Package(source).read("xl/workbook.xml"))
    except DocumentError:
        return []
    return [attributes.get("name", "") for tag, attributes, _ in found if tag.endswith("sheet")]


def notes_and_charts(source: Source) -> Iterator[Segment]:
    """The text beside the cells of a workbook: comments, text boxes, titles of charts."""
    package = Package(source)
    for name in sorted(filter(_NOTES_AND_CHARTS.fullmatch, package.members)):
        try:
            for passage in _story(package, name):
                yield _BOILERPLATE.sub("", passage)
        except DocumentError as error:
            yield NotRead.because(error, name)


def uncalculated_formulas(source: Source) -> Iterator[Segment]:
    """The formulas of cells without a stored value, which calamine shows empty: each with its cell's name."""
    package = Package(source)
    app = _properties(package, "docProps/app.xml")
    if _CALCULATED.match(app.get("AppVersion", "")) or "LibreOffice" in app.get("Application", ""):
        return
    for name in sorted(filter(_SHEET.fullmatch, package.members)):
        with suppress(DocumentError):  # that a sheet is broken, calamine has said already
            found = islice(_UNCALCULATED.finditer(package.read(name)), MOST_FORMULAS)
            yield "\n".join(
                f"{cell[1].decode()}\t={unescape(cell[2].decode('utf-8', 'replace'))}" for cell in found
            )


def _ruby_base_only(ruby: bytes) -> bytes:
    """A run of the base text alone, for a ruby annotation that stood inside a run, and what follows it."""
    words, _, after = ruby.partition(b"<w:rubyBase>")[2].partition(b"</w:rubyBase>")
    return b"</w:r>" + words + b"<w:r>" + after.partition(b"</w:ruby>")[2]


def without_ruby(source: Source) -> bytes | None:
    """The package with ruby annotations (the pronunciation above words) replaced by the words themselves.

    None where it has none. Raises DocumentError.
    """
    package = Package(source)
    before, *ruby = package.read(_DOCUMENT).split(b"<w:ruby>")
    if not ruby:
        return None
    words = b"".join([before, *map(_ruby_base_only, ruby)])
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as copy:
        for name in package.members:
            copy.writestr(name, words if name == _DOCUMENT else package.read(name))
    return data.getvalue()


def read(source: Source) -> Iterator[Segment]:
    """The bare text of a Word or PowerPoint package, for those that office_oxide rejects.

    Raises the first DocumentError of a part of it, once the others are read.
    """
    package = Package(source)
    stories = sorted(filter(_STORY.fullmatch, package.members), key=_reading_order)
    if not stories:
        raise DocumentError("corrupt", "an Office package without a document")
    errors: list[DocumentError] = []
    for name in stories:
        try:
            yield from _story(package, name)
        except DocumentError as error:
            errors.append(error)
    if errors:
        raise errors[0]


def _reading_order(name: str) -> tuple[bool, int, str]:
    number = re.search(r"(\d+)\.xml", name)
    return "document" not in name, int(number.group(1)) if number else 0, name


def _story(package: Package, name: str) -> Iterator[str]:
    lines, path = LineBuffer(), [""]

    def start(tag: str, _: dict[str, str]) -> None:
        path.append(tag)
        if tag in _BREAKS and "rPr" not in path and "pPr" not in path:
            lines.add(_BREAKS[tag])

    def end(tag: str) -> None:
        path.pop()
        if tag in ("tc", "tr"):
            lines.remove_line_end()
        if tag in _ENDS:
            lines.add(_ENDS[tag])

    parser = XmlParser(start, end, lambda text: lines.add(text) if path[-1] in _TEXTS else None)
    yield from passages(parser, lines, package.chunks(name))
