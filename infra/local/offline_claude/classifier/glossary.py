"""All that this server knows by itself: a few words, in several languages, for common business documents.

So a German invoice is found under English keywords. A list is used only if its word occurs in a category that
the request offers; the words stand in glossary.toml.
"""

import re
import tomllib
from functools import cache
from pathlib import Path

from infra.local.offline_claude.classifier.stemming import fold, stem

_FILE = Path(__file__).with_name("glossary.toml")
_SLUG_PARTS = re.compile(r"[^\W_]+")


def known_words(slug: str) -> tuple[str, ...]:
    """What is known of a category by its name: the list of the first word of the slug that has one."""
    lists = _lists()
    return next((lists[word] for word in map(stem, _SLUG_PARTS.findall(fold(slug))) if word in lists), ())


@cache
def _lists() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, languages in tomllib.loads(_FILE.read_text(encoding="utf-8")).items():
        also = _split(languages.pop("also", ""))
        words = tuple(word for text in languages.values() for word in _split(text))
        for key in (name, *also):
            found.setdefault(stem(fold(key)), words)
    return found


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
