"""Which language a text is in, by its script and its commonest little words."""

import re
import tomllib
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("languages.toml")
_WORD = re.compile(r"[^\W\d_]+")
_LETTER = re.compile(r"[^\W\d_]")
_SAMPLE = 8_000

_SCRIPTS = tuple(
    (language, re.compile(f"[{letters}]"))
    for language, letters in (
        ("ja", "\u3040-\u30ff"),
        ("ko", "\uac00-\ud7af"),
        ("zh", "\u4e00-\u9fff"),
        ("ru", "\u0400-\u04ff"),
        ("ar", "\u0600-\u06ff"),
        ("he", "\u0590-\u05ff"),
        ("hi", "\u0900-\u097f"),
        ("el", "\u0370-\u03ff"),
        ("th", "\u0e00-\u0e7f"),
    )
)
_UKRAINIAN = re.compile("[іїєґ]")


@cache
def common_words() -> dict[str, tuple[str, ...]]:
    """The commonest words of each language."""
    texts = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {language: tuple(dict.fromkeys(text.split())) for language, text in texts.items()}


@cache
def little_words() -> frozenset[str]:
    """The commonest words of all languages together: no document is about them."""
    return frozenset(word for words in common_words().values() for word in words)


@cache
def _shares() -> dict[str, dict[str, float]]:
    """How much each word says for each language that has it: less the more languages do."""
    shares: dict[str, dict[str, float]] = defaultdict(dict)
    used = Counter(word for words in common_words().values() for word in words)
    for language, words in common_words().items():
        for word in words:
            shares[word][language] = _telling(word) / used[word]
    return dict(shares)


def _telling(word: str) -> float:
    # A single letter may as well be a name in a table or in code.
    return 0.3 if len(word) == 1 else 1.0


def language_of(text: str) -> str:
    """The ISO 639-1 code that fits best; `en` when nothing speaks for any."""
    sample = text[:_SAMPLE].lower()
    return _by_script(sample) or _by_words(sample)


def _by_script(sample: str) -> str | None:
    if sample.isascii():
        return None
    letters = max(1, len(_LETTER.findall(sample)))
    for language, script in _SCRIPTS:
        # Japanese mixes in Chinese characters, so a tenth of kana is enough.
        needed = 0.1 if language == "ja" else 0.3
        if len(script.findall(sample)) / letters > needed:
            return "uk" if language == "ru" and _UKRAINIAN.search(sample) else language
    return None


def _by_words(sample: str) -> str:
    scores = dict.fromkeys(common_words(), 0.0)
    shares = _shares()
    for word, count in Counter(_WORD.findall(sample)).items():
        for language, share in shares.get(word, {}).items():
            scores[language] += count * share
    best = max(scores, key=lambda language: scores[language])
    return best if scores[best] else "en"
