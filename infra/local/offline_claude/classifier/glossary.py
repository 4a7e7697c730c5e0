"""Terms for common business documents in several languages, which the server knows without being told.

With them a German invoice is recognised although the prompt's keywords are English. A category gets the terms
of an entry of glossary.toml if a word of the category's slug names that entry.
"""

import re
import tomllib
from functools import cache
from pathlib import Path

from infra.local.offline_claude.classifier.stemming import fold, stem

_FILE = Path(__file__).with_name("glossary.toml")
_SLUG_WORDS = re.compile(r"[^\W_]+")


def glossary_terms(slug: str) -> tuple[str, ...]:
    """The terms of the first word in the slug that has an entry; empty if none has."""
    entries = _entries()
    return next((entries[word] for word in map(stem, _SLUG_WORDS.findall(fold(slug))) if word in entries), ())


@cache
def _entries() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, languages in tomllib.loads(_FILE.read_text(encoding="utf-8")).items():
        also = _split(languages.pop("also", ""))
        words = tuple(word for text in languages.values() for word in _split(text))
        for key in (name, *also):
            found.setdefault(stem(fold(key)), words)
    return found


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
