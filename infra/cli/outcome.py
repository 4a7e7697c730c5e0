"""What came of a run: the two files, the table, the last line and the exit code."""

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from infra.cli.console import DATA, complain, json_line, tell
from infra.cli.drive import Journey
from infra.cli.inputs import Found
from infra.cli.table import documents_table
from infra.ops.stack import Row

ENGINES = {"offline": "the offline Claude (at list prices; nothing was billed)", "api": "the Claude API"}
WORDS = {"done": "done", "needs_review": "for review", "failed": "failed", "removed": "removed"}
SHOWN_WHOLE = 200


def documents_file(out: Path) -> Path:
    """The public rows, one JSON object a line."""
    return out / "documents.jsonl"


def report_file(out: Path) -> Path:
    """The page for people."""
    return out / "report.html"


def in_order(files: Sequence[Found], journey: Journey) -> list[Row]:
    """The rows in the order of the files."""
    return [journey.rows[file.key] for file in files if file.key in journey.rows]


def write(files: Sequence[Found], journey: Journey, out: Path, *, engine: str, seconds: float) -> None:
    """Only these two files of the folder are replaced."""
    from infra.report.page import render

    rows = in_order(files, journey)
    left = {str(file.path): journey.left[file.key] for file in files if file.key in journey.left}
    documents_file(out).write_text("".join(json_line(row) + "\n" for row in rows), encoding="utf-8")
    page = render(rows, engine=engine, seconds=seconds, left=left)
    report_file(out).write_text(page, encoding="utf-8")


def conclude(
    files: Sequence[Found], journey: Journey, out: Path, *, engine: str, table: bool, started: float
) -> int:
    """Tells what happened; the exit code."""
    rows = in_order(files, journey)
    if table:
        _show(rows)
    for file in files:
        if file.key in journey.left:
            complain(f"No outcome: {file.path}: {journey.left[file.key]}")
    for trouble in journey.troubles:
        complain(f"The functions' log says: {trouble}")
    counts = Counter(row["status"] for row in rows)
    told = [f"{counts[status]} {word}" for status, word in WORDS.items() if counts[status]]
    told += [f"{len(journey.left)} without an outcome"] if journey.left else []
    seconds = time.monotonic() - started
    tell(f"{', '.join(told)} in {seconds:.1f} s; {_dollars(journey)}, by {ENGINES[engine]}.")
    tell(f"{documents_file(out)}\n{report_file(out)}")
    return 3 if journey.left else 1 if counts["failed"] else 0


def _dollars(journey: Journey) -> str:
    unsettled = journey.sum_of("unsettled_usd")
    more = f" and at most ${unsettled:.4f} for calls whose answer never came" if unsettled else ""
    return f"${journey.sum_of('cost_usd'):.4f}{more}"


def _show(rows: Sequence[Row]) -> None:
    whole = len(rows) <= SHOWN_WHOLE
    shown = [row for row in rows if whole or row["status"] != "done"]
    if shown:
        DATA.print(documents_table(shown))
    if not whole:
        tell(f"{len(rows) - len(shown)} more are done; documents.jsonl and report.html have them.")
