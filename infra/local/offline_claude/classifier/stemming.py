"""Text as comparable words: lower case, without accents, with plural endings taken off."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

ANALYSED = 60_000
BLANK = "▢"
MONEY = "¤"
QUESTION = "❓"

_MARKS = re.compile("[\u0300-\u036f]")
_TOKEN = re.compile(r"[^\W\d_]+")
_BLANK = re.compile(r"_{3,}|\.{8,}|☐|□|\[ ?\]|\( ?\)")
_QUESTION = re.compile(r"\?(?=\W*(?:\s|$))")
_MONEY = re.compile(r"[$€£¥]\s?\d|\d\s?[€£]|\b(?:eur|usd|gbp|chf)\s?\d|\d\s?(?:eur|usd|gbp|chf)\b")
_SIGN = re.compile(r"[\d?☐□\[(]|__|\.\.")


@dataclass(frozen=True, kw_only=True)
class Words:
    """The words of a text in order, each with the number of its line."""

    lines: tuple[str, ...]
    stems: tuple[str, ...]
    line_of: tuple[int, ...]


def fold(text: str) -> str:
    """Lower case and without accents."""
    lowered = text.casefold()
    return lowered if lowered.isascii() else _MARKS.sub("", unicodedata.normalize("NFKD", lowered))


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """A folded word without its plural ending, where it is long enough to have one."""
    if len(word) <= 3 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    return word[:-3] + "y" if word.endswith("ies") and len(word) > 4 else word[:-1]


def stems(text: str) -> tuple[str, ...]:
    """The comparable words of a phrase."""
    return tuple(stem(word) for word in _TOKEN.findall(fold(text)))


def read(text: str) -> Words:
    """The first part of a text as lines and words; blanks to fill in and sums of money count as words too."""
    lines = tuple(text[:ANALYSED].splitlines())
    found: list[str] = []
    line_of: list[int] = []
    for number, line in enumerate(lines):
        words = _line_stems(line)
        found += words
        line_of += [number] * len(words)
    return Words(lines=lines, stems=tuple(found), line_of=tuple(line_of))


def _line_stems(line: str) -> list[str]:
    folded = fold(line)
    words = [stem(word) for word in _TOKEN.findall(folded)]
    if not _SIGN.search(folded):  # most lines are only words, and this is soon seen
        return words
    words += [BLANK] * len(_BLANK.findall(folded))
    return words + [MONEY] * len(_MONEY.findall(folded)) + [QUESTION] * len(_QUESTION.findall(folded))
