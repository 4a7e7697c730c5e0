"""Documents of our own making whose every word is known: to time, and to score against."""

from __future__ import annotations

import random
import re
from collections import Counter
from email.message import EmailMessage
from pathlib import Path

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
PARAGRAPHS = (120, 160, 240, 400, 700, 1_400)
_STYLE = ".row > a:hover { margin: 0 auto; color: #336699 }\n"
_LINK = "<li><a href='/'></a></li>"
_SCRIPT = "if (a < b && c) { d.push('<p>' + e[f] + '</p>'); }\n"
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


def make(folder: Path) -> dict[Path, str]:
    """Documents of many kinds, from two dozen kilobytes to some megabytes, and their truths."""
    made: dict[Path, str] = {}
    for number, count in enumerate(PARAGRAPHS):
        chance = random.Random(number)
        paragraphs = [" ".join(words(chance, chance.randint(20, 140))) for _ in range(count)]
        truth = "\n".join(paragraphs)
        for suffix, data in _documents(paragraphs).items():
            path = folder / f"{number}.{suffix}"
            path.write_bytes(data)
            made[path] = truth
    return made


def _documents(paragraphs: list[str]) -> dict[str, bytes]:
    lines = [" ".join(part) for text in paragraphs for part in _chunks(text.split(), 10)]
    cells: list[list[str | float]] = [[*row] for text in paragraphs for row in _chunks(text.split(), 12)]
    body = "".join(packages.paragraph("| ".join(_phrases(text))) for text in paragraphs)
    odt = "".join(f"<text:p>{_spans(text)}</text:p>" for text in paragraphs)
    slides = [list(part) for part in _chunks(paragraphs, 6)]
    chapters = {
        f"{at}.xhtml": f"<html><body>{_sections(part)}</body></html>"
        for at, part in enumerate(_chunks(paragraphs, 40))
    }
    rtf = "".join(f"{{\\f0 {text}\\par}}\n" for text in paragraphs)
    return {
        "pdf": pdf([list(part) for part in _chunks(lines, 45)]),
        "docx": packages.docx(body, ""),
        "pptx": packages.pptx(slides, ""),
        "xlsx": packages.xlsx({"1": cells}, ""),
        "doc": legacy.doc(paragraphs),
        "xls": legacy.xls("1", cells),
        "odt": packages.opendocument("text", odt, ""),
        "epub": packages.epub(chapters, ""),
        "html": page(paragraphs).encode(),
        "eml": _mail(lines, page(paragraphs)),
        "rtf": f"{{\\rtf1\\ansi{{\\fonttbl{{\\f0 Arial;}}}}{rtf}}}".encode(),
        "txt": "\n".join(lines).encode(),
    }


def page(paragraphs: list[str]) -> str:
    """A page as sites make them: style, script, navigation; headings, links, and here and there a table."""
    head = f"<head><style>{_STYLE * 40}</style><script>{_SCRIPT * 60}</script></head>"
    navigation = f"<nav><ul>{_LINK * 20}</ul></nav>"
    return f"<html>{head}<body>{navigation}<main>{_sections(paragraphs)}</main></body></html>"


def _sections(paragraphs: list[str]) -> str:
    return "".join(_section(at, text) for at, text in enumerate(paragraphs))


def _section(at: int, text: str) -> str:
    if at % 10 == 5:
        rows = ("".join(f"<td>{word}</td>" for word in row) for row in _chunks(text.split(), 5))
        return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>\n"
    first, *phrases = _phrases(text)
    linked = " ".join(f'<a class="link" href="/{at}">{phrase}</a>' for phrase in phrases)
    return f'<div class="row"><h2 id="s{at}">{first}</h2>\n<p class="text">{linked}</p></div>\n'


def _spans(text: str) -> str:
    return " ".join(f'<text:span text:style-name="T1">{phrase}</text:span>' for phrase in _phrases(text))


def _phrases(text: str) -> list[str]:
    return [" ".join(part) for part in _chunks(text.split(), 8)]


def _mail(lines: list[str], page: str) -> bytes:
    """A message as programs send them: the text, and the same as a page."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.org", "b@example.org", "x"
    mail["Date"] = "Fri, 14 Mar 2031 09:26:53 +0000"
    mail.set_content("\n".join(lines))
    mail.add_alternative(page, subtype="html")
    return mail.as_bytes()


def _chunks(items: list[str], size: int) -> list[list[str]]:
    return [items[at : at + size] for at in range(0, len(items), size)]
