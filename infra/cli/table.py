"""Documents as a table for a terminal; names and texts are never taken for markup or control characters."""

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from infra.cli.console import sanitize
from infra.ops.rows import Row

STYLES = {"done": "", "needs_review": "yellow", "failed": "red", "removed": "dim"}
SUMMARY_CHARS = 100
KEY_CHARS = 96


def documents_table(rows: Iterable[Row]) -> Table:
    """One line a document, with the reason where it has failed or waits for a person."""
    table = Table(header_style="bold")
    table.add_column("File", overflow="fold", min_width=16, max_width=48)
    table.add_column("Category", no_wrap=True)
    table.add_column("Conf.", justify="right", no_wrap=True)
    table.add_column("Tier", no_wrap=True)
    table.add_column("Summary", overflow="fold")
    table.add_column("Cost $", justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(plain_text(cell) for cell in _cells(row)), style=STYLES.get(row["status"], ""))
    return table


def plain_text(text: str) -> Text:
    """The text on one line, without markup and control characters."""
    return Text(" ".join(sanitize(text).splitlines()).replace("\t", " "))


def _cells(row: Row) -> tuple[str, ...]:
    confidence = row.get("confidence") if row.get("category") else None
    return (
        _shorten(row["key"]),
        row.get("category") or row["status"],
        "" if confidence is None else f"{confidence:.2f}",
        row.get("tier") or "",
        _summary(row),
        _cost(row),
    )


def _cost(row: Row) -> str:
    unsettled = row.get("unsettled_usd")
    more = f" + at most {unsettled:.4f}" if unsettled else ""
    return f"{row.get('cost_usd') or 0:.4f}{more}"


def _shorten(key: str) -> str:
    return key if len(key) <= KEY_CHARS else f"{key[: KEY_CHARS // 2]}…{key[-KEY_CHARS // 2 :]}"


def _summary(row: Row) -> str:
    if row["status"] == "failed":
        error = row["error"]
        return f"{error['message']} {error['next_step']}"
    summary = str(row.get("summary") or row.get("title") or "")
    shown = summary if len(summary) <= SUMMARY_CHARS else summary[: SUMMARY_CHARS - 1].rstrip() + "…"
    if row["status"] == "needs_review":
        return f"For review ({', '.join(row.get('review_reasons') or ())}). {shown}"
    return shown
