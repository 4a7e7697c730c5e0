"""Noise out of a passage: control characters, soft hyphens, trackers, encoded bytes; never words.

Most passages have none of it, so each sort is looked for by its cheapest sign first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from pigeonhole.domain.document import PageImage
from pigeonhole.extract.interface import Attached, Hidden, Metadata, NotRead, Segment
from pigeonhole.extract.limits import Limits
from pigeonhole.extract.urls import shorten_urls

LONGEST_WORD = 60
SHORTEST_BASE64 = 240
LONGEST_STATED = 500  # characters of a title, an author or a date
LONGEST_NAME = 200  # characters of the name of a part
STATED = ("title", "author", "created", "modified")

_HYPHEN = re.compile("[\x02\xad][ \t]*\r?\n?")  # pdfium gives a hyphen at a line's end as U+0002
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f\u200b\ufeff\ufffe\uffff\ud800-\udfff]")
_ZERO_WIDTH = "\u200b\ufeff\ufffe\uffff"
_CONTROL_CHARACTERS = "".join(map(chr, (*range(9), *range(14, 32), 127)))
_DATA_URI = re.compile(r"data:([\w.+-]+/[\w.+-]+)[\w;=.-]*;base64,[A-Za-z0-9+/]*={0,2}")
_BASE64 = re.compile(
    r"(?<![A-Za-z0-9+/])"
    r"(?:[A-Za-z0-9+/]{60,}+={0,2}(?:\s++[A-Za-z0-9+/]{60,}+={0,2}){3,}+(?:\s++[A-Za-z0-9+/]++={1,2})?"
    r"|[A-Za-z0-9+/]{240,}+={0,2})"
)
_NOT_BASE64 = ' \t\n<>".-'
_GAP = re.compile(r"\n{3,}")


def tidy_segments(segments: Iterable[Segment], limits: Limits) -> Iterator[Segment]:
    """The segments without noise, up to `limits.chars` characters; the last then says that more was cut."""
    chars_left = limits.chars
    for segment in segments:
        match segment:
            case Metadata():
                stated = {name: _one_line(getattr(segment, name), LONGEST_STATED) for name in STATED}
                yield replace(segment, **stated)  # type: ignore[arg-type]
            case Attached() | NotRead():
                yield replace(segment, name=_one_line(segment.name, LONGEST_NAME) or "part without a name")
            case Hidden():
                yield Hidden(tidy(segment.words[: limits.chars]))
            case PageImage():
                yield segment
            case str() if passage := tidy(segment):
                yield passage[:chars_left]
                chars_left -= len(passage)
                if chars_left < 0:
                    yield NotRead(name="the rest", reason="chars", parts=0)
                    return


def _one_line(value: str | None, longest: int) -> str | None:
    return " ".join(tidy(value).split())[:longest] if value else None


def tidy(text: str) -> str:
    """The passage as a person would have typed it."""
    if "\x02" in text or "\xad" in text:
        text = _HYPHEN.sub("", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.replace("\x0c", "\n").replace("\x0b", "\n")
    if not _is_clean(text):
        text = _CONTROL.sub("", text)
    if "://" in text:
        text = shorten_urls(text)
    if "base64," in text:
        text = _DATA_URI.sub(r"[data: \1]", text)
    if _has_run(text, SHORTEST_BASE64, " \t") and _has_run(text, LONGEST_WORD, _NOT_BASE64):
        text = _BASE64.sub(_unless_words, text)
    if " \n" in text or ("\t" in text and "\t\n" in text):
        text = "\n".join([line.rstrip(" \t") for line in text.split("\n")])
    if "\n\n\n" in text:
        text = _GAP.sub("\n\n", text)
    return text.strip("\n")


def _is_clean(text: str) -> bool:
    """Whether it has no control characters: to look for each of them in turn is the fastest of all ways."""
    if any(map(text.__contains__, _CONTROL_CHARACTERS)):
        return False
    if text.isascii():
        return True
    try:
        text.encode("utf-16-le")  # fails on lone surrogates alone, in a fifth of the time that UTF-8 takes
    except UnicodeEncodeError:
        return False
    return not any(map(text.__contains__, _ZERO_WIDTH))


def _has_run(text: str, length: int, spaces: str) -> bool:
    """Whether `length` characters stand together with none of `spaces` between them.

    Looks for the last space within the next `length` characters and goes on behind it: so it skips most.
    """
    at, last = -1, len(text) - length
    while at < last:
        for space in spaces:
            found = text.rfind(space, at + 1, at + length + 1)
            if found >= 0:
                at = found
                break
        else:
            return True
    return False


def _unless_words(run: re.Match[str]) -> str:
    """Base64 has small letters, capitals and digits alike; a gene sequence or a ruled line does not."""
    sample = run.group()[:400]
    character_classes = (str.islower, str.isupper, str.isdigit)
    mixed = all(sum(map(is_of, sample)) > len(sample) // 40 for is_of in character_classes)
    return "[base64 left out]\n" if mixed else run.group()
