"""Whether a quote stands in a text: verbatim but for spacing, case and typography (pure)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_ALIKE = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201a\u201b", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
    | {"\u2039": "<", "\u203a": ">"}
)
# Extractors break lines and cells where the model sees a space or nothing; marks of direction and width are
# seen by neither.
_UNSEEN = re.compile(r"[\s|\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")


def missing(quotes: Iterable[str], text: str) -> int:
    """How many of the quotes the text does not hold."""
    plain = _plain(text)
    return sum(_plain(quote) not in plain for quote in quotes)


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).translate(_ALIKE).casefold()
    return _UNSEEN.sub("", folded)
