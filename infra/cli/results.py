"""The results of a run: two files, a table, a line of totals, and the exit code."""

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from infra.cli.console import STDOUT, json_line, print_error, print_info
from infra.cli.inputs import Found
from infra.cli.submit import RunResult
from infra.cli.table import documents_table
from infra.ops.rows import Row

ENGINES = {"offline": "the offline Claude (at list prices; nothing was billed)", "api": "the Claude API"}
LABELS = {"done": "done", "needs_review": "for review", "failed": "failed", "removed": "removed"}
# A longer table shows only the rows that are not done.
MAX_FULL_TABLE = 200


def documents_file(out: Path) -> Path:
    """The public rows, one JSON object a line."""
    return out / "documents.jsonl"


def report_file(out: Path) -> Path:
    """The page for people."""
    return out / "report.html"


def in_order(files: Sequence[Found], result: RunResult) -> list[Row]:
    """The rows in the order of the files."""
    return [result.rows[file.key] for file in files if file.key in result.rows]


def write(files: Sequence[Found], result: RunResult, out: Path, *, engine: str, seconds: float) -> None:
    """Write documents.jsonl and report.html into the folder `out`; nothing else in it is touched."""
    from infra.report.page import render

    rows = in_order(files, result)
    missing = {str(file.path): result.missing[file.key] for file in files if file.key in result.missing}
    documents_file(out).write_text("".join(json_line(row) + "\n" for row in rows), encoding="utf-8")
    page = render(rows, engine=engine, seconds=seconds, missing=missing)
    report_file(out).write_text(page, encoding="utf-8")


def print_results(
    files: Sequence[Found], result: RunResult, out: Path, *, engine: str, table: bool, started: float
) -> int:
    """Print what became of the files.

    Returns the exit code: 0 all are done or for review, 1 some failed, 3 some have no outcome.
    """
    rows = in_order(files, result)
    if table:
        _print_table(rows)
    for file in files:
        if file.key in result.missing:
            print_error(f"No outcome: {file.path}: {result.missing[file.key]}")
    for message in result.log_errors:
        print_error(f"From the functions' log: {message}")
    counts = Counter(row["status"] for row in rows)
    totals = [f"{counts[status]} {label}" for status, label in LABELS.items() if counts[status]]
    totals += [f"{len(result.missing)} without an outcome"] if result.missing else []
    seconds = time.monotonic() - started
    print_info(f"{', '.join(totals)} in {seconds:.1f} s; {_dollars(result)}, by {ENGINES[engine]}.")
    print_info(f"{documents_file(out)}\n{report_file(out)}")
    return 3 if result.missing else 1 if counts["failed"] else 0


def _dollars(result: RunResult) -> str:
    unsettled = result.sum_of("unsettled_usd")
    more = f" and at most ${unsettled:.4f} for calls whose answer never came" if unsettled else ""
    return f"${result.sum_of('cost_usd'):.4f}{more}"


def _print_table(rows: Sequence[Row]) -> None:
    is_full = len(rows) <= MAX_FULL_TABLE
    shown = [row for row in rows if is_full or row["status"] != "done"]
    if shown:
        STDOUT.print(documents_table(shown))
    if not is_full:
        print_info(f"{len(rows) - len(shown)} more are done; documents.jsonl and report.html have them.")
