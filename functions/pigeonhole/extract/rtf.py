"""RTF: the text of its groups in order, with tables row by row; groups that are no text are skipped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pigeonhole.extract.interface import Metadata, Segment, Source
from pigeonhole.extract.xml_parser import LineBuffer

DEEPEST = 2_000  # groups in groups
CHUNK = 1 << 17  # bytes after which what was read is passed on

# A control word with its number, a byte in hex, a control symbol, a line end; a brace; a run of text.
_TOKEN = re.compile(
    rb"\\(?:([a-zA-Z]{1,32})(-?\d{1,10})? ?|'([0-9a-fA-F]{2})|([^a-zA-Z'\r\n])|[\r\n])|([{}])|([^\\{}\r\n]+)"
)
# Destinations: groups that are no text of the document.
_SKIPPED = frozenset(
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
_READ_STARRED = frozenset(b"shpinst shptxt shppict cs footnote annotation".split())
_STATED_GROUPS = {b"title": "title", b"author": "author", b"creatim": "created", b"revtim": "modified"}
_TIME_WORDS = (b"yr", b"mo", b"dy", b"hr", b"min")
_CHARACTER_OF = {
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
_CELL_ENDS = frozenset((b"cell", b"nestcell", b"row", b"nestrow"))
_SYMBOLS = {b"~": "\u00a0", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}"}
# The numbers of \fcharset.
_CHARSETS = {
    0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gb18030",
    136: "big5", 161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256",
    186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250", 255: "cp437",
}  # fmt: skip
_PLATFORM_ENCODINGS = {b"mac": "mac_roman", b"pc": "cp437", b"pca": "cp850"}


@dataclass(frozen=True, slots=True)
class Group:
    """The state inside one pair of braces, which ends with them.

    `stated` is the metadata that the text is, `after_u` how many characters stand for one given as `\\u`,
    `fonts` whether it is the font table.
    """

    skipped: bool = False
    hidden: bool = False
    stated: str | None = None
    after_u: int = 1
    encoding: str | None = None
    fonts: bool = False


class RtfParser:
    """One reading of a document: its open groups, its fonts' encodings, and bytes not decoded yet."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._group = Group()
        self._open: list[Group] = []
        self._encoding = "cp1252"
        self._fonts: dict[int, str] = {}
        self._font = 0
        self._bytes = bytearray()
        self._skip = 0
        self._starred = False
        self.lines = LineBuffer()
        self.stated: dict[str, str] = {}
        self.pages: int | None = None
        self._times: dict[str, dict[bytes, int]] = {}

    def passages(self) -> Iterator[str]:
        """The text in passages."""
        at, next_passage_at = 0, CHUNK
        while at < len(self._data):
            for token in _TOKEN.finditer(self._data, at):
                at = token.end()
                if jump := self._token(token):
                    at += jump
                    break
                if at > next_passage_at:
                    next_passage_at = at + CHUNK
                    yield from map(_join_surrogates, self.lines.take_passage())
            else:
                break
        self._flush()
        yield from map(_join_surrogates, self.lines.take_rest())

    def metadata(self) -> Metadata:
        """What the document states of itself; complete once all passages were taken."""
        times = {name: time for name, time_words in self._times.items() if (time := _time(time_words))}
        return Metadata(pages_total=self.pages, pages_read=self.pages, **(self.stated | times))  # type: ignore[arg-type]

    @property
    def is_incomplete(self) -> bool:
        """Whether the document ended inside a group: there was more of it once."""
        return bool(self._open)

    def _token(self, token: re.Match[bytes]) -> int:
        """Process one token; how many raw bytes to skip after it."""
        word, number, code, symbol, brace, run = token.groups()
        if run is not None:
            self._run(run)
        elif word is not None:
            return self._word(word, int(number) if number else None)
        elif code is not None:
            self._run(bytes((int(code, 16),)))
        elif brace is not None:
            self._brace(brace)
        elif symbol == b"*":
            self._starred = True
        elif symbol is not None:
            self._add_character(_SYMBOLS.get(symbol, ""))
        else:
            self._add_character("\n")
        return 0

    def _brace(self, brace: bytes) -> None:
        self._flush()
        self._starred, self._skip = False, 0
        if brace == b"{" and len(self._open) < DEEPEST:
            self._open.append(self._group)
        elif brace == b"}" and self._open:
            self._group = self._open.pop()

    def _run(self, run: bytes) -> None:
        if self._skip:
            skipped = min(self._skip, len(run))
            self._skip -= skipped
            run = run[skipped:]
        if not self._group.skipped or self._group.stated:
            self._bytes += run

    def _add_character(self, character: str) -> None:
        self._flush()
        self._write(character)

    def _flush(self) -> None:
        if self._bytes:
            encoding = self._group.encoding or self._encoding
            self._write(self._bytes.decode(encoding, "replace"))
            self._bytes.clear()

    def _write(self, text: str) -> None:
        if self._group.stated:
            self.stated[self._group.stated] = (self.stated.get(self._group.stated, "") + text)[:1_000]
        elif not (self._group.skipped or self._group.hidden):
            self.lines.add(text)

    def _word(self, word: bytes, number: int | None) -> int:
        if word == b"u" and number is not None:
            self._add_character(chr(number % 65_536))
            self._skip = self._group.after_u
            return 0
        self._flush()
        starred, self._starred = self._starred, False
        if word == b"bin":
            return max(0, number or 0)
        if word == b"nofpages" and number and number > 0:
            self.pages = number
        if word in _CELL_ENDS:
            self.lines.remove_line_end()
        if word in _CHARACTER_OF:
            self._write(_CHARACTER_OF[word])
        elif word in _STATED_GROUPS:
            self._group = replace(self._group, skipped=True, stated=_STATED_GROUPS[word])
        elif word in _SKIPPED or (starred and word not in _READ_STARRED):
            self._group = replace(self._group, skipped=True, fonts=word == b"fonttbl")
        else:
            self._setting(word, number)
        return 0

    def _setting(self, word: bytes, number: int | None) -> None:
        if word in _TIME_WORDS and self._group.stated and number:
            self._times.setdefault(self._group.stated, {})[word] = number
        elif word in (b"v", b"deleted"):
            self._group = replace(self._group, hidden=number != 0)
        elif word == b"plain":
            self._group = replace(self._group, hidden=False)
        elif word == b"uc" and number is not None:
            self._group = replace(self._group, after_u=max(0, min(number, 8)))
        elif word == b"ansicpg":
            self._encoding = _codepage(number) or self._encoding
        elif word in _PLATFORM_ENCODINGS:
            self._encoding = _PLATFORM_ENCODINGS[word]
        elif word == b"f" and number is not None:
            self._font = number
            if not self._group.fonts:
                self._group = replace(self._group, encoding=self._fonts.get(number))
        elif word == b"fcharset" and self._group.fonts and number:
            self._fonts[self._font] = _CHARSETS.get(number, self._encoding)


def _time(time_words: dict[bytes, int]) -> str | None:
    """A date in ISO 8601 without a time zone, since none is stated; None for one that cannot be."""
    year, month, day, hour, minute = (time_words.get(word, 0) for word in _TIME_WORDS)
    try:
        return f"{datetime(year, month, day, hour, minute, tzinfo=UTC):%Y-%m-%dT%H:%M:%S}"
    except ValueError:
        return None


def _join_surrogates(text: str) -> str:
    """The text with each surrogate pair made one character: RTF gives characters in units of UTF-16."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _codepage(number: int | None) -> str | None:
    name = {10000: "mac_roman", 936: "gb18030", 65001: "utf-8"}.get(number or 0, f"cp{number}")
    try:
        "".encode(name)
    except LookupError:
        return None
    return name


def read(source: Source) -> Iterator[Segment]:
    """The text, then the metadata; one that breaks off is said to be cut."""
    parser = RtfParser(source.data)
    yield from parser.passages()
    yield parser.metadata()
    if parser.is_incomplete:
        yield Metadata(cut="corrupt", parts_failed=1)
