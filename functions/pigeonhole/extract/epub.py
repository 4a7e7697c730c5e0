"""EPUB books: the chapters in the order of their spine."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from urllib.parse import unquote

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import html
from pigeonhole.extract.nested import looked_at
from pigeonhole.extract.package import Package
from pigeonhole.extract.parts import Facts, Part, Source, unread
from pigeonhole.extract.xmlparts import Element, elements, values

_PAGES = ("application/xhtml+xml", "text/html")


def read(source: Source) -> Iterator[Part]:
    """Each chapter's text, after the book's title and author; the pictures when it has no text."""
    package = Package(source)
    if "META-INF/rights.xml" in package.members or "META-INF/license.lcpl" in package.members:
        raise DocumentError("encrypted", "a book with digital rights management")
    where, opf = _contents(package)
    said = values(opf)
    yield Facts(title=said.get("title"), author=said.get("creator"), created=said.get("date"))
    chapters, spoke = list(_chapters(opf)), 0
    yield Facts(pages_total=len(chapters), pages_read=0)
    for number, href in enumerate(chapters, 1):
        for part in _chapter(package, posixpath.normpath(posixpath.join(where, unquote(href)))):
            spoke += len(part) if isinstance(part, str) else 0
            yield part
        yield Facts(pages_read=number)
    if spoke < source.limits.scan_chars:
        for name in package.members:
            yield from looked_at(source, name, package.read(name))


def _contents(package: Package) -> tuple[str, list[Element]]:
    roots = [at for tag, at, _ in elements(package.read("META-INF/container.xml")) if tag == "rootfile"]
    path = next((at["full-path"] for at in roots if at.get("full-path")), "")
    return posixpath.dirname(path), elements(package.read(path))


def _chapters(opf: list[Element]) -> Iterator[str]:
    pages = {
        at["id"]: at["href"]
        for tag, at, _ in opf
        if tag == "item" and "id" in at and at.get("href") and at.get("media-type") in _PAGES
    }
    for tag, at, _ in opf:
        if tag == "itemref" and at.get("idref") in pages:
            yield pages[at["idref"]]


def _chapter(package: Package, name: str) -> Iterator[Part]:
    try:
        yield from html.inside(package.read(name))
    except DocumentError as error:
        if error.code == "too_large":
            yield Facts(cut="unpacked_bytes")
        yield unread(error)
