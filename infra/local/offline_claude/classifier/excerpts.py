"""Title, extractive summary, keywords and quotes: all are taken from the document word for word."""

import re
from collections import Counter

from infra.local.offline_claude.classifier.languages import stop_words

MAX_TITLE_CHARS, MAX_SUMMARY_CHARS, MAX_QUOTE_CHARS = 120, 600, 300
MAX_SENTENCES, SUMMARY_SENTENCES = 60, 3

_TITLE_LINE = re.compile(
    r"(?:title|subject|betreff|objet|asunto|oggetto|onderwerp)\s*:\s*(\S.*)", re.IGNORECASE
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_a-z]|[\"'(\d])|(?<=[\u3002\uff01\uff1f])")
_PARAGRAPH = re.compile(r"\n\s*\n|\f|\n(?=\s*[#*|-])")
_MARKUP = re.compile(r"^[\s#>*|=_~-]+|[*_`|]{1,3}")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_WORD = re.compile(r"[^\W\d_]{4,}")
_SPACE = re.compile(r"\s+")


def extract_title(lines: tuple[str, ...]) -> str:
    """The first line marked as a title (`Subject: …`), else the first line with at least three letters."""
    for line in lines[:15]:
        if named := _TITLE_LINE.match(line.strip()):
            return _clean(named[1]).strip("\"'")[:MAX_TITLE_CHARS]
    texts = (_clean(line) for line in lines[:200])
    return next((text[:MAX_TITLE_CHARS].rstrip() for text in texts if sum(map(str.isalpha, text)) >= 3), "")


def count_words(text: str) -> Counter[str]:
    """How often each word of a text occurs, in lower case and without stop words."""
    return Counter(_content_words(text))


def summarize(text: str, counts: Counter[str]) -> str:
    """Up to three sentences whose words are the most frequent ones of the text, in their own order."""
    sentences = [sentence for sentence in _sentences(text) if 25 <= len(sentence) <= 400]
    if not sentences:
        return _clean(text[: 4 * MAX_SUMMARY_CHARS])[:MAX_SUMMARY_CHARS]
    ranked = sorted(range(len(sentences)), key=lambda at: -_centrality(sentences[at], at, counts))
    chosen = sorted(ranked[:SUMMARY_SENTENCES])
    return _shorten([sentences[at] for at in chosen])


def _sentences(text: str) -> list[str]:
    found: list[str] = []
    for paragraph in _PARAGRAPH.split(text):
        found += _SENTENCE.split(_clean(paragraph))
        if len(found) > MAX_SENTENCES:
            break
    return found[:MAX_SENTENCES]


def _centrality(sentence: str, at: int, counts: Counter[str]) -> float:
    words = set(_content_words(sentence))
    return sum(min(counts[word], 10) for word in words) / (len(words) + 4) + 3 / (at + 1)


def _shorten(sentences: list[str]) -> str:
    while len(sentences) > 1 and len(" ".join(sentences)) > MAX_SUMMARY_CHARS:
        sentences = sentences[:-1]
    return " ".join(sentences)[:MAX_SUMMARY_CHARS]


def top_keywords(counts: Counter[str]) -> list[str]:
    """The eight most frequent words."""
    return [word for word, _ in counts.most_common(8)]


def pick_quotes(lines: tuple[str, ...], weights: dict[int, float]) -> list[str]:
    """Up to three verbatim quotes from the lines with the greatest weights."""
    best = sorted(weights, key=lambda line: (-weights[line], line))[:30]
    return list(dict.fromkeys(quote for quote in (_quote(lines[line]) for line in best) if quote))[:3]


def _quote(line: str) -> str:
    text = line.strip()
    if len(text) <= MAX_QUOTE_CHARS:
        return text
    whole = max((at.start() for at in _SENTENCE.finditer(text, 0, MAX_QUOTE_CHARS)), default=0)
    return text[: whole or max(text.rfind(" ", 0, MAX_QUOTE_CHARS), 0) or MAX_QUOTE_CHARS].strip()


def _content_words(text: str) -> list[str]:
    ignored = stop_words()
    return [word for word in _WORD.findall(text.lower()) if word not in ignored]


def _clean(text: str) -> str:
    return _SPACE.sub(" ", _MARKUP.sub("", _LINK.sub(r"\1", text))).strip()
