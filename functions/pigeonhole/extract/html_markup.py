"""The markup of an HTML page as a string: made ready for the parser, and the parser's text made lines.

Every pattern here takes linear time on any markup: none looks for an end that may not come.
"""

from __future__ import annotations

import re
from itertools import accumulate

from pigeonhole.extract import rowspans

DEEPEST = 2_000  # elements in elements
PIECE = 1 << 14  # characters, of which the tags are counted at a time
LONGEST_ALT = 300
FEW_SCRIPTS = 3  # fewer are left to the parser, which is as fast

# Control characters that mark where a line and a cell begin, until the tags are gone.
LINE, _TAB = "\x1e", "\x1f"
_CONTROL_CHARACTERS = (LINE, _TAB, rowspans.OPEN, rowspans.SHUT)
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


class Tags:
    """The patterns that find tags; those for small letters alone run several times as fast."""

    def __init__(self, flags: re.RegexFlag) -> None:
        self.pre = re.compile(r"(<pre\b[^<>]*>|</pre\b)", flags)
        self.block = re.compile(rf"<(?=/?(?:{_BLOCKS})\b)", flags)
        self.heading = re.compile(r"<h([1-6])\b[^<>]*>", flags)
        self.first_cell = re.compile(r"<tr\b[^<>]*>\s*+<t[dh]\b[^<>]*>", flags)
        self.cell = re.compile(rf"<t[dh]\b[^<>]*>(?:\s*+<t[dh]\b[^<>]*>)?(?!{LINE})", flags)
        self.image = re.compile(r"<img\b[^<>]*>", flags)
        self.item = re.compile(r"<li\b[^<>]*>", flags)
        self.opening = re.compile(rf"<(/?)(?!(?:{_NOT_NESTING})\b)[a-z]", flags)
        self.unseen = re.compile(r"<(?:script|style|!--)", flags)
        self.any = re.compile(r"<[a-z/!?][^<>]*>", flags)


_SMALL, _ANY_CASE = Tags(re.RegexFlag(0)), Tags(re.IGNORECASE)


def tags_of(markup: str) -> Tags:
    """The patterns for this markup, whose tags may be in capitals."""
    return _ANY_CASE if _CAPITALS.search(markup) else _SMALL


def without_self_closing(markup: str) -> str:
    """The markup with an end tag for each element that XHTML closes in itself and HTML does not."""
    return _SELF_CLOSED.sub(r"<\1\2></\1>", markup)


def is_deep(markup: str, tags: Tags) -> bool:
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


def without_scripts(markup: str) -> str:
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


def _visible(markup: str, tags: Tags) -> str:
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


def marked(markup: str, tags: Tags) -> str:
    """The markup with a control character where a line or a cell begins, so that plain text shows it.

    In tables it stands inside the cells: a parser moves text that stands between them out of the table.
    """
    for character in _CONTROL_CHARACTERS:
        markup = markup.replace(character, " ")
    if "alt=" in markup:
        markup = tags.image.sub(_with_alt, markup)
    if "</pre" in markup or "</PRE" in markup:
        markup = _preformatted(markup, tags)
    markup = tags.first_cell.sub(rf"\g<0>{LINE}", markup)
    markup = tags.cell.sub(rf"\g<0>{_TAB}", markup)
    markup = tags.heading.sub(lambda tag: f"{LINE}{tag.group()}{'#' * int(tag.group(1))} ", markup)
    markup = tags.item.sub(r"\g<0>- ", markup)
    return tags.block.sub(f"{LINE}<", markup)


def _with_alt(image: re.Match[str]) -> str:
    """The tag of an image, and after it its alternative text."""
    tag = image.group()
    _, _, alt = tag.partition(" alt=")
    if not alt.startswith(('"', "'")):
        return tag
    words, quote, _ = alt[1 : LONGEST_ALT + 2].partition(alt[0])
    return f"{tag}{words}" if quote else tag


def _preformatted(markup: str, tags: Tags) -> str:
    """The markup with the line ends inside `<pre>` kept, which elsewhere are spaces."""
    pieces = tags.pre.split(markup)
    inside = False
    for at, piece in enumerate(pieces):
        if at % 2:
            inside = not piece.startswith("</")
        elif inside:
            pieces[at] = piece.replace("\n", LINE)
    return "".join(pieces)


def text_of(text: str) -> str:
    """The text with its marks made lines and cells, and without empty lines and repeated spaces."""
    for space in "\n\t\r\xa0":
        text = text.replace(space, " ")
    text = rowspans.move_into_cells(text).replace(_TAB, " | ")
    lines = [line.strip(" ") for line in text.split(LINE)]
    lines = [" ".join(line.split()) if "  " in line else line for line in lines]
    return "\n".join([line for line in lines if line and (line[0] not in _MARKERS or line.strip("#-| "))])


def text_without_tree(markup: str, tags: Tags) -> str:
    """The text by patterns alone, for a page whose tree would be too deep or too large."""
    return text_of(tags.any.sub("", marked(_visible(markup, tags), tags)))
