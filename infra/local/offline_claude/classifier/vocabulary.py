"""The terms of the offered categories, weighted by where they come from and by inverse document frequency."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from infra.local.offline_claude.classifier.glossary import glossary_terms
from infra.local.offline_claude.classifier.languages import stop_words
from infra.local.offline_claude.classifier.stemming import BLANK, MONEY, QUESTION, fold, stem, stem_words
from infra.local.offline_claude.classifier.taxonomy import Category

NAME_WEIGHT = KEYWORD_WEIGHT = 0.8
GLOSSARY_WEIGHT = 1.5
WEAK_WEIGHT = 0.5  # of a word marked with `?`
DESCRIPTION_WEIGHT, EXAMPLE_WEIGHT = 0.2, 0.3
# What the second and the third word of a phrase each add to its weight, as a share of it.
PHRASE_BONUS = 0.9
MIN_PREFIX_CHARS = 2

# A term is the stems of a word or phrase; weights are by the number of the category.
Term = tuple[str, ...]
Weights = dict[int, float]


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The slugs of the offered categories, their terms by first word, and their prefixes (`word*`)."""

    slugs: tuple[str, ...]
    terms_by_first_word: dict[str, tuple[tuple[Term, Weights], ...]]
    prefixes: dict[str, Weights]

    def weights_of_prefix(self, word: str) -> Weights:
        """The weights of the longest known prefix of a word; empty if there is none."""
        for end in range(len(word), MIN_PREFIX_CHARS - 1, -1):
            if found := self.prefixes.get(word[:end]):
                return found
        return {}


@cache
def _stemmed_stop_words() -> frozenset[str]:
    return frozenset(stem(fold(word)) for word in stop_words())


def build_vocabulary(categories: Iterable[Category]) -> Vocabulary:
    """The vocabulary of these categories."""
    offered = tuple(categories)
    weights: dict[Term, Weights] = {}
    for number, category in enumerate(offered):
        for term, weight in _terms(category).items():
            weights.setdefault(term, {})[number] = weight
    weighted = {term: _with_idf(given, len(offered)) for term, given in weights.items()}
    return Vocabulary(
        slugs=tuple(category.slug for category in offered),
        terms_by_first_word=_by_first_word(weighted),
        prefixes={term[0][:-1]: given for term, given in weighted.items() if term[0].endswith("*")},
    )


def _terms(category: Category) -> dict[Term, float]:
    """Each term with its greatest weight; the name always has its own, since any text may mention it."""
    terms: dict[Term, float] = {}
    for term, weight in _described(category):
        terms[term] = max(weight, terms.get(term, 0.0))
    for name in (category.name, category.slug.replace("_", " ")):
        terms |= dict(_phrase(name, NAME_WEIGHT))
    return terms


def _described(category: Category) -> Iterator[tuple[Term, float]]:
    for keyword in category.keywords:
        yield from _phrase(keyword, KEYWORD_WEIGHT)
    for word in glossary_terms(category.slug):
        yield from _phrase(word, GLOSSARY_WEIGHT)
    ignored = _stemmed_stop_words()
    for text, weight in ((category.description, DESCRIPTION_WEIGHT), (category.examples, EXAMPLE_WEIGHT)):
        yield from (((word,), weight) for word in stem_words(text) if word not in ignored and len(word) > 2)


def _phrase(text: str, weight: float) -> Iterator[tuple[Term, float]]:
    base = WEAK_WEIGHT if text.endswith("?") else weight
    if text.rstrip("?") in (BLANK, MONEY, QUESTION):
        yield (text.rstrip("?"),), base
    elif text.endswith("*"):
        yield (fold(text),), weight
    elif words := stem_words(text):
        yield words, base * (1 + PHRASE_BONUS * (min(len(words), 3) - 1))


def _with_idf(weights: Weights, categories: int) -> Weights:
    """The weights times the inverse document frequency: a term of many categories says little about any."""
    idf = math.log(1 + (categories - len(weights) + 0.5) / (len(weights) + 0.5))
    highest = math.log(1 + (categories - 0.5) / 1.5)
    return {number: weight * idf / highest for number, weight in weights.items()}


def _by_first_word(weighted: dict[Term, Weights]) -> dict[str, tuple[tuple[Term, Weights], ...]]:
    grouped: dict[str, list[tuple[Term, Weights]]] = {}
    for term, weights in weighted.items():
        grouped.setdefault(term[0], []).append((term, weights))
    return {first: tuple(sorted(terms, key=lambda one: -len(one[0]))) for first, terms in grouped.items()}
