"""HTML, by lexbor: the text that a page shows, headings marked, tables row by row.

Every pattern here takes linear time on any markup: none looks for an end that may not come.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from itertools import accumulate
from typing import TYPE_CHECKING

from pigeonhole.extract import rowspans
from pigeonhole.extract.decode import decode
from pigeonhole.extract.interface import Metadata, Segment, Source, truncated

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

DEEPEST = 2_000  # elements in elements
PIECE = 1 << 14  # characters, of which the tags are counted at a time
LONGEST_PAGE = 24_000_000  # bytes of one page: its markup may be many times its text
MOST_TAGS = 1_000_000
HEAD = 4_096  # of a page: where it names its encoding and its namespace
META_CHARS = 16_384  # of a page: where its metadata stand
NAVIGATION_CHARS = 200  # a page with less text than that beside its navigation keeps the navigation
LONGEST_ALT = 300
FEW_SCRIPTS = 3  # fewer are left to the parser, which is as fast

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
# Control characters that mark where a line and a cell begin, until the tags are gone.
_LINE, _TAB = "\x1e", "\x1f"
_CONTROL_MARKS = (_LINE, _TAB, rowspans.OPEN, rowspans.SHUT)
_BLOCKS = (  # grouped by their first letters, at which most tags fail
    "p(?:re)?|d(?:iv|[tdl]|etails|ialog)|l(?:i|egend)|[uo]l|h(?:[1-6r]|eader|group)|b(?:r|utton|lockquote)|"
    "a(?:rticle|side|ddress)|s(?:ection|ummary)|f(?:ooter|orm|ieldset|ig(?:ure|caption))|m(?:ain|enu)|"
    "table|c(?:aption|enter)|option"
)
_NOT_NESTING = "br|hr|img|input|meta|link|p|li|option|dt|dd|col"
_DEPTH_CHANGES = {"": 1, "/": -1}
_MARKERS = "#-|"  # a line of these alone has no words
# Elements that XHTML may close in themselves: an HTML parser would take all that follows for their content.
_SELF_CLOSED = re.compile(
    r"<(title|script|style|textarea|iframe|noscript|noframes|template|object|select|nav)\b([^<>]*)/>"
)
_CAPITALS = re.compile(r"<[A-Z/][A-Z1-6\s>]")


class _Tags:
    """The patterns that find tags; those for small letters alone run several times as fast."""

    def __init__(self, flags: re.RegexFlag) -> None:
        self.pre = re.compile(r"(<pre\b[^<>]*>|</pre\b)", flags)
        self.block = re.compile(rf"<(?=/?(?:{_BLOCKS})\b)", flags)
        self.heading = re.compile(r"<h([1-6])\b[^<>]*>", flags)
        self.first_cell = re.compile(r"<tr\b[^<>]*>\s*+<t[dh]\b[^<>]*>", flags)
        self.cell = re.compile(rf"<t[dh]\b[^<>]*>(?:\s*+<t[dh]\b[^<>]*>)?(?!{_LINE})", flags)
        self.image = re.compile(r"<img\b[^<>]*>", flags)
        self.item = re.compile(r"<li\b[^<>]*>", flags)
        self.opening = re.compile(rf"<(/?)(?!(?:{_NOT_NESTING})\b)[a-z]", flags)
        self.unseen = re.compile(r"<(?:script|style|!--)", flags)
        self.any = re.compile(r"<[a-z/!?][^<>]*>", flags)


_SMALL, _ANY_CASE = _Tags(re.RegexFlag(0)), _Tags(re.IGNORECASE)


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
        yield Metadata(cut="chars")


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
    yield from (segment for segment in read_page(data) if not isinstance(segment, Metadata) or segment.cut)


def _decoded(data: bytes) -> str:
    """The markup of a page, which may name its encoding itself."""
    declared = _CHARSET.search(data[:HEAD])
    return decode(data, declared.group(1).decode("ascii") if declared else None)


def convert(markup: str) -> tuple[str, str]:
    """A page's title and text; each is empty where there is none."""
    from selectolax.lexbor import LexborHTMLParser, SelectolaxError

    if "xmlns" in markup[:HEAD] and "/>" in markup:
        markup = _SELF_CLOSED.sub(r"<\1\2></\1>", markup)
    markup = _unscripted(markup)
    tags = _ANY_CASE if _CAPITALS.search(markup) else _SMALL
    if _is_deep(markup, tags):
        return "", _without_tree(markup, tags)
    try:
        tree = LexborHTMLParser(_marked(markup, tags))
    except SelectolaxError:  # no markup is wrong to it: there was no memory for so many tags
        return "", _without_tree(markup, tags)
    heading = tree.css_first("title")
    title = " ".join(heading.text().replace(_LINE, " ").split()) if heading else ""
    _remove(tree, _HIDDEN)
    if "rowspan" in markup:
        rowspans.fill(tree)
    whole = text = tree.body.text(separator="") if tree.body else ""
    if _remove(tree, _NAVIGATION):
        text = tree.body.text(separator="") if tree.body else ""
    return title, _text_of(text if len(text.strip()) > NAVIGATION_CHARS else whole)


def _without_tree(markup: str, tags: _Tags) -> str:
    """The text by patterns alone, for a page whose tree would be too deep or too large."""
    return _text_of(tags.any.sub("", _marked(_visible(markup, tags), tags)))


def _remove(tree: LexborHTMLParser, selector: str) -> bool:
    """Remove what a selector finds; whether there was anything."""
    removed = tree.css(selector)
    for tag in removed:
        tag.decompose()
    return bool(removed)


def _is_deep(markup: str, tags: _Tags) -> bool:
    """Whether tags are nested so deeply that the parser would take quadratic time."""
    if not _may_be_deep(markup):
        return False
    return max(accumulate(map(_DEPTH_CHANGES.__getitem__, tags.opening.findall(markup))), default=0) > DEEPEST


def _may_be_deep(markup: str) -> bool:
    """A cheap upper bound by counting, as if every tag could nest and all of a piece were open at once."""
    depth = 0
    for at in range(0, len(markup), PIECE):
        piece = markup[at : at + PIECE]
        ends = piece.count("</")
        begins = piece.count("<") - ends - piece.count("<br") - piece.count("<img")
        if depth + begins > DEEPEST:
            return True
        depth += begins - ends
    return False


def _unscripted(markup: str) -> str:
    """The markup without its scripts and styles, often most of it, as far as each is closed."""
    if markup.count("<script") + markup.count("<style") < FEW_SCRIPTS:
        return markup
    kept, done, at = [], 0, 0
    while unseen := _SMALL.unseen.search(markup, at):
        end = "-->" if unseen.group() == "<!--" else f"</{unseen.group()[1:]}"
        at = markup.find(end, unseen.end())
        if at < 0:
            break
        if end != "-->":
            kept.append(markup[done : unseen.start()])
            done = at = markup.find(">", at) + 1 or len(markup)
    return "".join([*kept, markup[done:]])


def _visible(markup: str, tags: _Tags) -> str:
    """The markup without its scripts, styles and comments; one that is never closed hides the rest."""
    kept, at = [], 0
    low = markup.lower()
    while unseen := tags.unseen.search(markup, at):
        kept.append(markup[at : unseen.start()])
        end = "-->" if unseen.group() == "<!--" else f"</{unseen.group()[1:].lower()}"
        at = low.find(end, unseen.end())
        if at < 0:
            return "".join(kept)
        at += 3 if end == "-->" else 0
    return "".join([*kept, markup[at:]])


def _marked(markup: str, tags: _Tags) -> str:
    """The markup with a control character where a line or a cell begins, so that plain text shows it.

    In tables it stands inside the cells: a parser moves text that stands between them out of the table.
    """
    for mark in _CONTROL_MARKS:
        markup = markup.replace(mark, " ")
    if "alt=" in markup:
        markup = tags.image.sub(_with_alt, markup)
    if "</pre" in markup or "</PRE" in markup:
        markup = _preformatted(markup, tags)
    markup = tags.first_cell.sub(rf"\g<0>{_LINE}", markup)
    markup = tags.cell.sub(rf"\g<0>{_TAB}", markup)
    markup = tags.heading.sub(lambda tag: f"{_LINE}{tag.group()}{'#' * int(tag.group(1))} ", markup)
    markup = tags.item.sub(r"\g<0>- ", markup)
    return tags.block.sub(f"{_LINE}<", markup)


def _with_alt(image: re.Match[str]) -> str:
    """The tag of an image, and after it its alternative text."""
    tag = image.group()
    _, _, alt = tag.partition(" alt=")
    if not alt.startswith(('"', "'")):
        return tag
    words, quote, _ = alt[1 : LONGEST_ALT + 2].partition(alt[0])
    return f"{tag}{words}" if quote else tag


def _preformatted(markup: str, tags: _Tags) -> str:
    """The markup with the line ends inside `<pre>` kept, which elsewhere are spaces."""
    pieces = tags.pre.split(markup)
    inside = False
    for at, piece in enumerate(pieces):
        if at % 2:
            inside = not piece.startswith("</")
        elif inside:
            pieces[at] = piece.replace("\n", _LINE)
    return "".join(pieces)


def _text_of(text: str) -> str:
    """The text with its marks made lines and cells, and without empty lines and repeated spaces."""
    for space in "\n\t\r\xa0":
        text = text.replace(space, " ")
    text = rowspans.move_into_cells(text).replace(_TAB, " | ")
    lines = [line.strip(" ") for line in text.split(_LINE)]
    lines = [" ".join(line.split()) if "  " in line else line for line in lines]
    return "\n".join([line for line in lines if line and (line[0] not in _MARKERS or line.strip("#-| "))])
