"""Title, summary, keywords and quotes: all taken from the document's own words."""

import re
from collections import Counter

from infra.local.offline_claude.classifier.languages import little_words

TITLE, SUMMARY, QUOTE = 120, 600, 300
SENTENCES_READ, SENTENCES_KEPT = 60, 3

_SUBJECT = re.compile(r"(?:title|subject|betreff|objet|asunto|oggetto|onderwerp)\s*:\s*(\S.*)", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_a-z]|[\"'(\d])|(?<=[\u3002\uff01\uff1f])")
_PARAGRAPH = re.compile(r"\n\s*\n|\f|\n(?=\s*[#*|-])")
_MARKUP = re.compile(r"^[\s#>*|=_~-]+|[*_`|]{1,3}")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_WORD = re.compile(r"[^\W\d_]{4,}")
_SPACE = re.compile(r"\s+")


def title_of(lines: tuple[str, ...]) -> str:
    """The first line that looks like a title: a named one, else the first with words in it."""
    for line in lines[:15]:
        if named := _SUBJECT.match(line.strip()):
            return _clean(named[1]).strip("\"'")[:TITLE]
    texts = (_clean(line) for line in lines[:200])
    return next((text[:TITLE].rstrip() for text in texts if sum(map(str.isalpha, text)) >= 3), "")


def counted(text: str) -> Counter[str]:
    """The telling words of a text, in lower case, and how often each stands in it."""
    return Counter(_content(text))


def summary_of(text: str, counts: Counter[str]) -> str:
    """Two or three sentences that share most words with the whole, in the order they stand."""
    sentences = [sentence for sentence in _sentences(text) if 25 <= len(sentence) <= 400]
    if not sentences:
        return _clean(text[: 4 * SUMMARY])[:SUMMARY]
    ranked = sorted(range(len(sentences)), key=lambda at: -_centrality(sentences[at], at, counts))
    chosen = sorted(ranked[:SENTENCES_KEPT])
    return _shorten([sentences[at] for at in chosen])


def _sentences(text: str) -> list[str]:
    found: list[str] = []
    for paragraph in _PARAGRAPH.split(text):
        found += _SENTENCE.split(_clean(paragraph))
        if len(found) > SENTENCES_READ:
            break
    return found[:SENTENCES_READ]


def _centrality(sentence: str, at: int, counts: Counter[str]) -> float:
    words = set(_content(sentence))
    return sum(min(counts[word], 10) for word in words) / (len(words) + 4) + 3 / (at + 1)


def _shorten(sentences: list[str]) -> str:
    while len(sentences) > 1 and len(" ".join(sentences)) > SUMMARY:
        sentences = sentences[:-1]
    return " ".join(sentences)[:SUMMARY]


def keywords_of(counts: Counter[str]) -> list[str]:
    """The commonest telling words, as they stand but in lower case."""
    return [word for word, _ in counts.most_common(8)]


def quotes_of(lines: tuple[str, ...], weights: dict[int, float]) -> list[str]:
    """Up to three verbatim pieces of the lines that weigh most."""
    best = sorted(weights, key=lambda line: (-weights[line], line))[:30]
    return list(dict.fromkeys(quote for quote in (_quote(lines[line]) for line in best) if quote))[:3]


def _quote(line: str) -> str:
    text = line.strip()
    if len(text) <= QUOTE:
        return text
    whole = max((at.start() for at in _SENTENCE.finditer(text, 0, QUOTE)), default=0)
    return text[: whole or max(text.rfind(" ", 0, QUOTE), 0) or QUOTE].strip()


def _content(text: str) -> list[str]:
    little = little_words()
    return [word for word in _WORD.findall(text.lower()) if word not in little]


def _clean(text: str) -> str:
    return _SPACE.sub(" ", _MARKUP.sub("", _LINK.sub(r"\1", text))).strip()
