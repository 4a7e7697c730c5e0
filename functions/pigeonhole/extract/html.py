"""HTML: what a reader of the page would read, headings marked, tables row by row.

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
from pigeonhole.extract.parts import Facts, Part, Source, up_to

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

DEEPEST = 2_000
PIECE = 1 << 14
LONGEST = 24_000_000  # bytes of one page: its markup may be many times its text
MOST_TAGS = 1_000_000
HEAD = 4_096
STATED = 16_384
NAVIGATION_CHARS = 200
LONGEST_ALT = 300
FEW_SCRIPTS = 3

_DROPPED = "script,style,noscript,template,svg,iframe,object,select,[hidden]"
_NAVIGATION = "nav,[role=navigation]"
_META = re.compile(r"<meta\b[^<>]*+>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""(?<![\w:.-])([\w:.-]{1,40}+)\s{0,9}+=\s{0,9}+(?:"([^"]*+)"|'([^']*+)'|([^\s"'<>]++))"""
)
_FACTS = {
    **dict.fromkeys(("author", "dc.creator", "dcterms.creator", "article:author"), "author"),
    **dict.fromkeys(("date", "dc.date", "dcterms.created", "article:published_time"), "created"),
    **dict.fromkeys(("last-modified", "dcterms.modified", "article:modified_time"), "modified"),
}
_CHARSET = re.compile(rb"""charset\s{0,9}=\s{0,9}["']?\s{0,9}([\w.:-]{2,40})""", re.IGNORECASE)
_LINE, _TAB = "\x1e", "\x1f"
_SIGNS = (_LINE, _TAB, rowspans.OPEN, rowspans.SHUT)
_BLOCKS = (  # by their first letters, which most tags fail
    "p(?:re)?|d(?:iv|[tdl]|etails|ialog)|l(?:i|egend)|[uo]l|h(?:[1-6r]|eader|group)|b(?:r|utton|lockquote)|"
    "a(?:rticle|side|ddress)|s(?:ection|ummary)|f(?:ooter|orm|ieldset|ig(?:ure|caption))|m(?:ain|enu)|"
    "table|c(?:aption|enter)|option"
)
_NOT_NESTING = "br|hr|img|input|meta|link|p|li|option|dt|dd|col"
_STEPS = {"": 1, "/": -1}
_MARKS = "#-|"
# Closed in themselves, as XHTML may have them, these would hide from an HTML parser all that follows.
_SELF_CLOSED = re.compile(
    r"<(title|script|style|textarea|iframe|noscript|noframes|template|object|select|nav)\b([^<>]*)/>"
)
_CAPITALS = re.compile(r"<[A-Z/][A-Z1-6\s>]")


class _Tags:
    """The patterns that find tags: those in small letters alone run several times as fast."""

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


def read(source: Source) -> Iterator[Part]:
    """The page's text, after its title."""
    yield from page(source.data)


def page(data: bytes | str) -> Iterator[Part]:
    """A page's title and text; of the longest, what fits."""
    markup = _characters(data[:LONGEST]) if isinstance(data, bytes) else data[:LONGEST]
    fitting = up_to(MOST_TAGS, "<", markup)
    title, text = convert(fitting)
    yield Facts(title=title or None, **_stated(markup[:STATED]))  # type: ignore[arg-type]
    yield text
    if len(data) > LONGEST or len(fitting) < len(markup):
        yield Facts(cut="chars")


def _stated(head: str) -> dict[str, str]:
    """Author and dates, as the page's head states them."""
    said: dict[str, str] = {}
    for tag in _META.findall(head):
        at = {name.lower(): value for name, *values in _ATTRIBUTE.findall(tag) for value in values if value}
        fact = _FACTS.get((at.get("name") or at.get("property") or "").lower())
        if fact and (value := unescape(at.get("content", "")).strip()):
            said.setdefault(fact, value)
    return said


def inside(data: bytes | str) -> Iterator[Part]:
    """What a page says that is part of a document with a title of its own."""
    yield from (part for part in page(data) if not isinstance(part, Facts) or part.cut)


def _characters(data: bytes) -> str:
    """The markup of a page that may say its encoding itself."""
    declared = _CHARSET.search(data[:HEAD])
    return decode(data, declared.group(1).decode("ascii") if declared else None)


def convert(markup: str) -> tuple[str, str]:
    """A page's title and text."""
    from selectolax.lexbor import LexborHTMLParser, SelectolaxError

    if "xmlns" in markup[:HEAD] and "/>" in markup:
        markup = _SELF_CLOSED.sub(r"<\1\2></\1>", markup)
    markup = _unscripted(markup)
    tags = _ANY_CASE if _CAPITALS.search(markup) else _SMALL
    if _deep(markup, tags):
        return "", _stripped(markup, tags)
    try:
        page = LexborHTMLParser(_marked(markup, tags))
    except SelectolaxError:  # no markup is wrong to it: there was no memory for so many tags
        return "", _stripped(markup, tags)
    heading = page.css_first("title")
    title = " ".join(heading.text().replace(_LINE, " ").split()) if heading else ""
    _drop(page, _DROPPED)
    if "rowspan" in markup:
        rowspans.fill(page)
    whole = text = page.body.text(separator="") if page.body else ""
    if _drop(page, _NAVIGATION):
        text = page.body.text(separator="") if page.body else ""
    return title, _squeezed(text if len(text.strip()) > NAVIGATION_CHARS else whole)


def _stripped(markup: str, tags: _Tags) -> str:
    """The text without the help of a parser, whose tree would be too deep or too large."""
    return _squeezed(tags.any.sub("", _marked(_seen(markup, tags), tags)))


def _drop(page: LexborHTMLParser, selector: str) -> bool:
    """Whether there was anything to drop."""
    dropped = page.css(selector)
    for tag in dropped:
        tag.decompose()
    return bool(dropped)


def _deep(markup: str, tags: _Tags) -> bool:
    """Whether tags are nested so deeply that a parser would take quadratic time."""
    if not _perhaps_deep(markup):
        return False
    return max(accumulate(map(_STEPS.__getitem__, tags.opening.findall(markup))), default=0) > DEEPEST


def _perhaps_deep(markup: str) -> bool:
    """The same by counting alone, as if every tag could nest and all of a piece were open at once."""
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
    """The markup less its scripts and styles, often most of it, as far as each is closed."""
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


def _seen(markup: str, tags: _Tags) -> str:
    """The markup less its scripts, styles and comments; what is never closed hides the rest."""
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
    """The markup with a sign where a line or a cell begins: in tables inside cells, or it would move."""
    for sign in _SIGNS:
        markup = markup.replace(sign, " ")
    if "alt=" in markup:
        markup = tags.image.sub(_described, markup)
    if "</pre" in markup or "</PRE" in markup:
        markup = _preformatted(markup, tags)
    markup = tags.first_cell.sub(rf"\g<0>{_LINE}", markup)
    markup = tags.cell.sub(rf"\g<0>{_TAB}", markup)
    markup = tags.heading.sub(lambda tag: f"{_LINE}{tag.group()}{'#' * int(tag.group(1))} ", markup)
    markup = tags.item.sub(r"\g<0>- ", markup)
    return tags.block.sub(f"{_LINE}<", markup)


def _described(image: re.Match[str]) -> str:
    """The tag, and after it the words that stand for the image."""
    tag = image.group()
    _, _, said = tag.partition(" alt=")
    if not said.startswith(('"', "'")):
        return tag
    words, quote, _ = said[1 : LONGEST_ALT + 2].partition(said[0])
    return f"{tag}{words}" if quote else tag


def _preformatted(markup: str, tags: _Tags) -> str:
    """Line ends inside <pre> are the author's."""
    pieces = tags.pre.split(markup)
    inside = False
    for at, piece in enumerate(pieces):
        if at % 2:
            inside = not piece.startswith("</")
        elif inside:
            pieces[at] = piece.replace("\n", _LINE)
    return "".join(pieces)


def _squeezed(text: str) -> str:
    for space in "\n\t\r\xa0":
        text = text.replace(space, " ")
    text = rowspans.settled(text).replace(_TAB, " | ")
    lines = [line.strip(" ") for line in text.split(_LINE)]
    lines = [" ".join(line.split()) if "  " in line else line for line in lines]
    return "\n".join([line for line in lines if line and (line[0] not in _MARKS or line.strip("#-| "))])
