"""One document as the report shows it; any attribute of its row may be absent, of a wrong type or hostile."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

from infra.report.labels import FACTS, WAITING, reason

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One document as the page shows it; `number` makes its anchor."""

    number: int
    row: Row

    @cached_property
    def status(self) -> str:
        return str(self.row.get("status", "unknown"))

    @cached_property
    def file(self) -> str:
        """The last part of the key, or all of it when it ends in a slash."""
        key = str(self.row.get("key") or self.row.get("document") or "?")
        return key.rpartition("/")[2] or key

    @cached_property
    def folder(self) -> str:
        return str(self.row.get("key") or "").rpartition("/")[0]

    @cached_property
    def category(self) -> str | None:
        slug = self.row.get("category")
        return str(slug) if slug else None

    @cached_property
    def confidence(self) -> int | None:
        """Whole percents."""
        share = decimal(self.row.get("confidence"))
        return None if share is None else max(0, min(100, round(share * 100)))

    @cached_property
    def cost(self) -> Decimal | None:
        return decimal(self.row.get("cost_usd"))

    @cached_property
    def unsettled(self) -> Decimal | None:
        """US dollars that calls without an answer may have cost at most."""
        return decimal(self.row.get("unsettled_usd"))

    @cached_property
    def tokens(self) -> Mapping[str, Counter[str]]:
        """Token counts by model and kind."""
        usage = self.row.get("usage")
        return (
            {str(model): _counts(kinds) for model, kinds in usage.items()}
            if isinstance(usage, Mapping)
            else {}
        )

    @cached_property
    def tier(self) -> str | None:
        return str(self.row["tier"]) if self.row.get("tier") else None

    @cached_property
    def escalated(self) -> list[str]:
        return [reason(str(code)) for code in self.row.get("escalation_reasons") or ()]

    @cached_property
    def reviewed(self) -> list[str]:
        return [reason(str(code)) for code in self.row.get("review_reasons") or ()]

    @cached_property
    def tone(self) -> str:
        """The CSS class that gives the document its colour."""
        if self.status in ("failed", "needs_review"):
            return self.status
        return self.tier if self.tier in ("fast", "strong", "final", "human") else ""

    @cached_property
    def error(self) -> Row:
        error = self.row.get("error")
        return error if isinstance(error, Mapping) else {}

    @cached_property
    def quotes(self) -> list[str]:
        return [str(quote) for quote in self.row.get("evidence") or ()]

    @cached_property
    def keywords(self) -> list[str]:
        return [str(word) for word in self.row.get("keywords") or ()]

    @cached_property
    def facts(self) -> list[tuple[str, object]]:
        """Labels and values of the attributes under "Details"."""
        values = [(label, self.row.get(key)) for key, label in FACTS.items()]
        if self.error:
            values.append(("error", f"{self.error.get('code')}: {self.error.get('detail') or ''}"))
        return [(label, value) for label, value in values if value not in (None, "", {})]

    @cached_property
    def waiting(self) -> str | None:
        waits = self.row.get("waiting")
        return (
            WAITING.get(str(waits.get("for")), str(waits.get("for"))) if isinstance(waits, Mapping) else None
        )

    @cached_property
    def unread(self) -> list[str]:
        """Which parts of the document were not read or not sent, in sentences."""
        covered = self.row.get("coverage")
        return list(_gaps(covered, sent=self.tier is not None)) if isinstance(covered, Mapping) else []

    @cached_property
    def language(self) -> str | None:
        """The language code, if it is valid as HTML's `lang`."""
        code = str(self.row.get("language") or "")
        return code if re.fullmatch(r"[a-z]{2,3}(-[A-Za-z]{2,4})?", code) else None


def decimal(value: object) -> Decimal | None:
    """A count or an amount from a number or text; None if it is neither, negative or not finite."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 <= number < 10**15 else None


def _counts(kinds: object) -> Counter[str]:
    pairs = kinds.items() if isinstance(kinds, Mapping) else ()
    return Counter({str(kind): int(decimal(number) or 0) for kind, number in pairs})


def _gaps(covered: Row, *, sent: bool) -> Iterator[str]:
    pages, characters, failed = (
        _part(covered, "pages"),
        _part(covered, "chars"),
        decimal(covered.get("parts_failed")),
    )
    yield from (f"{read:,} of {total:,} {what} read" for read, total, what in (*pages, *characters))
    if failed:
        yield f"{failed:,} part{'s' if failed > 1 else ''} could not be read"
    read, sent_chars = (decimal(covered.get(key)) for key in ("chars_read", "chars_sent"))
    if sent and read and sent_chars is not None and sent_chars < read:
        yield f"{sent_chars:,} of {read:,} characters that were read went to the model"
    elif covered.get("truncated") and not (pages or characters):
        yield "only part of it was read"


def _part(covered: Row, what: str) -> list[tuple[Decimal, Decimal, str]]:
    read, total = decimal(covered.get(f"{what}_read")), decimal(covered.get(f"{what}_total"))
    words = {"pages": "pages", "chars": "characters"}[what]
    return [(read, total, words)] if read is not None and total is not None and read < total else []
