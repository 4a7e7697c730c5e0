"""Documents of our own making whose every word is known: to time, and to score against."""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path
from xml.sax.saxutils import escape

from tests.documents.vectors import legacy, packages
from tests.documents.vectors.pdfs import pdf

_SYLLABLES = (
    "ba",
    "den",
    "fo",
    "gar",
    "hin",
    "jo",
    "kel",
    "lun",
    "mar",
    "no",
    "pil",
    "que",
    "ran",
    "sto",
    "tu",
    "wer",
)
_WORD = re.compile(r"\w+")


def words(chance: random.Random, count: int) -> list[str]:
    """Words that compress about as well as real ones."""
    return ["".join(chance.choices(_SYLLABLES, k=chance.randint(1, 4))) for _ in range(count)]


def tokens(text: str) -> list[str]:
    """What is compared: runs of letters and digits, small."""
    return _WORD.findall(text.lower())


def f1(text: str, truth: str) -> float:
    """How far two texts have the same words, order aside."""
    ours, theirs = Counter(tokens(text)), Counter(tokens(truth))
    both = sum((ours & theirs).values())
    return 2 * both / (sum(ours.values()) + sum(theirs.values())) if both else float(not theirs and not ours)


def order(text: str, truth: str) -> float:
    """The share of the truth's runs of four words that the text has."""
    ours, theirs = _runs(text), _runs(truth)
    return sum((ours & theirs).values()) / max(1, sum(theirs.values()))


def _runs(text: str) -> Counter[tuple[str, ...]]:
    found = tokens(text)
    return Counter(zip(*(found[at:] for at in range(4)), strict=False))


def make(folder: Path, copies: int = 8) -> dict[Path, str]:
    """Documents of many kinds and their truths."""
    made: dict[Path, str] = {}
    for number in range(copies):
        chance = random.Random(number)
        paragraphs = [" ".join(words(chance, 80)) for _ in range(120)]
        truth = "\n".join(paragraphs)
        for suffix, data in _documents(paragraphs).items():
            path = folder / f"{number}.{suffix}"
            path.write_bytes(data)
            made[path] = truth
    return made


def _documents(paragraphs: list[str]) -> dict[str, bytes]:
    lines = [" ".join(part) for text in paragraphs for part in _chunks(text.split(), 10)]
    cells: list[list[str | float]] = [[*text.split()] for text in paragraphs]
    body = "".join(map(packages.paragraph, paragraphs))
    page = "".join(f"<p>{escape(text)}</p>" for text in paragraphs)
    odt = "".join(f"<text:p>{escape(text)}</text:p>" for text in paragraphs)
    slides = [list(part) for part in _chunks(paragraphs, 6)]
    head = "From: a@example.org\nTo: b@example.org\nSubject: x\nDate: Fri, 14 Mar 2031 09:26:53 +0000\n\n"
    rtf = "".join(f"{{\\f0 {text}\\par}}\n" for text in paragraphs)
    return {
        "pdf": pdf([list(part) for part in _chunks(lines, 45)]),
        "docx": packages.docx(body, ""),
        "pptx": packages.pptx(slides, ""),
        "xlsx": packages.xlsx({"1": cells}, ""),
        "doc": legacy.doc(paragraphs),
        "xls": legacy.xls("1", cells),
        "odt": packages.opendocument("text", odt, ""),
        "epub": packages.epub({f"{at}.xhtml": f"<html><body>{page}</body></html>" for at in range(1)}, ""),
        "html": f"<html><body>{page}</body></html>".encode(),
        "eml": (head + "\n".join(lines)).encode(),
        "rtf": f"{{\\rtf1\\ansi{{\\fonttbl{{\\f0 Arial;}}}}{rtf}}}".encode(),
        "txt": "\n".join(lines).encode(),
    }


def _chunks(items: list[str], size: int) -> list[list[str]]:
    return [items[at : at + size] for at in range(0, len(items), size)]
