"""Noise out of a passage: control characters, soft hyphens, trackers, blobs; never words.

Most passages have none of it, so each kind is looked for by the cheapest sign of it first.
"""

from __future__ import annotations

import re

from pigeonhole.extract.addresses import shortened

LONGEST_WORD = 60
SHORTEST_BLOB = 240

_HYPHEN = re.compile("[\x02\xad][ \t]*\r?\n?")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f\u200b\ufeff\ufffe\uffff\ud800-\udfff]")
_WIDTHLESS = "\u200b\ufeff\ufffe\uffff"
_CONTROLS = "".join(map(chr, (*range(9), *range(14, 32), 127)))
_DATA_URI = re.compile(r"data:([\w.+-]+/[\w.+-]+)[\w;=.-]*;base64,[A-Za-z0-9+/]*={0,2}")
_BLOB = re.compile(
    r"(?<![A-Za-z0-9+/])"
    r"(?:[A-Za-z0-9+/]{60,}+={0,2}(?:\s++[A-Za-z0-9+/]{60,}+={0,2}){3,}+(?:\s++[A-Za-z0-9+/]++={1,2})?"
    r"|[A-Za-z0-9+/]{240,}+={0,2})"
)
_NOT_ENCODED = ' \t\n<>".-'
_GAP = re.compile(r"\n{3,}")


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
        text = shortened(text)
    if "base64," in text:
        text = _DATA_URI.sub(r"[data: \1]", text)
    if _has_long(text, SHORTEST_BLOB, " \t") and _has_long(text, LONGEST_WORD, _NOT_ENCODED):
        text = _BLOB.sub(_unless_words, text)
    if " \n" in text or ("\t" in text and "\t\n" in text):
        text = "\n".join([line.rstrip(" \t") for line in text.split("\n")])
    if "\n\n\n" in text:
        text = _GAP.sub("\n\n", text)
    return text.strip("\n")


def _is_clean(text: str) -> bool:
    """Whether it has none of these characters: to look for them one by one is the fastest of all ways."""
    if any(map(text.__contains__, _CONTROLS)):
        return False
    if text.isascii():
        return True
    try:
        text.encode("utf-16-le")  # which takes all but halves of characters, and a fifth of the time of UTF-8
    except UnicodeEncodeError:
        return False
    return not any(map(text.__contains__, _WIDTHLESS))


def _has_long(text: str, longest: int, spaces: str) -> bool:
    """Whether so many characters stand together without one of these between them; found by leaps."""
    at, last = -1, len(text) - longest
    while at < last:
        for space in spaces:
            found = text.rfind(space, at + 1, at + longest + 1)
            if found >= 0:
                at = found
                break
        else:
            return True
    return False


def _unless_words(blob: re.Match[str]) -> str:
    """Encoded bytes use small and capital letters and digits alike; a sequence or a rule does not."""
    sample = blob.group()[:400]
    kinds = (str.islower, str.isupper, str.isdigit)
    mixed = all(sum(map(kind, sample)) > len(sample) // 40 for kind in kinds)
    return "[base64 left out]\n" if mixed else blob.group()
