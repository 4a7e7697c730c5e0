"""Normalises text for matching: lower case, no accents, no plural endings."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# Of a longer text only so much is read.
MAX_CHARS = 60_000
# Pseudo-words, which stand for what is not a word but tells the kinds of documents apart.
BLANK = "▢"
MONEY = "¤"
QUESTION = "❓"

_ACCENTS = re.compile("[\u0300-\u036f]")
_TOKEN = re.compile(r"[^\W\d_]+")
_BLANK = re.compile(r"_{3,}|\.{8,}|☐|□|\[ ?\]|\( ?\)")
_QUESTION = re.compile(r"\?(?=\W*(?:\s|$))")
_MONEY = re.compile(r"[$€£¥]\s?\d|\d\s?[€£]|\b(?:eur|usd|gbp|chf)\s?\d|\d\s?(?:eur|usd|gbp|chf)\b")
_PSEUDO_WORD_HINT = re.compile(r"[\d?☐□\[(]|__|\.\.")


@dataclass(frozen=True, kw_only=True)
class StemmedText:
    """The lines of a text, the stems of its words in order, and the line number of each stem."""

    lines: tuple[str, ...]
    stems: tuple[str, ...]
    line_numbers: tuple[int, ...]


def fold(text: str) -> str:
    """The text in lower case and without accents (case folding and NFKD)."""
    lowered = text.casefold()
    return lowered if lowered.isascii() else _ACCENTS.sub("", unicodedata.normalize("NFKD", lowered))


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """A folded word without its plural ending, where it is long enough to have one."""
    if len(word) <= 3 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    return word[:-3] + "y" if word.endswith("ies") and len(word) > 4 else word[:-1]


def stem_words(text: str) -> tuple[str, ...]:
    """The stems of all words in a phrase."""
    return tuple(stem(word) for word in _TOKEN.findall(fold(text)))


def stem_text(text: str) -> StemmedText:
    """The first `MAX_CHARS` of a text as stems; pseudo-words follow the words of the line they occur in."""
    lines = tuple(text[:MAX_CHARS].splitlines())
    found: list[str] = []
    line_numbers: list[int] = []
    for number, line in enumerate(lines):
        words = _line_stems(line)
        found += words
        line_numbers += [number] * len(words)
    return StemmedText(lines=lines, stems=tuple(found), line_numbers=tuple(line_numbers))


def _line_stems(line: str) -> list[str]:
    folded = fold(line)
    words = [stem(word) for word in _TOKEN.findall(folded)]
    if not _PSEUDO_WORD_HINT.search(folded):  # the cheap test first: most lines are only words
        return words
    words += [BLANK] * len(_BLANK.findall(folded))
    return words + [MONEY] * len(_MONEY.findall(folded)) + [QUESTION] * len(_QUESTION.findall(folded))
