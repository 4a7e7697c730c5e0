"""What each category is recognised by: terms with weights, the rarer among the categories the heavier."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from infra.local.offline_claude.classifier.glossary import known_words
from infra.local.offline_claude.classifier.languages import little_words
from infra.local.offline_claude.classifier.stemming import BLANK, MONEY, QUESTION, fold, stem, stems
from infra.local.offline_claude.classifier.taxonomy import Category

NAME, KEYWORD, KNOWN, WEAK, DESCRIPTION, EXAMPLE = 0.8, 0.8, 1.5, 0.5, 0.2, 0.3
PHRASE = 0.9
SHORTEST = 1


Term = tuple[str, ...]
Weights = dict[int, float]


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The offered categories and what speaks for them: phrases by first word, and beginnings of words."""

    slugs: tuple[str, ...]
    phrases: dict[str, tuple[tuple[Term, Weights], ...]]
    beginnings: dict[str, Weights]

    def starting(self, word: str) -> Weights:
        """What a word's beginning says, by its longest known one."""
        for end in range(len(word), SHORTEST, -1):
            if found := self.beginnings.get(word[:end]):
                return found
        return {}


@cache
def _little() -> frozenset[str]:
    return frozenset(stem(fold(word)) for word in little_words())


def learn(categories: Iterable[Category]) -> Vocabulary:
    """The vocabulary of these categories."""
    offered = tuple(categories)
    weights: dict[Term, Weights] = {}
    for number, category in enumerate(offered):
        for term, weight in _terms(category).items():
            weights.setdefault(term, {})[number] = weight
    rated = {term: _rarer(held, len(offered)) for term, held in weights.items()}
    return Vocabulary(
        slugs=tuple(category.slug for category in offered),
        phrases=_by_first_word(rated),
        beginnings={term[0][:-1]: held for term, held in rated.items() if term[0].endswith("*")},
    )


def _terms(category: Category) -> dict[Term, float]:
    """Each term with its greatest weight; but its bare name, which any text may mention, weighs little."""
    terms: dict[Term, float] = {}
    for term, weight in _described(category):
        terms[term] = max(weight, terms.get(term, 0.0))
    names = dict(_phrase(category.name, NAME)) | dict(_phrase(category.slug.replace("_", " "), NAME))
    return terms | names


def _described(category: Category) -> Iterator[tuple[Term, float]]:
    for keyword in category.keywords:
        yield from _phrase(keyword, KEYWORD)
    for word in known_words(category.slug):
        yield from _phrase(word, KNOWN)
    for text, weight in ((category.description, DESCRIPTION), (category.examples, EXAMPLE)):
        yield from (((word,), weight) for word in stems(text) if word not in _little() and len(word) > 2)


def _phrase(text: str, weight: float) -> Iterator[tuple[Term, float]]:
    if text.rstrip("?") in (BLANK, MONEY, QUESTION):
        yield (text.rstrip("?"),), WEAK if text.endswith("?") else weight
    elif text.endswith("*"):
        yield (fold(text),), weight
    elif words := stems(text):
        yield words, (WEAK if text.endswith("?") else weight) * (1 + PHRASE * (min(len(words), 3) - 1))


def _rarer(held: Weights, categories: int) -> Weights:
    """A term of many categories says little about any."""
    rarity = math.log(1 + (categories - len(held) + 0.5) / (len(held) + 0.5))
    full = math.log(1 + (categories - 0.5) / 1.5)
    return {number: weight * rarity / full for number, weight in held.items()}


def _by_first_word(rated: dict[Term, Weights]) -> dict[str, tuple[tuple[Term, Weights], ...]]:
    grouped: dict[str, list[tuple[Term, Weights]]] = {}
    for term, held in rated.items():
        grouped.setdefault(term[0], []).append((term, held))
    return {first: tuple(sorted(terms, key=lambda one: -len(one[0]))) for first, terms in grouped.items()}
