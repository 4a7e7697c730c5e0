"""Which category a text belongs to: BM25 over the categories' words, phrases and headings weighing more.

An honest small classifier, not a language model: it counts words. The margin between the two best becomes the
confidence. The strong models read with the same engine and only count the margin more boldly, so that an
escalation has something to settle; that is a stand-in for better reading, not better reading.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from infra.local.offline_claude.classifier.stemming import Words
from infra.local.offline_claude.classifier.vocabulary import Term, Vocabulary, Weights

HEAD_WORDS = 60
HEAD, HEADING, BODY = 1.5, 3.0, 1.0
SATURATION, LENGTH_SHARE, USUAL_LENGTH = 1.2, 1.0, 150
HEADING_CHARS = 120
# Set on business documents of public origin: what is stated as 85 or more was nearly always right there.
NOTHING, AMPLE, FAINT = 1.0, 7.0, 0.45
EVEN, MARGIN_CURVE, MOST_SURE = 0.42, 1.8, 98

_MARKED = ("#", "title:", "Title:", "Subject:", "Betreff:", "Objet :", "Objet:", "Asunto:", "Oggetto:")


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A term found in a line."""

    term: Term
    weights: Weights
    line: int
    count: float


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The two best categories, how sure of each (0 to 100), and the score that it rests on."""

    category: int
    runner_up: int
    confidence: int
    runner_up_confidence: int
    score: float


def find(words: Words, vocabulary: Vocabulary) -> tuple[Hit, ...]:
    """Every term of the vocabulary in the text."""
    return tuple(_hits(words, vocabulary))


def _hits(words: Words, vocabulary: Vocabulary) -> Iterator[Hit]:
    headings = _headings(words)
    known: dict[str, Weights] = {}
    for at, word in enumerate(words.stems):
        line = words.line_of[at]
        count = HEADING if line in headings else HEAD if at < HEAD_WORDS else BODY
        for term, weights in vocabulary.phrases.get(word, ()):
            if words.stems[at : at + len(term)] == term:
                yield Hit(term=term, weights=weights, line=line, count=count)
        if word not in known:
            known[word] = vocabulary.starting(word)
        if known[word]:
            yield Hit(term=(word + "*",), weights=known[word], line=line, count=count)


def _headings(words: Words) -> frozenset[int]:
    first = (line for line in words.line_of[:1] if len(words.lines[line]) < HEADING_CHARS)
    return frozenset(first) | {number for number, line in enumerate(words.lines) if is_heading(line)}


def is_heading(line: str) -> bool:
    """Whether a line looks like a heading: marked as one, or short and in capitals."""
    text = line.strip()
    return len(text) < HEADING_CHARS and (text.startswith(_MARKED) or (len(text) > 4 and text.isupper()))


def scores(hits: Iterable[Hit], length: int, categories: int) -> list[float]:
    """The score of each category."""
    counts: dict[Term, float] = defaultdict(float)
    weights: dict[Term, Weights] = {}
    for hit in hits:
        counts[hit.term] += hit.count
        weights[hit.term] = hit.weights
    totals = [0.0] * categories
    norm = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * length / USUAL_LENGTH)
    for term, count in counts.items():
        for number, weight in weights[term].items():
            totals[number] += weight * count * (SATURATION + 1) / (count + norm)
    return totals


def judge(totals: list[float], *, strong: bool) -> Verdict:
    """The verdict that these scores support."""
    order = sorted(range(len(totals)), key=lambda number: -totals[number])
    best, second = order[0], order[min(1, len(order) - 1)]
    ratio = totals[second] / totals[best] if totals[best] and best != second else 0.0
    sure = _confidence(totals[best], ratio, boldness=2.0 if strong else 1.0)
    return Verdict(
        category=best,
        runner_up=second,
        confidence=sure,
        runner_up_confidence=min(100 - sure, round(sure * ratio)),
        score=totals[best],
    )


def _confidence(score: float, ratio: float, *, boldness: float) -> int:
    if score < NOTHING:
        return round(15 * score / NOTHING)
    margin = 1 - float(ratio ** (MARGIN_CURVE * boldness))
    evidence = min(1.0, FAINT + (1 - FAINT) * score / AMPLE)
    return round(MOST_SURE * evidence * (EVEN + (1 - EVEN) * margin))
