"""`redrive`: begins new runs of documents; without --yes it only says what it would do and cost."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

import typer

from infra.cli.console import print_error, print_info, print_json_lines
from infra.cli.documents import AsJson, Region, StackName, find_stack, uri_of
from infra.cli.failures import matches
from infra.cli.inputs import InputError
from infra.ops import listing, operations
from infra.ops.failures import WITHOUT_ANSWER, Estimate, estimate, over_cap
from infra.ops.operations import NotAllowedError, upload_of
from infra.ops.services import operation_ports, operator
from infra.ops.stack import Stack
from pigeonhole.domain.errors import PigeonholeError
from pigeonhole.domain.record import Record
from pigeonhole.domain.row_attributes import Status
from pigeonhole.services import Services


@dataclass(frozen=True, kw_only=True)
class RedriveResult:
    """The new run of one document, or why there is none; in a dry run, what it would be."""

    document: str
    run: int | None = None
    why_not: str | None = None

    def as_json(self, *, done: bool) -> dict[str, Any]:
        """As `redrive --json` prints it; `done` is False for a dry run."""
        return {"document": self.document, "redriven": done and self.run is not None, "run": self.run,
                "why_not": self.why_not}  # fmt: skip


def redrive(
    documents: Annotated[
        list[str] | None, typer.Argument(metavar="DOCUMENT", help="S3 URIs, or keys in the inbox.")
    ] = None,
    code: Annotated[
        str | None, typer.Option(help="Only documents with this code, as `failures` lists them.")
    ] = None,
    prefix: Annotated[str, typer.Option(help="Only documents whose key begins with this.")] = "",
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Also documents that would end the same way; cached replies are not used."
        ),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without it, only show what would be done.")
    ] = False,
    stack: StackName = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Begin a new run of documents; the row keeps its outcome until the run has one of its own.

    Exit code 1: a run that was to begin did not.
    """
    if not (documents or code or prefix):
        raise InputError("Name documents, or use --code or --prefix.")
    chosen = find_stack(stack, region)
    services = operator(chosen)
    uris = [uri_of(chosen, each) for each in documents] if documents else None
    records = list(_records(chosen, services, uris, code, prefix))
    dry_run = operator(chosen, dry_run=True)
    planned = {record.document: _redrive(record, dry_run, force) for record in records}
    eligible = [record for record in records if planned[record.document].why_not is None]
    rows = [record.row() for record in eligible]
    cost = estimate(rows, dict(_refused_calls(eligible, services)))
    results = {**planned, **{each.document: _redrive(each, services, force) for each in eligible if yes}}
    if as_json:
        print_json_lines(result.as_json(done=yes) for result in results.values())
    _print_summary(results, cost, over_cap(cost, rows, services.budget.headroom()), done=yes)
    raise typer.Exit(1 if any(results[each.document].why_not for each in eligible) else 0)


def _records(
    stack: Stack, services: Services, uris: Sequence[str] | None, code: str | None, prefix: str
) -> Iterator[Record]:
    """The rows of the named documents, or of all without an answer, that match the code and the prefix."""
    found = uris if uris is not None else listing.of_statuses(stack, WITHOUT_ANSWER)
    for uri in found:
        record = services.outside.store.row(uri)
        if record is None and uris is not None:
            raise InputError(f"There is no document {uri}.")
        if record and matches(record.row(), code, prefix):
            yield record


def _refused_calls(records: Iterable[Record], services: Services) -> Iterator[tuple[str, Decimal]]:
    """For each document parked for a cap, what the call that was refused may cost in US dollars."""
    for record in records:
        job = services.outside.store.latest_job(upload_of(record)) if record.status is Status.PARKED else None
        if job and job.charges.over_cap:
            yield record.document, job.charges.over_cap.usd


def _redrive(record: Record, services: Services, force: bool) -> RedriveResult:
    try:
        return RedriveResult(document=record.document, run=_new_run(record, services, force))
    except (NotAllowedError, PigeonholeError) as error:
        return RedriveResult(document=record.document, why_not=str(error))


def _new_run(record: Record, services: Services, force: bool) -> int:
    visibility = services.config.visibility
    return operations.redrive(record, operation_ports(services), visibility, forced=force).task.run


def _print_summary(
    results: Mapping[str, RedriveResult], cost: Estimate, headroom: Mapping[str, float], *, done: bool
) -> None:
    for result in results.values():
        if result.why_not:
            print_error(f"Not redriven: {result.document}: {result.why_not}")
    if not results:
        print_info("No document matches: `infra/pigeonhole failures` lists those without an answer.")
        return
    if not cost.documents:
        print_info("No document can be run again.")
        return
    print_info(f"{cost.documents} {'are run again' if done else 'would be run again'}; {_dollars(cost)}.")
    for account, usd in headroom.items():
        print_info(
            f"{account} may spend ${usd:.4f} more for now: what is over the cap is parked until it fits."
        )
    if not done:
        print_info("Nothing was changed: --yes begins the runs.")


def _dollars(cost: Estimate) -> str:
    if cost.usd is None or cost.mean_usd is None:
        return "none of them has cost anything yet, so what they may cost is not known"
    return (
        f"they may cost ${cost.usd:.4f}, at ${cost.mean_usd:.4f} each, the mean of what {cost.paid_for} of "
        "them have cost a run; calls without an answer or refused by a cap count at their highest price"
    )
