"""Word and PowerPoint documents, old and new: text in reading order with its headings and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pigeonhole.document import DocumentError
from pigeonhole.extract import ooxml
from pigeonhole.extract.nested import looked_at
from pigeonhole.extract.parts import Facts, Part, Source

_EMPTY_CELLS = re.compile(r"(?:\|(?: ---)? {1,2}){12,}(?=\|)")
_MARK = re.compile(r"\\([^\w\s])|\*{1,3}|~~")
_TAGS = ("<sup>", "</sup>", "<sub>", "</sub>", "<u>", "</u>")


def read(source: Source) -> Iterator[Part]:
    """The document as Markdown, after what it says of itself; its pictures when it says nothing."""
    said = ooxml.facts(source) if _packed(source) else Facts()
    yield said
    text = _markdown(source)
    yield _plain(text)
    yield Facts(pages_read=said.pages_total)
    if _packed(source) and len(text.strip()) < source.limits.scan_chars:
        for name, data in ooxml.pictures(source):
            yield from looked_at(source, name, data)


def _plain(markdown: str) -> str:
    """Headings, lists and tables stay; escapes and emphasis would come between a quote and its words."""
    if "|  |  |  |" in markdown:
        markdown = _EMPTY_CELLS.sub("", markdown)
    if "<" in markdown:
        markdown = markdown.replace("<br>", " ")
        for tag in _TAGS:
            markdown = markdown.replace(tag, "")
    return _MARK.sub(lambda mark: mark.group(1) or "", markdown)


def _packed(source: Source) -> bool:
    return source.data.startswith(b"PK")


def _markdown(source: Source) -> str:
    from office_oxide import Document, OfficeOxideError

    try:
        with Document.from_bytes(source.data, source.kind) as document:  # type: ignore[arg-type]
            text: str = document.to_markdown()
    except OfficeOxideError as error:
        locked = any(word in str(error).lower() for word in ("encrypt", "password"))
        raise DocumentError("encrypted" if locked else "corrupt", str(error)) from error
    return text
