"""`failures`: why documents have no answer, once a cause, with the next step."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from infra.cli.console import DATA, print_json_lines, tell
from infra.cli.documents import AsJson, Region, StackName, find_stack
from infra.cli.table import inert
from infra.ops import listing
from infra.ops.failures import WITHOUT_ANSWER, Cause, grouped
from infra.ops.stack import Row


def failures(
    prefix: Annotated[str, typer.Option(help="Only documents whose key begins so.")] = "",
    stack: StackName = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Show why documents have no answer, grouped by cause."""
    chosen = find_stack(stack, region)
    rows = listing.whole(chosen, listing.of_statuses(chosen, WITHOUT_ANSWER))
    causes = grouped(row for row in rows if row["key"].startswith(prefix))
    if as_json:
        print_json_lines(asdict(cause) for cause in causes)
    elif causes:
        DATA.print(_table(causes))
        tell("`infra/pigeonhole redrive --code CODE` tries those of one cause again.")
    else:
        tell("None has failed or waits for a person.")


def chosen_by(row: Row, code: str | None, prefix: str) -> bool:
    """Whether a row belongs to a cause and lies under a prefix."""
    return row["key"].startswith(prefix) and code in (None, *(cause.code for cause in grouped([row])))


def _table(causes: list[Cause]) -> Table:
    table = Table(header_style="bold")
    table.add_column("Documents", justify="right")
    table.add_column("Status", no_wrap=True)
    table.add_column("Code", no_wrap=True)
    table.add_column("What happened, and the next step", overflow="fold")
    table.add_column("For instance", overflow="fold")
    for cause in causes:
        words = f"{cause.message} {cause.next_step}"
        cells = (str(cause.count), cause.status, cause.code, words, cause.sample)
        table.add_row(*map(inert, cells))
    return table
