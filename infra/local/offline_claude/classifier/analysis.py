"""What the offline engine says about one document: the values that an answer is filled with."""

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

from infra.local.offline_claude.classifier import excerpts, scoring
from infra.local.offline_claude.classifier.languages import language_of
from infra.local.offline_claude.classifier.scoring import Hit, Verdict
from infra.local.offline_claude.classifier.stemming import ANALYSED, Words, read
from infra.local.offline_claude.classifier.taxonomy import Category, read_taxonomy
from infra.local.offline_claude.classifier.vocabulary import Vocabulary, learn

CANNOT_SEE = "The offline Claude cannot see images."
NO_TEXT = "There is no text to read."
NOBODY = "none"
APART_WORDS, APART_SURE, APART_TRIES = 40, 85, 6


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """One document as the engine understood it."""

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
    """Read a document; a page that is only a picture is said to be unread, not guessed."""
    vocabulary = _vocabulary(system, offered)
    if not any(map(str.isalnum, document)):
        return _unread(vocabulary, CANNOT_SEE if images else NO_TEXT)
    words = read(document)
    hits = scoring.find(words, vocabulary)
    totals = scoring.scores(hits, len(words.stems), len(vocabulary.slugs))
    verdict = scoring.judge(totals, strong=strong)
    text = document[:ANALYSED]
    counts = excerpts.counted(text)
    return Analysis(
        category=vocabulary.slugs[verdict.category],
        runner_up=vocabulary.slugs[verdict.runner_up] if verdict.runner_up_confidence else NOBODY,
        confidence=verdict.confidence,
        runner_up_confidence=verdict.runner_up_confidence,
        title=excerpts.title_of(words.lines),
        summary=excerpts.summary_of(text, counts),
        language=language_of(text),
        keywords=tuple(excerpts.keywords_of(counts)),
        evidence=tuple(excerpts.quotes_of(words.lines, _line_weights(hits, verdict.category))),
        issue=_issue(words, hits, vocabulary, verdict),
    )


@lru_cache(maxsize=64)
def _vocabulary(system: str, offered: tuple[str, ...]) -> Vocabulary:
    described = read_taxonomy(system)
    slugs = offered or tuple(described) or ("unknown",)
    return learn(described.get(slug.lower(), Category(slug=slug)) for slug in slugs)


def _unread(vocabulary: Vocabulary, summary: str) -> Analysis:
    return Analysis(
        category=vocabulary.slugs[0],
        runner_up=NOBODY,
        confidence=0,
        runner_up_confidence=0,
        title="",
        summary=summary,
        language="und",
        issue="unreadable",
    )


def _line_weights(hits: tuple[Hit, ...], category: int) -> dict[int, float]:
    weights: dict[int, float] = defaultdict(float)
    for hit in hits:
        weights[hit.line] += hit.weights.get(category, 0.0) - 0.5 * (len(hit.weights) > 2)
    return {line: weight for line, weight in weights.items() if weight > 0.5}


def _issue(words: Words, hits: tuple[Hit, ...], vocabulary: Vocabulary, verdict: Verdict) -> str:
    if verdict.score < scoring.NOTHING:
        return "none_of_these"
    return "mixed_documents" if _two_in_one(words, hits, len(vocabulary.slugs)) else "none"


def _two_in_one(words: Words, hits: tuple[Hit, ...], categories: int) -> bool:
    """Whether a title in the middle splits the text into two parts that are each surely something else."""
    lines = dict.fromkeys(hit.line for hit in hits if _is_title(words.lines[hit.line], hit))
    return any(_apart(words, hits, line, categories) for line in list(lines)[:APART_TRIES])


def _is_title(line: str, hit: Hit) -> bool:
    return scoring.is_heading(line) and 2 * len(hit.term) >= len(line.strip("# ").split())


def _apart(words: Words, hits: tuple[Hit, ...], line: int, categories: int) -> bool:
    before = bisect_left(words.line_of, line)
    sizes = (before, len(words.stems) - before)
    if min(sizes) < APART_WORDS:
        return False
    parts = ([hit for hit in hits if hit.line < line], [hit for hit in hits if hit.line >= line])
    first, second = (
        scoring.judge(scoring.scores(part, size, categories), strong=False)
        for part, size in zip(parts, sizes, strict=True)
    )
    title = {number for hit in hits if hit.line == line for number in hit.weights}
    sure = min(first.confidence, second.confidence) >= APART_SURE
    return sure and first.category != second.category and second.category in title
