"""Analyses one document: everything that an answer can be filled with."""

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

from infra.local.offline_claude.classifier import excerpts, scoring
from infra.local.offline_claude.classifier.languages import detect_language
from infra.local.offline_claude.classifier.scoring import Classification, TermMatch
from infra.local.offline_claude.classifier.stemming import MAX_CHARS, StemmedText, stem_text
from infra.local.offline_claude.classifier.taxonomy import Category, parse_taxonomy
from infra.local.offline_claude.classifier.vocabulary import Vocabulary, build_vocabulary

CANNOT_SEE = "The offline Claude cannot see images."
NO_TEXT = "There is no text to read."
NO_CATEGORY = "none"
# A document is mixed if both parts of a split have so many words and are classified with such confidence.
SPLIT_MIN_WORDS, SPLIT_MIN_CONFIDENCE, SPLIT_MAX_TRIES = 40, 85, 6


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """What was found out about one document; confidences go from 0 to 100."""

    category: str
    runner_up: str
    confidence: int
    runner_up_confidence: int
    title: str
    summary: str
    language: str
    keywords: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    issue: str = "none"


def analyse(document: str, system: str, offered: tuple[str, ...], *, images: int, strong: bool) -> Analysis:
    """Analyse a document; its category is one of `offered` or, if that is empty, of the system prompt's.

    A document without text is reported as unreadable: images are counted but not looked at.
    """
    vocabulary = _vocabulary(system, offered)
    if not any(map(str.isalnum, document)):
        return _unreadable(vocabulary, CANNOT_SEE if images else NO_TEXT)
    stemmed = stem_text(document)
    matches = scoring.find_terms(stemmed, vocabulary)
    scores = scoring.bm25_scores(matches, len(stemmed.stems), len(vocabulary.slugs))
    result = scoring.classify(scores, strong=strong)
    text = document[:MAX_CHARS]
    counts = excerpts.count_words(text)
    return Analysis(
        category=vocabulary.slugs[result.category],
        runner_up=vocabulary.slugs[result.runner_up] if result.runner_up_confidence else NO_CATEGORY,
        confidence=result.confidence,
        runner_up_confidence=result.runner_up_confidence,
        title=excerpts.extract_title(stemmed.lines),
        summary=excerpts.summarize(text, counts),
        language=detect_language(text),
        keywords=tuple(excerpts.top_keywords(counts)),
        evidence=tuple(excerpts.pick_quotes(stemmed.lines, _line_weights(matches, result.category))),
        issue=_issue(stemmed, matches, vocabulary, result),
    )


@lru_cache(maxsize=64)
def _vocabulary(system: str, offered: tuple[str, ...]) -> Vocabulary:
    described = parse_taxonomy(system)
    slugs = offered or tuple(described) or ("unknown",)
    return build_vocabulary(described.get(slug.lower(), Category(slug=slug)) for slug in slugs)


def _unreadable(vocabulary: Vocabulary, summary: str) -> Analysis:
    return Analysis(
        category=vocabulary.slugs[0],
        runner_up=NO_CATEGORY,
        confidence=0,
        runner_up_confidence=0,
        title="",
        summary=summary,
        language="und",
        issue="unreadable",
    )


def _line_weights(matches: tuple[TermMatch, ...], category: int) -> dict[int, float]:
    weights: dict[int, float] = defaultdict(float)
    for match in matches:
        weights[match.line] += match.weights.get(category, 0.0) - 0.5 * (len(match.weights) > 2)
    return {line: weight for line, weight in weights.items() if weight > 0.5}


def _issue(
    stemmed: StemmedText, matches: tuple[TermMatch, ...], vocabulary: Vocabulary, result: Classification
) -> str:
    if result.score < scoring.MIN_SCORE:
        return "none_of_these"
    return "mixed_documents" if _is_mixed(stemmed, matches, len(vocabulary.slugs)) else "none"


def _is_mixed(stemmed: StemmedText, matches: tuple[TermMatch, ...], categories: int) -> bool:
    """Whether a heading splits the text into two parts that clearly belong to different categories."""
    lines = dict.fromkeys(match.line for match in matches if _is_title(stemmed.lines[match.line], match))
    return any(_splits_at(stemmed, matches, line, categories) for line in list(lines)[:SPLIT_MAX_TRIES])


def _is_title(line: str, match: TermMatch) -> bool:
    return scoring.is_heading(line) and 2 * len(match.term) >= len(line.strip("# ").split())


def _splits_at(stemmed: StemmedText, matches: tuple[TermMatch, ...], line: int, categories: int) -> bool:
    before = bisect_left(stemmed.line_numbers, line)
    sizes = (before, len(stemmed.stems) - before)
    if min(sizes) < SPLIT_MIN_WORDS:
        return False
    parts = (
        [match for match in matches if match.line < line],
        [match for match in matches if match.line >= line],
    )
    first, second = (
        scoring.classify(scoring.bm25_scores(part, size, categories), strong=False)
        for part, size in zip(parts, sizes, strict=True)
    )
    named_in_heading = {number for match in matches if match.line == line for number in match.weights}
    confident = min(first.confidence, second.confidence) >= SPLIT_MIN_CONFIDENCE
    return confident and first.category != second.category and second.category in named_in_heading
