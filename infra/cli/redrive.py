"""`redrive`: a new run of documents that could succeed; what it may cost is said before it is done."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

import typer

from infra.cli.console import complain, print_json_lines, tell
from infra.cli.documents import AsJson, Region, StackName, find_stack, uri_of
from infra.cli.failures import chosen_by
from infra.cli.inputs import InputError
from infra.ops import listing, operations
from infra.ops.failures import WITHOUT_ANSWER, Estimate, estimate, short
from infra.ops.operations import NotAllowedError, upload_of
from infra.ops.services import operation_ports, operator
from infra.ops.stack import Stack
from pigeonhole.domain.errors import PigeonholeError
from pigeonhole.domain.record import Record
from pigeonhole.domain.row_attributes import Status
from pigeonhole.services import Services


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What became, or would become, of one document: its run, or why there is none."""

    document: str
    run: int | None = None
    why_not: str | None = None

    def described(self, *, done: bool) -> dict[str, Any]:
        """As JSON."""
        return {"document": self.document, "redriven": done and self.run is not None, "run": self.run,
                "why_not": self.why_not}  # fmt: skip


def redrive(
    documents: Annotated[
        list[str] | None, typer.Argument(metavar="DOCUMENT", help="S3 URIs, or keys in the inbox.")
    ] = None,
    code: Annotated[str | None, typer.Option(help="Only this cause, as `failures` names it.")] = None,
    prefix: Annotated[str, typer.Option(help="Only documents whose key begins so.")] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Also what would end the same way; known answers are not reused.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without it, only say what would be done.")
    ] = False,
    stack: StackName = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Begin a new run of documents; an outcome stands until its document has a new one.

    Exit code 1: some that were to run again could not be begun.
    """
    if not (documents or code or prefix):
        raise InputError("Say which: documents, --code or --prefix.")
    chosen = find_stack(stack, region)
    services = operator(chosen)
    uris = [uri_of(chosen, each) for each in documents] if documents else None
    records = list(_records(chosen, services, uris, code, prefix))
    rehearsal = operator(chosen, acts=False)
    planned = {record.document: _fate(record, rehearsal, force) for record in records}
    willing = [record for record in records if planned[record.document].why_not is None]
    rows = [record.row() for record in willing]
    cost = estimate(rows, dict(_refused(willing, services)))
    fates = {**planned, **{each.document: _fate(each, services, force) for each in willing if yes}}
    if as_json:
        print_json_lines(fate.described(done=yes) for fate in fates.values())
    _conclude(fates, cost, short(cost, rows, services.budget.headroom()), done=yes)
    raise typer.Exit(1 if any(fates[each.document].why_not for each in willing) else 0)


def _records(
    stack: Stack, services: Services, uris: Sequence[str] | None, code: str | None, prefix: str
) -> Iterator[Record]:
    """The named ones, or all that have no answer; of these, those of the cause and under the prefix."""
    found = uris if uris is not None else listing.of_statuses(stack, WITHOUT_ANSWER)
    for uri in found:
        record = services.outside.store.row(uri)
        if record is None and uris is not None:
            raise InputError(f"There is no document {uri}.")
        if record and chosen_by(record.row(), code, prefix):
            yield record


def _refused(records: Iterable[Record], services: Services) -> Iterator[tuple[str, Decimal]]:
    """What the next call may cost of those that wait for a cap."""
    for record in records:
        job = services.outside.store.latest_job(upload_of(record)) if record.status is Status.PARKED else None
        if job and job.charges.over_cap:
            yield record.document, job.charges.over_cap.usd


def _fate(record: Record, services: Services, force: bool) -> Fate:
    try:
        return Fate(document=record.document, run=_redriven(record, services, force))
    except (NotAllowedError, PigeonholeError) as error:
        return Fate(document=record.document, why_not=str(error))


def _redriven(record: Record, services: Services, force: bool) -> int:
    visibility = services.config.visibility
    return operations.redrive(record, operation_ports(services), visibility, forced=force).task.run


def _conclude(fates: Mapping[str, Fate], cost: Estimate, rooms: Mapping[str, float], *, done: bool) -> None:
    for fate in fates.values():
        if fate.why_not:
            complain(f"Left alone: {fate.document}: {fate.why_not}")
    if not fates:
        tell("No document fits: `infra/pigeonhole failures` shows which have no answer, and their codes.")
        return
    if not cost.documents:
        tell("Nothing is left that could be run again.")
        return
    tell(f"{cost.documents} {'are run again' if done else 'would be run again'}; {_dollars(cost)}.")
    for account, usd in rooms.items():
        tell(f"{account} may spend ${usd:.4f} more for now: what does not fit waits, and goes on by itself.")
    if not done:
        tell("Nothing was done yet: --yes does it.")


def _dollars(cost: Estimate) -> str:
    if cost.usd is None or cost.mean_usd is None:
        return "none of them has been paid for before, so what they may cost is not known"
    return (
        f"they may cost ${cost.usd:.4f}, at ${cost.mean_usd:.4f} each, the mean of what {cost.paid_for} of "
        "them have cost a run; calls without an answer, and those that a cap refused, count at their dearest"
    )
