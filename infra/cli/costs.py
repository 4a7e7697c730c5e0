"""`costs`: what calls have cost, grouped; what was saved; and how much of each cap is used."""

from decimal import Decimal
from typing import Annotated

import typer
from rich.table import Table

from infra.cli.console import STDOUT, print_json
from infra.cli.documents import AsJson, Region, StackName, find_stack
from infra.cli.inputs import InputError
from infra.cli.table import plain_text
from infra.ops.costs import (
    DEFAULT_DAYS,
    RETENTION_DAYS,
    By,
    Costs,
    WrongDatesError,
    costs,
    costs_as_json,
    date_range,
)
from infra.ops.services import operator
from infra.ops.spend import AccountUsage, CapUsage, account_usages
from pigeonhole.jobs.usage import UsageTotals


def show_costs(
    number: Annotated[
        int | None,
        typer.Option("--days", help=f"Number of days, default {DEFAULT_DAYS}.", min=1, max=RETENTION_DAYS),
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="First, such as 2026-11-01.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last; by default today.")] = None,
    by: Annotated[By, typer.Option(help="What the costs are grouped by.")] = By.DAY,
    stack: StackName = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Show what calls of the models have cost, and how much of the caps is used. Days are UTC."""
    chosen = find_stack(stack, region)
    services = operator(chosen)
    today = services.outside.clock.now().date()
    try:
        days = date_range(today, number=number, first=first, last=last)
    except WrongDatesError as error:
        raise InputError(str(error)) from error
    usage = services.outside.runner.map(services.outside.store.usage, map(str, days))
    found = costs((line for day in usage for line in day), by)
    accounts = account_usages(services.outside.store, services.config.caps, today)
    if as_json:
        print_json(costs_as_json(days, by, found) | {"caps": [each.as_json() for each in accounts]})
        return
    STDOUT.print(_table(found, by))
    caps = "Used of the caps, reservations included:"
    for line in (*_savings(found.total), caps, *map(usage_line, accounts)):
        STDOUT.print(plain_text(line), soft_wrap=True)


def dollars(usd: Decimal) -> str:
    """Rounded to a hundredth of a cent."""
    return f"{'-' if usd < 0 else ''}${abs(usd):,.4f}"


def usage_line(account: AccountUsage) -> str:
    """How much of its caps an account has used.

    Such as `stack: today $1.0000 of $10 (10 %), this month $20.0000 of $100 (20 %)`.
    """
    return f"{account.account}: today {_cap_usage(account.day)}, this month {_cap_usage(account.month)}"


def _cap_usage(usage: CapUsage) -> str:
    return f"{dollars(usage.usd)} of ${usage.cap:,f} ({usage.percent} %)"


def _table(found: Costs, by: By) -> Table:
    table = Table(header_style="bold", show_footer=True)
    table.add_column(by.value.capitalize(), "Total", overflow="fold")
    cells = _cells(found.total)
    for name, total in cells.items():
        table.add_column(name, total, justify="right", no_wrap=True)
    for group in found.groups:
        table.add_row(plain_text(group.name), *_cells(group.count).values())
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


def _savings(total: UsageTotals) -> list[str]:
    alone = "The strong model alone would have cost, for the same documents and without caching:"
    return [
        f"{alone} {dollars(total.alone_usd)}",
        f"Saved by caching: {dollars(total.saved_by_caching_usd)}",
        f"Saved by cutting long documents: {dollars(total.saved_by_cutting_usd)}",
        f"Saved by reusing answers: {dollars(total.saved_by_reuse_usd)}",
    ]
