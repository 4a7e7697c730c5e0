"""Renders the report: public rows in, one self-contained HTML page out; values are escaped as text."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from infra.report.entry import Entry, Row
from infra.report.labels import ENGINES, STATUSES, TIERS

# Marks that reverse the reading direction of a name: shown as their code points.
_BIDI_MARKS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def render(
    rows: Sequence[Row], *, engine: str, seconds: float, missing: Mapping[str, str] = MappingProxyType({})
) -> str:
    """The page about these rows, as HTML.

    `engine` is `offline` or `api`, `seconds` the duration of the run. `missing` are the files without an
    outcome, with the reason.
    """
    ordered = sorted(rows, key=lambda row: str(row.get("key", "")))
    entries = [Entry(number=number, row=row) for number, row in enumerate(ordered, 1)]
    paid = [entry for entry in entries if entry.cost]
    total = _sum(entries)
    return _template().render(
        entries=entries,
        headline=_headline(entries),
        engine=ENGINES.get(engine, engine),
        offline=engine == "offline",
        seconds=seconds,
        missing=missing,
        statuses={key: [e for e in entries if e.status == key] for key in _known_first(entries)},
        pigeonholes=_by_category(entries),
        hard=[e for e in entries if e.escalated or e.reviewed],
        partly_read=[e for e in entries if e.unread],
        bills=_bills(entries),
        total=total,
        unsettled=sum((entry.unsettled for entry in entries if entry.unsettled), Decimal(0)),
        paid=len(paid),
        average=total / len(paid) if paid else None,
        tokens=_tokens(entries),
        models=sorted({str(e.row["model"]) for e in entries if e.row.get("model")}),
        words={"status": STATUSES, "tier": TIERS},
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"usd": usd, "readable": readable, "duration": duration}
    return environment.get_template("page.html.j2")


def _visible(value: object) -> object:
    """The text with control characters and marks of the reading direction made visible."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    marked = _BIDI_MARKS.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", value)
    return "".join(
        c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs") else "\ufffd" for c in marked
    )


def usd(amount: Decimal | None) -> str:
    """US dollars, with two significant digits where it is less than a dollar."""
    if amount is None:
        return "unknown"
    if amount == 0:
        return "$0"
    return f"${amount:,.2f}" if amount >= 1 else f"${amount:.{min(9, 1 - amount.adjusted())}f}"


def readable(slug: str) -> str:
    """A slug as words, such as `Meeting minutes`."""
    words = slug.replace("_", " ").strip() or slug
    return words[:1].upper() + words[1:]


def duration(seconds: float) -> str:
    """Seconds as text, such as `9.9 s` or `2 min 11 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def _headline(entries: Sequence[Entry]) -> str:
    counts = Counter(entry.status for entry in entries)
    parts = [f"{counts[key]} {words.lower()}" for key, words in STATUSES.items() if counts[key]]
    came = f"{len(entries)} document{'' if len(entries) == 1 else 's'} came in"
    return f"{came}: {', '.join(parts)}." if parts else f"{came}."


def _known_first(entries: Iterable[Entry]) -> list[str]:
    return list(dict.fromkeys([*STATUSES, *(entry.status for entry in entries)]))


def _by_category(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    holes: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.status == "done":
            holes.setdefault(entry.category or "no category", []).append(entry)
    return dict(sorted(holes.items()))


def _bills(entries: Sequence[Entry]) -> dict[str, tuple[int, Decimal]]:
    """Documents and cost by deciding tier; the cost of a strong answer includes the fast call before it."""
    by_tier: dict[str, list[Entry]] = {}
    for entry in entries:
        by_tier.setdefault(entry.tier or "none", []).append(entry)
    order = [tier for tier in dict.fromkeys([*TIERS, *by_tier]) if tier in by_tier]
    return {tier: (len(by_tier[tier]), _sum(by_tier[tier])) for tier in order}


def _sum(entries: Iterable[Entry]) -> Decimal:
    return sum((entry.cost for entry in entries if entry.cost), Decimal(0))


def _tokens(entries: Iterable[Entry]) -> dict[str, Counter[str]]:
    totals: dict[str, Counter[str]] = {}
    for entry in entries:
        for model, kinds in entry.tokens.items():
            totals[model] = totals.get(model, Counter()) + kinds
    return totals
