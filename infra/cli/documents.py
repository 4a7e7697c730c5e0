"""`list` and `show`: what a stack knows of its documents, read as any reader may."""

from itertools import islice
from typing import Annotated

import typer

from infra.cli.console import DATA, print_json, print_json_lines, tell
from infra.cli.inputs import InputError
from infra.cli.table import documents_table
from infra.local.run import standing
from infra.ops import listing
from infra.ops.listing import STATUSES
from infra.ops.stack import Row, Stack, deployed

StackName = Annotated[
    str | None, typer.Option("--stack", help="A deployed stack; without it, the local one.")
]
Region = Annotated[
    str | None, typer.Option(help="The deployed stack's region; without it, the one set for AWS tools.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


def list_documents(
    category: Annotated[str | None, typer.Option(help="Only this category.")] = None,
    status: Annotated[str | None, typer.Option(help=f"Only this status: {', '.join(STATUSES)}.")] = None,
    limit: Annotated[int, typer.Option(help="At most this many, newest first.", min=1)] = 50,
    stack: StackName = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """List documents, newest first."""
    if status is not None and status not in STATUSES:
        raise InputError(f"There is no status {status}; there are {', '.join(STATUSES)}.")
    chosen = find_stack(stack, region)
    statuses = (status,) if status else STATUSES
    found = listing.of_category(chosen, category) if category else listing.of_statuses(chosen, statuses)
    fitting = (row for row in listing.whole(chosen, found) if _fits(row, category, status))
    rows = islice(fitting, limit)
    if as_json:
        print_json_lines(rows)
    elif shown := list(rows):
        DATA.print(documents_table(shown))
    else:
        tell("There are no such documents.")


def show(
    document: Annotated[
        str, typer.Argument(metavar="DOCUMENT", help="The document's S3 URI, or its key in the inbox.")
    ],
    stack: StackName = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Show all that is known of one document."""
    chosen = find_stack(stack, region)
    row = chosen.row(uri_of(chosen, document))
    if row is None:
        raise InputError(f"There is no document {document}.")
    if as_json:
        print_json_lines([row])
    else:
        print_json(row)


def uri_of(stack: Stack, document: str) -> str:
    """The document's name, of which people may give the key alone."""
    return document if document.startswith("s3://") else stack.uri(document)


def find_stack(name: str | None, region: str | None) -> Stack:
    """The named one, or the local one that stays."""
    if region and not name:
        raise InputError("--region goes with --stack: the local stack has none to choose.")
    return deployed(name, region) if name else standing()


def _fits(row: Row, category: str | None, status: str | None) -> bool:
    return category in (None, row.get("category")) and status in (None, row["status"])
