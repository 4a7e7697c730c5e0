"""EPUB books: the chapters in the order of the spine, which is the book's list of them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from urllib.parse import unquote

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import html
from pigeonhole.extract.interface import Metadata, NotRead, Segment, Source
from pigeonhole.extract.nested import read_picture
from pigeonhole.extract.package import Package
from pigeonhole.extract.xml_parser import Element, elements, first_texts

_PAGES = ("application/xhtml+xml", "text/html")


def read(source: Source) -> Iterator[Segment]:
    """Each chapter's text, after the book's title and author; its pictures when it has no text.

    Raises DocumentError `encrypted` for a book with digital rights management, `corrupt` or `too_large`.
    """
    package = Package(source)
    if "META-INF/rights.xml" in package.members or "META-INF/license.lcpl" in package.members:
        raise DocumentError("encrypted", "a book with digital rights management")
    folder, opf = _contents(package)
    stated = first_texts(opf)
    yield Metadata(title=stated.get("title"), author=stated.get("creator"), created=stated.get("date"))
    chapters, chars = list(_chapters(opf)), 0
    yield Metadata(pages_total=len(chapters), pages_read=0)
    for number, href in enumerate(chapters, 1):
        for segment in _chapter(package, posixpath.normpath(posixpath.join(folder, unquote(href)))):
            chars += len(segment) if isinstance(segment, str) else 0
            yield segment
        yield Metadata(pages_read=number)
    if chars < source.limits.scan_chars:
        for name in package.members:
            yield from read_picture(source, name, package.read(name))


def _contents(package: Package) -> tuple[str, list[Element]]:
    """The package document (OPF), which lists all files of the book, and the folder that it is in."""
    container = elements(package.read("META-INF/container.xml"))
    paths = (attributes.get("full-path") for tag, attributes, _ in container if tag == "rootfile")
    path = next(filter(None, paths), "")
    return posixpath.dirname(path), elements(package.read(path))


def _chapters(opf: list[Element]) -> Iterator[str]:
    pages = {
        attributes["id"]: attributes["href"]
        for tag, attributes, _ in opf
        if tag == "item"
        and "id" in attributes
        and attributes.get("href")
        and attributes.get("media-type") in _PAGES
    }
    for tag, attributes, _ in opf:
        if tag == "itemref" and attributes.get("idref") in pages:
            yield pages[attributes["idref"]]


def _chapter(package: Package, name: str) -> Iterator[Segment]:
    try:
        yield from html.read_embedded(package.read(name))
    except DocumentError as error:
        yield NotRead.because(error, posixpath.basename(name))
    else:
        yield Metadata(parts_read=1)
