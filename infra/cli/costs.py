"""`costs`: what calls have cost, by whom and for what, what was saved, and what is used of the caps."""

from decimal import Decimal
from typing import Annotated

import typer
from rich.table import Table

from infra.cli.console import DATA, print_json
from infra.cli.documents import AsJson, Region, StackName, find_stack
from infra.cli.inputs import InputError
from infra.cli.table import inert
from infra.ops.costs import KEPT_DAYS, USUAL_DAYS, By, Costs, WrongDatesError, costs, days, described
from infra.ops.services import operator
from infra.ops.spend import Standing, Used, standings
from pigeonhole.jobs.usage import UsageTotals


def show_costs(
    number: Annotated[
        int | None,
        typer.Option("--days", help=f"So many until today; usually {USUAL_DAYS}.", min=1, max=KEPT_DAYS),
    ] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DAY", help="Such as 2026-11-01.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Included; else today.")] = None,
    by: Annotated[By, typer.Option(help="What is told apart.")] = By.DAY,
    stack: StackName = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Show what calls of the models have cost, and how much of the caps is used. Days are UTC."""
    chosen = find_stack(stack, region)
    services = operator(chosen)
    today = services.outside.clock.now().date()
    try:
        asked = days(today, number=number, first=first, last=last)
    except WrongDatesError as error:
        raise InputError(str(error)) from error
    usage = services.outside.runner.map(services.outside.store.usage, map(str, asked))
    found = costs((line for day in usage for line in day), by)
    accounts = standings(services.outside.store, services.config.caps, today)
    if as_json:
        print_json(described(asked, by, found) | {"caps": [each.described() for each in accounts]})
        return
    DATA.print(_table(found, by))
    for line in (*_lines(found.total), "Used of the caps, what is set aside included:", *map(used, accounts)):
        DATA.print(inert(line), soft_wrap=True)


def dollars(usd: Decimal) -> str:
    """To a hundredth of a cent."""
    return f"{'-' if usd < 0 else ''}${abs(usd):,.4f}"


def used(account: Standing) -> str:
    """Such as `stack: today $1.0000 of $10 (10 %), this month $20.0000 of $100 (20 %)`."""
    return f"{account.account}: today {_part(account.day)}, this month {_part(account.month)}"


def _part(of: Used) -> str:
    return f"{dollars(of.usd)} of ${of.cap:,f} ({of.percent} %)"


def _table(found: Costs, by: By) -> Table:
    table = Table(header_style="bold", show_footer=True)
    table.add_column(by.value.capitalize(), "Total", overflow="fold")
    cells = _cells(found.total)
    for name, total in cells.items():
        table.add_column(name, total, justify="right", no_wrap=True)
    for group in found.groups:
        table.add_row(inert(group.name), *_cells(group.count).values())
    return table


def _cells(count: UsageTotals) -> dict[str, str]:
    return {
        "Calls": f"{count.calls:,}",
        "Reused": f"{count.reused:,}",
        "Input": f"{count.input_tokens:,}",
        "Output": f"{count.output_tokens:,}",
        "Cache read": f"{count.cache_read_tokens:,}",
        "Cache write": f"{count.cache_write_tokens:,}",
        "Cost": dollars(count.usd),
        "Unsettled, at most": dollars(count.unsettled_usd),
    }


def _lines(total: UsageTotals) -> list[str]:
    alone = "The strong model alone would have cost for the same documents, nothing cached:"
    return [
        f"{alone} {dollars(total.alone_usd)}",
        f"Saved by caching: {dollars(total.saved_by_caching_usd)}",
        f"Saved by cutting long documents: {dollars(total.saved_by_cutting_usd)}",
        f"Saved by reusing answers: {dollars(total.saved_by_reuse_usd)}",
    ]
