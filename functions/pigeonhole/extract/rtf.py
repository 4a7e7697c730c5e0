"""RTF: the text of its groups in order, with tables row by row; groups that are no text are skipped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pigeonhole.extract.interface import Metadata, NotRead, Segment, Source
from pigeonhole.extract.line_buffer import LineBuffer
from pigeonhole.extract.rtf_words import (
    CELL_ENDS,
    CHARACTER_OF,
    CHARSETS,
    PLATFORM_ENCODINGS,
    READ_STARRED,
    SKIPPED,
    STATED_GROUPS,
    SYMBOLS,
    TIME_WORDS,
    TOKEN,
    encoding_of,
    iso_time,
)

DEEPEST = 2_000  # groups in groups
CHUNK = 1 << 17  # bytes after which what was read is passed on


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
            for token in TOKEN.finditer(self._data, at):
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
        times = {name: time for name, time_words in self._times.items() if (time := iso_time(time_words))}
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
            self._add_character(SYMBOLS.get(symbol, ""))
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
        if word in CELL_ENDS:
            self.lines.remove_line_end()
        if word in CHARACTER_OF:
            self._write(CHARACTER_OF[word])
        elif word in STATED_GROUPS:
            self._group = replace(self._group, skipped=True, stated=STATED_GROUPS[word])
        elif word in SKIPPED or (starred and word not in READ_STARRED):
            self._group = replace(self._group, skipped=True, fonts=word == b"fonttbl")
        else:
            self._setting(word, number)
        return 0

    def _setting(self, word: bytes, number: int | None) -> None:
        if word in TIME_WORDS and self._group.stated and number:
            self._times.setdefault(self._group.stated, {})[word] = number
        elif word in (b"v", b"deleted"):
            self._group = replace(self._group, hidden=number != 0)
        elif word == b"plain":
            self._group = replace(self._group, hidden=False)
        elif word == b"uc" and number is not None:
            self._group = replace(self._group, after_u=max(0, min(number, 8)))
        elif word == b"ansicpg":
            self._encoding = encoding_of(number) or self._encoding
        elif word in PLATFORM_ENCODINGS:
            self._encoding = PLATFORM_ENCODINGS[word]
        elif word == b"f" and number is not None:
            self._font = number
            if not self._group.fonts:
                self._group = replace(self._group, encoding=self._fonts.get(number))
        elif word == b"fcharset" and self._group.fonts and number:
            self._fonts[self._font] = CHARSETS.get(number, self._encoding)


def _join_surrogates(text: str) -> str:
    """The text with each surrogate pair made one character: RTF gives characters in units of UTF-16."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def read(source: Source) -> Iterator[Segment]:
    """The text, then the metadata; one that breaks off is said to be cut."""
    parser = RtfParser(source.data)
    yield from parser.passages()
    yield parser.metadata()
    if parser.is_incomplete:
        yield NotRead(name="the rest", reason="corrupt")
