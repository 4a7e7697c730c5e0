"""Detects the language of a text by its script and its stop words."""

import re
import tomllib
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("languages.toml")
_WORD = re.compile(r"[^\W\d_]+")
_LETTER = re.compile(r"[^\W\d_]")
_SAMPLE_CHARS = 8_000

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
def stop_words_by_language() -> dict[str, tuple[str, ...]]:
    """The stop words of each language."""
    texts = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {language: tuple(dict.fromkeys(text.split())) for language, text in texts.items()}


@cache
def stop_words() -> frozenset[str]:
    """The stop words of all languages together."""
    return frozenset(word for words in stop_words_by_language().values() for word in words)


@cache
def _language_weights() -> dict[str, dict[str, float]]:
    """For each stop word its weight for each language that has it; the more languages, the lower."""
    weights: dict[str, dict[str, float]] = defaultdict(dict)
    used = Counter(word for words in stop_words_by_language().values() for word in words)
    for language, words in stop_words_by_language().items():
        for word in words:
            weights[word][language] = _word_weight(word) / used[word]
    return dict(weights)


def _word_weight(word: str) -> float:
    # A single letter may just as well be a name in a table or in code.
    return 0.3 if len(word) == 1 else 1.0


def detect_language(text: str) -> str:
    """The ISO 639-1 code of the language that fits best; `en` where nothing points to any."""
    sample = text[:_SAMPLE_CHARS].lower()
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
    scores = dict.fromkeys(stop_words_by_language(), 0.0)
    weights = _language_weights()
    for word, count in Counter(_WORD.findall(sample)).items():
        for language, weight in weights.get(word, {}).items():
            scores[language] += count * weight
    best = max(scores, key=lambda language: scores[language])
    return best if scores[best] else "en"
