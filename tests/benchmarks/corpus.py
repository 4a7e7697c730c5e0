"""Documents to put a price on: our samples multiplied, some long, some exact copies, or any folder's own."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path

from infra.cli.inputs import find
from infra.dev.bootstrap import ROOT
from pigeonhole.domain.document import Coverage, Text
from pigeonhole.domain.errors import DocumentError
from pigeonhole.sandbox.extractor import Extractor

SAMPLES = ROOT / "tests" / "documents" / "samples"
SIZE = 300
SEED = 5
# Of a hundred documents so many are at least so long, in characters; the others are as long as the sample.
LENGTHS = ((1, 200_000), (4, 40_000), (10, 12_000), (25, 4_000))
COPIES = 0.05
# Those that are hard by themselves come up as seldom as hard ones do.
HARD = frozenset(
    {"letter-of-intent.pdf", "scan-batch-0031.pdf", "on-the-night-ferry.txt", "lettre-résiliation.txt"}
)
HARD_WEIGHT = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """What lies at a key, read."""

    key: str
    text: Text


def documents(on: Path | None) -> list[Document]:
    """What a folder holds that can be read, or a corpus of our own, the same every time."""
    read = list(_read(on or SAMPLES))
    return read if on else list(_multiplied(read))


def _read(folder: Path) -> Iterator[Document]:
    extractor = Extractor()
    try:
        for file in find([folder]):
            try:
                yield Document(key=file.key, text=extractor.read(file.path, file.path.name))
            except DocumentError:
                continue
    finally:
        extractor.close()


def _multiplied(samples: list[Document]) -> Iterator[Document]:
    chance, made = random.Random(SEED), list[Document]()
    weights = [HARD_WEIGHT if Path(sample.key).name in HARD else 1.0 for sample in samples]
    for number in range(SIZE):
        if made and chance.random() < COPIES:
            document = _copy(chance.choice(made), number)
        else:
            document = _like(chance.choices(samples, weights)[0], number, _length(chance))
        made.append(document)
        yield document


def _copy(of: Document, number: int) -> Document:
    team, _, name = of.key.partition("/")
    return replace(of, key=f"{team}/{number}/{name.rpartition('/')[2]}")


def _like(sample: Document, number: int, length: int) -> Document:
    """The sample over and over until it is so long, and a line of its own."""
    body = sample.text.body
    times = -(-length // len(sample.text.text)) if sample.text.text else 1
    whole = (*islice(cycle(body), max(times, 1) * len(body)), f"Received as no. {number}.")
    chars = sum(len(part) for part in whole if isinstance(part, str))
    team, _, name = sample.key.partition("/")
    coverage = Coverage(chars_total=chars, chars_read=chars)
    return Document(key=f"{team}/{number}/{name}", text=replace(sample.text, body=whole, coverage=coverage))


def _length(chance: random.Random) -> int:
    drawn = 100 * chance.random()
    for share, length in LENGTHS:
        if drawn < share:
            return length
        drawn -= share
    return 0
