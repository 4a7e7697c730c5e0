"""HTML, by lexbor: the text that a page shows, headings marked, tables row by row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import TYPE_CHECKING

from pigeonhole.extract import html_markup, rowspans
from pigeonhole.extract.decode import decode
from pigeonhole.extract.interface import Metadata, NotRead, Segment, Source, truncated

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

LONGEST_PAGE = 24_000_000  # bytes of one page: its markup may be many times its text
MOST_TAGS = 1_000_000
HEAD = 4_096  # of a page: where it names its encoding and its namespace
META_CHARS = 16_384  # of a page: where its metadata stand
NAVIGATION_CHARS = 200  # a page with less text than that beside its navigation keeps the navigation

_HIDDEN = "script,style,noscript,template,svg,iframe,object,select,[hidden]"
_NAVIGATION = "nav,[role=navigation]"
_META = re.compile(r"<meta\b[^<>]*+>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""(?<![\w:.-])([\w:.-]{1,40}+)\s{0,9}+=\s{0,9}+(?:"([^"]*+)"|'([^']*+)'|([^\s"'<>]++))"""
)
_META_NAMES = {
    **dict.fromkeys(("author", "dc.creator", "dcterms.creator", "article:author"), "author"),
    **dict.fromkeys(("date", "dc.date", "dcterms.created", "article:published_time"), "created"),
    **dict.fromkeys(("last-modified", "dcterms.modified", "article:modified_time"), "modified"),
}
_CHARSET = re.compile(rb"""charset\s{0,9}=\s{0,9}["']?\s{0,9}([\w.:-]{2,40})""", re.IGNORECASE)


def read(source: Source) -> Iterator[Segment]:
    """The page's text, after its title."""
    yield from read_page(source.data)


def read_page(data: bytes | str) -> Iterator[Segment]:
    """A page's metadata and text; of a very long one, the beginning."""
    markup = _decoded(data[:LONGEST_PAGE]) if isinstance(data, bytes) else data[:LONGEST_PAGE]
    fitting = truncated(markup, most=MOST_TAGS, separator="<")
    title, text = convert(fitting)
    yield Metadata(title=title or None, **_stated(markup[:META_CHARS]))  # type: ignore[arg-type]
    yield text
    if len(data) > LONGEST_PAGE or len(fitting) < len(markup):
        yield NotRead(name="the rest of the page", reason="chars", parts=0)


def _stated(head: str) -> dict[str, str]:
    """Author and dates, as the `meta` elements of the page's head state them."""
    stated: dict[str, str] = {}
    for tag in _META.findall(head):
        at = {name.lower(): value for name, *values in _ATTRIBUTE.findall(tag) for value in values if value}
        field = _META_NAMES.get((at.get("name") or at.get("property") or "").lower())
        if field and (value := unescape(at.get("content", "")).strip()):
            stated.setdefault(field, value)
    return stated


def read_embedded(data: bytes | str) -> Iterator[Segment]:
    """The text of a page that is part of a document with metadata of its own."""
    yield from (segment.counts if isinstance(segment, Metadata) else segment for segment in read_page(data))


def _decoded(data: bytes) -> str:
    """The markup of a page, which may name its encoding itself."""
    declared = _CHARSET.search(data[:HEAD])
    return decode(data, declared.group(1).decode("ascii") if declared else None)


def convert(markup: str) -> tuple[str, str]:
    """A page's title and text; each is empty where there is none."""
    from selectolax.lexbor import LexborHTMLParser, SelectolaxError

    if "xmlns" in markup[:HEAD] and "/>" in markup:
        markup = html_markup.without_self_closing(markup)
    markup = html_markup.without_scripts(markup)
    tags = html_markup.tags_of(markup)
    if html_markup.is_deep(markup, tags):
        return "", html_markup.text_without_tree(markup, tags)
    try:
        tree = LexborHTMLParser(html_markup.marked(markup, tags))
    except SelectolaxError:  # no markup is wrong to it: there was no memory for so many tags
        return "", html_markup.text_without_tree(markup, tags)
    heading = tree.css_first("title")
    title = " ".join(heading.text().replace(html_markup.LINE, " ").split()) if heading else ""
    _remove(tree, _HIDDEN)
    if "rowspan" in markup:
        rowspans.fill(tree)
    whole = text = tree.body.text(separator="") if tree.body else ""
    if _remove(tree, _NAVIGATION):
        text = tree.body.text(separator="") if tree.body else ""
    return title, html_markup.text_of(text if len(text.strip()) > NAVIGATION_CHARS else whole)


def _remove(tree: LexborHTMLParser, selector: str) -> bool:
    """Remove what a selector finds; whether there was anything."""
    removed = tree.css(selector)
    for tag in removed:
        tag.decompose()
    return bool(removed)
