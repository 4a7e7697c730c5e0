"""Word and PowerPoint documents, old and new: text in reading order with its headings and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import legacy, ooxml, ppt_outline
from pigeonhole.extract.nested import looked_at
from pigeonhole.extract.parts import Facts, Part, Source

_EMPTY_CELLS = re.compile(r"(?:\|(?: ---)? {1,2}){12,}(?=\|)")
_EAST_ASIAN = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
_SLIDE = re.compile(r"^## Slide \d+$", re.MULTILINE)
_MARK = re.compile(r"\\([^\w\s])|\*{1,3}|~~")
# What the library says in the place of what it left out; it says so nowhere else.
_LEFT_OUT = re.compile(
    r"^[#|>\s-]*\\?\[(?:(unreadable (?:sheet|slide))|((?:content|text box|nested tables?)\b[^\]\n]{0,60}deep)"
    r"|(?:output|pivot cache|workbook) truncated|[^\]\n]{0,80}(?:document|worksheet) truncated)",
    re.MULTILINE,
)
# A link or a picture; in words that are neither, the library puts a backslash before each bracket.
_LINK = re.compile(
    r"!?(?<!\\)\[([^\[\]\n]*+(?:\[[^\[\]\n]*+\][^\[\]\n]*+)?+)\]"
    r"\((?:(?:#|[a-z][a-z0-9+.-]*+:)[^\s()]*+(?:\([^\s()]*+\)[^\s()]*+)*+)?+\)",
    re.IGNORECASE,
)
_TELLING = ("[unreadable ", "deep", "truncated")
_TAGS = ("<sup>", "</sup>", "<sub>", "</sub>", "<u>", "</u>")


def read(source: Source) -> Iterator[Part]:
    """The document as Markdown, after what it says of itself; its pictures when it says nothing."""
    said = ooxml.facts(source) if _packed(source) else legacy.facts(source.data)
    yield said
    text = _markdown(source)
    yield _plain(text)
    pages = len(_SLIDE.findall(text)) if source.kind == "ppt" else said.pages_total
    yield Facts(pages_total=pages, pages_read=pages)
    yield from _left_out(text)
    if source.kind == "xlsx":
        yield from _missing_sheets(source, text)
    if _packed(source) and len(text.strip()) < source.limits.scan_chars:
        for name, data in ooxml.pictures(source):
            yield from looked_at(source, name, data)


def _plain(markdown: str) -> str:
    """Headings, lists and tables stay; escapes, emphasis and targets would tear a quote from its words."""
    if "|  |  |  |" in markdown:
        markdown = _EMPTY_CELLS.sub("", markdown)
    if "<" in markdown:
        markdown = markdown.replace("<br>", " ")
        for tag in _TAGS:
            markdown = markdown.replace(tag, "")
    if "](" in markdown:
        markdown = _LINK.sub(r"\1", markdown)
    if any(sign in markdown for sign in "\\*~"):
        markdown = _MARK.sub(r"\1", markdown)
    return markdown


def _left_out(text: str) -> Iterator[Facts]:
    """What the library says that it did not show."""
    told = "[" in text and any(word in text for word in _TELLING)
    for found in _LEFT_OUT.finditer(text) if told else ():
        yield Facts(cut="corrupt", failed=1) if found[1] else Facts(cut="depth" if found[2] else "chars")


def _missing_sheets(source: Source, text: str) -> Iterator[Facts]:
    """Sheets that the workbook names and the text has not: this library passes over what it cannot read."""
    names = ooxml.sheet_names(source)
    read = [name for name in names if f"## {name}" in text]
    yield Facts(pages_total=len(names) or None, pages_read=len(read))
    if len(read) < len(names):
        yield Facts(cut="sheets", failed=len(names) - len(read))


def _packed(source: Source) -> bool:
    return source.data.startswith(b"PK")


def _markdown(source: Source) -> str:
    text = _converted(source.data, source.kind)
    if source.kind == "docx" and not text.isascii() and _EAST_ASIAN.search(text):
        with suppress(DocumentError):
            if whole := ooxml.without_ruby(source):  # of which the library leaves out the words themselves
                return _converted(whole, source.kind)
    if source.kind == "doc" and not text.isascii():
        return legacy.in_its_bytes(source.data, text)
    return ppt_outline.completed(source.data, text) if source.kind == "ppt" else text


def _converted(data: bytes, kind: str) -> str:
    from office_oxide import Document, OfficeOxideError

    try:
        with Document.from_bytes(data, kind) as document:  # type: ignore[arg-type]
            text: str = document.to_markdown()
    except OfficeOxideError as error:
        locked = any(word in str(error).lower() for word in ("encrypt", "password"))
        raise DocumentError("encrypted" if locked else "corrupt", str(error)) from error
    return text
