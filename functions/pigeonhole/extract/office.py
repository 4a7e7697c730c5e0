"""Word and PowerPoint documents, old and new, by office_oxide, less the Markdown that parts words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import legacy, ooxml, ppt_outline
from pigeonhole.extract.interface import Metadata, NotRead, Segment, Source
from pigeonhole.extract.nested import read_picture

_EMPTY_CELLS = re.compile(r"(?:\|(?: ---)? {1,2}){12,}(?=\|)")
_EAST_ASIAN = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
_SLIDE = re.compile(r"^## Slide \d+$", re.MULTILINE)
_ESCAPE = re.compile(r"\\([^\w\s])|\*{1,3}|~~")
# The notes that office_oxide puts in the place of what it leaves out; it reports that nowhere else.
_OMISSION = re.compile(
    r"^[#|>\s-]*\\?\[(?:(unreadable (?:sheet|slide))|((?:content|text box|nested tables?)\b[^\]\n]{0,60}deep)"
    r"|(?:output|pivot cache|workbook) truncated|[^\]\n]{0,80}(?:document|worksheet) truncated)",
    re.MULTILINE,
)
# A link or a picture; in text that is neither, office_oxide puts a backslash before each bracket.
_LINK = re.compile(
    r"!?(?<!\\)\[([^\[\]\n]*+(?:\[[^\[\]\n]*+\][^\[\]\n]*+)?+)\]"
    r"\((?:(?:#|[a-z][a-z0-9+.-]*+:)[^\s()]*+(?:\([^\s()]*+\)[^\s()]*+)*+)?+\)",
    re.IGNORECASE,
)
_OMISSION_WORDS = ("[unreadable ", "deep", "truncated")
_TAGS = ("<sup>", "</sup>", "<sub>", "</sub>", "<u>", "</u>")


def read(source: Source) -> Iterator[Segment]:
    """The document's text, after its metadata; its pictures when it has no text.

    Raises DocumentError `encrypted` or `corrupt`.
    """
    metadata = ooxml.metadata(source) if _is_zip(source) else legacy.metadata(source.data)
    yield metadata
    text = _markdown(source)
    yield _unescaped(text)
    pages = len(_SLIDE.findall(text)) if source.format_name == "ppt" else metadata.pages_total
    yield Metadata(pages_total=pages, pages_read=pages)
    yield from _omissions(text)
    if source.format_name == "xlsx":
        yield from _missing_sheets(source, text)
    if _is_zip(source) and len(text.strip()) < source.limits.scan_chars:
        for name, data in ooxml.pictures(source):
            yield from read_picture(source, name, data)


def _unescaped(markdown: str) -> str:
    """Markdown with its headings, lists and tables, but without escapes, emphasis and link targets.

    Those would stand between the words of a sentence, and a quotation of it would not be found.
    """
    if "|  |  |  |" in markdown:
        markdown = _EMPTY_CELLS.sub("", markdown)
    if "<" in markdown:
        markdown = markdown.replace("<br>", " ")
        for tag in _TAGS:
            markdown = markdown.replace(tag, "")
    if "](" in markdown:
        markdown = _LINK.sub(r"\1", markdown)
    if any(character in markdown for character in "\\*~"):
        markdown = _ESCAPE.sub(r"\1", markdown)
    return markdown


def _omissions(text: str) -> Iterator[NotRead]:
    """What office_oxide notes that it left out."""
    may_have_any = "[" in text and any(word in text for word in _OMISSION_WORDS)
    for found in _OMISSION.finditer(text) if may_have_any else ():
        if found[1]:
            yield NotRead(name=found[1].removeprefix("unreadable "), reason="corrupt")
        else:
            yield (
                NotRead(name="what is nested more deeply", reason="too_deep")
                if found[2]
                else NotRead(name="the rest", reason="chars", parts=0)
            )


def _missing_sheets(source: Source, text: str) -> Iterator[Segment]:
    """Sheets that the workbook names and the text has not: office_oxide skips what it cannot read."""
    names = ooxml.sheet_names(source)
    sheets_read = sum(f"## {name}" in text for name in names)
    yield Metadata(pages_total=len(names) or None, pages_read=sheets_read)
    if sheets_read < len(names):
        left = len(names) - sheets_read
        yield NotRead(name=f"{left} sheets", reason="corrupt", parts=left)


def _is_zip(source: Source) -> bool:
    return source.data.startswith(b"PK")


def _markdown(source: Source) -> str:
    text = _converted(source.data, source.format_name)
    if source.format_name == "docx" and not text.isascii() and _EAST_ASIAN.search(text):
        with suppress(DocumentError):
            # office_oxide leaves out the very words that have a ruby annotation above them
            if without_ruby := ooxml.without_ruby(source):
                return _converted(without_ruby, source.format_name)
    if source.format_name == "doc" and not text.isascii():
        return legacy.redecoded(source.data, text)
    return ppt_outline.with_outline(source.data, text) if source.format_name == "ppt" else text


def _converted(data: bytes, format_name: str) -> str:
    from office_oxide import Document, OfficeOxideError

    try:
        with Document.from_bytes(data, format_name) as document:  # type: ignore[arg-type]
            text: str = document.to_markdown()
    except OfficeOxideError as error:
        encrypted = any(word in str(error).lower() for word in ("encrypt", "password"))
        raise DocumentError("encrypted" if encrypted else "corrupt", str(error)) from error
    return text
