"""Scores categories with BM25 (Okapi) and turns the scores into a classification with a confidence.

It only counts terms. The margin between the two best scores becomes the confidence. A strong model gets the
same scores, and the margin raises its confidence more, so that an escalation changes something. It does not
classify better.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from infra.local.offline_claude.classifier.stemming import StemmedText
from infra.local.offline_claude.classifier.vocabulary import Term, Vocabulary, Weights

# How much one occurrence counts in the first words of a document, in a heading, and elsewhere.
OPENING_WORDS = 60
OPENING_WEIGHT, HEADING_WEIGHT, BODY_WEIGHT = 1.5, 3.0, 1.0
# The parameters of BM25: how soon further occurrences stop counting, how much a long text is discounted,
# and the average length in words, which is a constant since there is no corpus.
K1, B, AVERAGE_LENGTH = 1.2, 1.0, 150
MAX_HEADING_CHARS = 120
# Calibrated on business documents of public origin: a confidence of 85 or more was nearly always right there.
# Below MIN_SCORE no category fits; from there to FULL_SCORE the share of the confidence rises to 1.
MIN_SCORE, FULL_SCORE, MIN_SCORE_SHARE = 1.0, 7.0, 0.45
TIE_SHARE, MARGIN_EXPONENT, MAX_CONFIDENCE = 0.42, 1.8, 98

_HEADING_MARKS = ("#", "title:", "Title:", "Subject:", "Betreff:", "Objet :", "Objet:", "Asunto:", "Oggetto:")


@dataclass(frozen=True, kw_only=True)
class TermMatch:
    """An occurrence of a term: its weight for each category, its line, and how much it counts there."""

    term: Term
    weights: Weights
    line: int
    count: float


@dataclass(frozen=True, kw_only=True)
class Classification:
    """The two best categories by number, a confidence for each (0 to 100), and the best score."""

    category: int
    runner_up: int
    confidence: int
    runner_up_confidence: int
    score: float


def find_terms(text: StemmedText, vocabulary: Vocabulary) -> tuple[TermMatch, ...]:
    """Every occurrence of a term of the vocabulary in the text."""
    return tuple(_matches(text, vocabulary))


def _matches(text: StemmedText, vocabulary: Vocabulary) -> Iterator[TermMatch]:
    headings = _headings(text)
    by_prefix: dict[str, Weights] = {}
    for at, word in enumerate(text.stems):
        line = text.line_numbers[at]
        count = HEADING_WEIGHT if line in headings else OPENING_WEIGHT if at < OPENING_WORDS else BODY_WEIGHT
        for term, weights in vocabulary.terms_by_first_word.get(word, ()):
            if text.stems[at : at + len(term)] == term:
                yield TermMatch(term=term, weights=weights, line=line, count=count)
        if word not in by_prefix:
            by_prefix[word] = vocabulary.weights_of_prefix(word)
        if by_prefix[word]:
            yield TermMatch(term=(word + "*",), weights=by_prefix[word], line=line, count=count)


def _headings(text: StemmedText) -> frozenset[int]:
    first = (line for line in text.line_numbers[:1] if len(text.lines[line]) < MAX_HEADING_CHARS)
    return frozenset(first) | {number for number, line in enumerate(text.lines) if is_heading(line)}


def is_heading(line: str) -> bool:
    """Whether a line looks like a heading: it starts with a mark of one, or is short and in capitals."""
    text = line.strip()
    return len(text) < MAX_HEADING_CHARS and (
        text.startswith(_HEADING_MARKS) or (len(text) > 4 and text.isupper())
    )


def bm25_scores(matches: Iterable[TermMatch], length: int, categories: int) -> list[float]:
    """The BM25 score of each category for a text of `length` words."""
    counts: dict[Term, float] = defaultdict(float)
    weights: dict[Term, Weights] = {}
    for match in matches:
        counts[match.term] += match.count
        weights[match.term] = match.weights
    scores = [0.0] * categories
    norm = K1 * (1 - B + B * length / AVERAGE_LENGTH)
    for term, count in counts.items():
        for number, weight in weights[term].items():
            scores[number] += weight * count * (K1 + 1) / (count + norm)
    return scores


def classify(scores: list[float], *, strong: bool) -> Classification:
    """The two best categories; a strong model becomes surer with the same margin between them."""
    order = sorted(range(len(scores)), key=lambda number: -scores[number])
    best, second = order[0], order[min(1, len(order) - 1)]
    ratio = scores[second] / scores[best] if scores[best] and best != second else 0.0
    confidence = _confidence(scores[best], ratio, margin_factor=2.0 if strong else 1.0)
    return Classification(
        category=best,
        runner_up=second,
        confidence=confidence,
        runner_up_confidence=min(100 - confidence, round(confidence * ratio)),
        score=scores[best],
    )


def _confidence(score: float, ratio: float, *, margin_factor: float) -> int:
    if score < MIN_SCORE:
        return round(15 * score / MIN_SCORE)
    margin = 1 - float(ratio ** (MARGIN_EXPONENT * margin_factor))
    score_share = min(1.0, MIN_SCORE_SHARE + (1 - MIN_SCORE_SHARE) * score / FULL_SCORE)
    return round(MAX_CONFIDENCE * score_share * (TIE_SHARE + (1 - TIE_SHARE) * margin))
