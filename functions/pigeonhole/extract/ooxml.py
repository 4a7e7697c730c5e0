"""Office Open XML packages: what they say of themselves, their pictures, their text when all else fails."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from html import unescape
from itertools import islice

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.package import Package
from pigeonhole.extract.parts import Facts, Part, Source, unread
from pigeonhole.extract.xmlparts import Events, Lines, elements, values

MAX_PROPERTIES = 1 << 20

_CORE = {"title": "title", "creator": "author", "created": "created", "modified": "modified"}
_DOCUMENT = "word/document.xml"
_SLIDE = re.compile(r"ppt/slides/slide(\d+)\.xml")
_STORY = re.compile(
    r"(?:word/(?:document|footnotes|endnotes|comments)|ppt/(?:slides|notesSlides)/\w+)\d*\.xml"
)
_BESIDE = re.compile(r"xl/(?:(?:comments/)?comments?|drawings/drawing|charts/chart)\d*\.xml")
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
# Excel, and LibreOffice like it, keeps the value of each formula beside it; many libraries that write do not.
_CALCULATED = re.compile(r"1\d\.\d+")
_UNVALUED = re.compile(
    rb"<c\b[^<>]*?\br=\"([A-Z]{1,3}\d{1,7})\"[^<>]*+>\s*+<f\b[^<>]*+>([^<]{1,300}+)</f>"
    rb"\s*+(?:<v\s*+/>|<v>\s*+</v>)?\s*+</c>"
)
MOST_UNVALUED = 200
_BOILERPLATE = re.compile(r"\[Threaded comment\].*?Comment:\s*", re.DOTALL)
_MEDIA = re.compile(r"(?:word|ppt|xl)/media/[^/]+\.(?:png|jpe?g|gif|tiff?|bmp|webp)", re.IGNORECASE)
_BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_ENDS = {"p": "\n", "tc": "\t", "tr": "\n", "comment": "\n", "threadedComment": "\n"}
_TEXTS = ("t", "text")


def facts(source: Source) -> Facts:
    """Title, author, dates and the count of pages or slides, as far as the package states them."""
    try:
        package = Package(source)
    except DocumentError:
        return Facts()
    core, app = _values(package, "docProps/core.xml"), _values(package, "docProps/app.xml")
    said = {ours: core[theirs] for theirs, ours in _CORE.items() if theirs in core}
    pages = sum(map(bool, map(_SLIDE.fullmatch, package.members))) or _count(app.get("Pages", ""))
    return Facts(pages_total=pages, **said)  # type: ignore[arg-type]


def _count(stated: str) -> int | None:
    return int(stated[:9]) or None if stated.isascii() and stated.isdigit() else None


def _values(package: Package, name: str) -> dict[str, str]:
    try:
        if package.members[name].file_size > MAX_PROPERTIES:
            return {}
        return values(elements(package.read(name)))
    except (DocumentError, KeyError):
        return {}


def pictures(source: Source) -> Iterator[tuple[str, bytes]]:
    """The pictures inside, in the order in which they were put in."""
    package = Package(source)
    for name in filter(_MEDIA.fullmatch, package.members):
        yield name.rpartition("/")[2], package.read(name)


def sheet_names(source: Source) -> list[str]:
    """The names of a workbook's sheets, as far as it can be asked."""
    try:
        found = elements(Package(source).read("xl/workbook.xml"))
    except DocumentError:
        return []
    return [at.get("name", "") for tag, at, _ in found if tag.endswith("sheet")]


def beside(source: Source) -> Iterator[Part]:
    """What stands beside the cells of a workbook: notes, text boxes, the titles of charts."""
    package = Package(source)
    for name in sorted(filter(_BESIDE.fullmatch, package.members)):
        try:
            for said in _story(package, name):
                yield _BOILERPLATE.sub("", said)
        except DocumentError as error:
            yield unread(error)


def unvalued(source: Source) -> Iterator[Part]:
    """The formulas of cells whose value the file does not hold: nobody has calculated it yet."""
    package = Package(source)
    app = _values(package, "docProps/app.xml")
    if _CALCULATED.match(app.get("AppVersion", "")) or "LibreOffice" in app.get("Application", ""):
        return
    for name in sorted(filter(_SHEET.fullmatch, package.members)):
        with suppress(DocumentError):  # of a broken sheet the library has said so already
            found = islice(_UNVALUED.finditer(package.read(name)), MOST_UNVALUED)
            yield "\n".join(
                f"{cell[1].decode()}\t={unescape(cell[2].decode('utf-8', 'replace'))}" for cell in found
            )


def _base(ruby: bytes) -> bytes:
    """Runs of their own in the place of what was inside a run."""
    words, _, after = ruby.partition(b"<w:rubyBase>")[2].partition(b"</w:rubyBase>")
    return b"</w:r>" + words + b"<w:r>" + after.partition(b"</w:ruby>")[2]


def without_ruby(source: Source) -> bytes | None:
    """The package with the words that have their reading above them among the others; None if it has none."""
    package = Package(source)
    first, *ruby = package.read(_DOCUMENT).split(b"<w:ruby>")
    if not ruby:
        return None
    words = b"".join([first, *map(_base, ruby)])
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as copy:
        for name in package.members:
            copy.writestr(name, words if name == _DOCUMENT else package.read(name))
    return made.getvalue()


def read(source: Source) -> Iterator[Part]:
    """The text alone of a Word or PowerPoint package: for those that its library rejects."""
    package = Package(source)
    stories = sorted(filter(_STORY.fullmatch, package.members), key=_reading_order)
    if not stories:
        raise DocumentError("corrupt", "an Office package without a document")
    failed: list[DocumentError] = []
    for name in stories:
        try:
            yield from _story(package, name)
        except DocumentError as error:
            failed.append(error)
    if failed:
        raise failed[0]


def _reading_order(name: str) -> tuple[bool, int, str]:
    number = re.search(r"(\d+)\.xml", name)
    return "document" not in name, int(number.group(1)) if number else 0, name


def _story(package: Package, name: str) -> Iterator[str]:
    lines, path = Lines(), [""]

    def start(tag: str, _: dict[str, str]) -> None:
        path.append(tag)
        if tag in _BREAKS and "rPr" not in path and "pPr" not in path:
            lines.add(_BREAKS[tag])

    def end(tag: str) -> None:
        path.pop()
        if tag in ("tc", "tr"):
            lines.rejoin()
        if tag in _ENDS:
            lines.add(_ENDS[tag])

    events = Events(start, end, lambda text: lines.add(text) if path[-1] in _TEXTS else None)
    yield from lines.read(events, package.chunks(name))
