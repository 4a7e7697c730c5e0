"""`list` and `show`: the public rows of a stack's documents, with the rights of any reader."""

from itertools import islice
from typing import Annotated

import typer

from infra.cli.console import STDOUT, print_info, print_json, print_json_lines
from infra.cli.inputs import InputError
from infra.cli.table import documents_table
from infra.local.lifecycle import running_stack
from infra.ops import listing
from infra.ops.listing import STATUSES
from infra.ops.rows import Row
from infra.ops.stack import Stack, deployed

StackName = Annotated[
    str | None, typer.Option("--stack", help="Name of a deployed stack; by default the local one.")
]
Region = Annotated[
    str | None, typer.Option(help="Region of the deployed stack; by default that of the AWS configuration.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


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
        raise InputError(f"There is no status {status}; the statuses are {', '.join(STATUSES)}.")
    chosen = find_stack(stack, region)
    statuses = (status,) if status else STATUSES
    found = listing.of_category(chosen, category) if category else listing.of_statuses(chosen, statuses)
    matching = (row for row in listing.full_rows(chosen, found) if _matches(row, category, status))
    rows = islice(matching, limit)
    if as_json:
        print_json_lines(rows)
    elif shown := list(rows):
        STDOUT.print(documents_table(shown))
    else:
        print_info("No document matches.")


def show(
    document: Annotated[
        str, typer.Argument(metavar="DOCUMENT", help="The document's S3 URI, or its key in the inbox.")
    ],
    stack: StackName = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Show the row of one document."""
    chosen = find_stack(stack, region)
    row = chosen.row(uri_of(chosen, document))
    if row is None:
        raise InputError(f"There is no document {document}.")
    if as_json:
        print_json_lines([row])
    else:
        print_json(row)


def uri_of(stack: Stack, document: str) -> str:
    """The document's S3 URI; people may give the key in the inbox alone."""
    return document if document.startswith("s3://") else stack.uri(document)


def find_stack(name: str | None, region: str | None) -> Stack:
    """The deployed stack of this name, or the local one that is running; InputError, StackError."""
    if region and not name:
        raise InputError("--region is for --stack: the local stack has only one region.")
    return deployed(name, region) if name else running_stack()


def _matches(row: Row, category: str | None, status: str | None) -> bool:
    return category in (None, row.get("category")) and status in (None, row["status"])
