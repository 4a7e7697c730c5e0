"""`review`: a person confirms or changes a document's category, which ends all work on that version."""

import getpass
from typing import Annotated

import typer

from infra.cli.console import print_info, print_json_lines
from infra.cli.documents import AsJson, Region, StackName, find_stack, uri_of
from infra.cli.inputs import InputError
from infra.ops import operations
from infra.ops.services import operation_ports, operator
from infra.ops.stack import Stack


def review(
    document: Annotated[
        str, typer.Argument(metavar="DOCUMENT", help="The document's S3 URI, or its key in the inbox.")
    ],
    accept: Annotated[bool, typer.Option("--accept", help="Confirm the category of the answer.")] = False,
    category: Annotated[str | None, typer.Option(help="Set this category instead.")] = None,
    who: Annotated[
        str | None, typer.Option("--by", help="Who decides; by default the owner of the credentials.")
    ] = None,
    stack: StackName = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Decide a document: confirm the category of its answer, or set another one."""
    if accept == (category is not None):
        raise InputError("Use either --accept or --category.")
    chosen = find_stack(stack, region)
    uri = uri_of(chosen, document)
    if chosen.row(uri) is None:
        raise InputError(f"There is no document {uri}.")
    try:
        services = operator(chosen)
        by, taxonomy = who or _caller(chosen), services.config.taxonomy
        record = operations.review(uri, category, by, operation_ports(services), taxonomy)
    except operations.NotAllowedError as error:
        raise InputError(f"{uri} is unchanged: {error}.") from error
    if as_json:
        print_json_lines([record.model_dump(mode="json", by_alias=True, exclude_none=True)])
    else:
        print_info(f"{record.document} is {record.category}, decided by {record.reviewed_by}.")


def _caller(stack: Stack) -> str:
    if stack.endpoint_url:
        return getpass.getuser()
    return str(stack.client("sts").get_caller_identity()["Arn"])
