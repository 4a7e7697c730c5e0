"""The control words of RTF that a reader of text has to know, its encodings and its dates."""

from __future__ import annotations

import re
from datetime import UTC, datetime

# A control word with its number, a byte in hex, a control symbol, a line end; a brace; a run of text.
TOKEN = re.compile(
    rb"\\(?:([a-zA-Z]{1,32})(-?\d{1,10})? ?|'([0-9a-fA-F]{2})|([^a-zA-Z'\r\n])|[\r\n])|([{}])|([^\\{}\r\n]+)"
)
# Destinations: groups that are no text of the document.
SKIPPED = frozenset(
    (
        b"atnauthor atndate atnid atntime atrfend atrfstart bkmkend bkmkstart buptim category "
        b"colorschememapping colortbl company datastore doccomm docvar edmins falt filetbl fldinst fontemb "
        b"fonttbl generator hlinkbase info htmltag latentstyles listoverridetable listtable mhtmltag mmathPr "
        b"nofchars nofcharsws nofpages nofwords nonesttables nonshppict objclass objdata objname oldcprops "
        b"operator panose passwordhash pgptbl pict printim private protusertbl revtbl revtim rsidtbl sp "
        b"stylesheet tc themedata userprops vern version wgrffmtfilter xe xmlnstbl"
    ).split()
)
# A group that begins with \* is for programs that know its destination: of these the text is read.
READ_STARRED = frozenset(b"shpinst shptxt shppict cs footnote annotation".split())
STATED_GROUPS = {b"title": "title", b"author": "author", b"creatim": "created", b"revtim": "modified"}
TIME_WORDS = (b"yr", b"mo", b"dy", b"hr", b"min")
CHARACTER_OF = {
    **dict.fromkeys((b"par", b"line", b"sect", b"page", b"column", b"row", b"nestrow", b"shptxt"), "\n"),
    **dict.fromkeys((b"cell", b"nestcell", b"tab"), "\t"),
    **dict.fromkeys((b"emspace", b"enspace", b"footnote", b"annotation"), " "),
    b"emdash": "\u2014",
    b"endash": "\u2013",
    b"bullet": "\u2022",
    b"lquote": "\u2018",
    b"rquote": "\u2019",
    b"ldblquote": "\u201c",
    b"rdblquote": "\u201d",
}
CELL_ENDS = frozenset((b"cell", b"nestcell", b"row", b"nestrow"))
SYMBOLS = {b"~": "\u00a0", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}"}
# The numbers of \fcharset.
CHARSETS = {
    0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gb18030",
    136: "big5", 161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256",
    186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250", 255: "cp437",
}  # fmt: skip
PLATFORM_ENCODINGS = {b"mac": "mac_roman", b"pc": "cp437", b"pca": "cp850"}


def iso_time(time_words: dict[bytes, int]) -> str | None:
    """A date in ISO 8601 without a time zone, since none is stated; None for one that cannot be."""
    year, month, day, hour, minute = (time_words.get(word, 0) for word in TIME_WORDS)
    try:
        return f"{datetime(year, month, day, hour, minute, tzinfo=UTC):%Y-%m-%dT%H:%M:%S}"
    except ValueError:
        return None


def encoding_of(code_page: int | None) -> str | None:
    """Python's name for the code page of \\ansicpg; None for one that it has not."""
    name = {10000: "mac_roman", 936: "gb18030", 65001: "utf-8"}.get(code_page or 0, f"cp{code_page}")
    try:
        "".encode(name)
    except LookupError:
        return None
    return name
