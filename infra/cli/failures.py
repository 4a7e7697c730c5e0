"""`failures`: why documents have no answer, grouped by cause, with the next step of each."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from infra.cli.console import STDOUT, print_info, print_json_lines
from infra.cli.documents import AsJson, Region, StackName, find_stack
from infra.cli.table import plain_text
from infra.ops import listing
from infra.ops.failures import WITHOUT_ANSWER, Cause, group_by_cause
from infra.ops.rows import Row


def failures(
    prefix: Annotated[str, typer.Option(help="Only documents whose key begins with this.")] = "",
    stack: StackName = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Show why documents have no answer, grouped by cause."""
    chosen = find_stack(stack, region)
    rows = listing.full_rows(chosen, listing.of_statuses(chosen, WITHOUT_ANSWER))
    causes = group_by_cause(row for row in rows if row["key"].startswith(prefix))
    if as_json:
        print_json_lines(asdict(cause) for cause in causes)
    elif causes:
        STDOUT.print(_table(causes))
        print_info("`infra/pigeonhole redrive --code CODE` begins a new run of the documents of one cause.")
    else:
        print_info("No document has failed or waits for a person.")


def matches(row: Row, code: str | None, prefix: str) -> bool:
    """Whether a row's key begins with the prefix and its cause has the code; None stands for any code."""
    return row["key"].startswith(prefix) and code in (None, *(cause.code for cause in group_by_cause([row])))


def _table(causes: list[Cause]) -> Table:
    table = Table(header_style="bold")
    table.add_column("Documents", justify="right")
    table.add_column("Status", no_wrap=True)
    table.add_column("Code", no_wrap=True)
    table.add_column("What happened, and the next step", overflow="fold")
    table.add_column("Example", overflow="fold")
    for cause in causes:
        text = f"{cause.message} {cause.next_step}"
        cells = (str(cause.count), cause.status, cause.code, text, cause.sample)
        table.add_row(*map(plain_text, cells))
    return table
