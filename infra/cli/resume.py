"""`resume`: resets the circuit breaker. `gate open` is the command's earlier name."""

from typing import Annotated

import typer

from infra.cli.console import print_info, print_json
from infra.cli.documents import Region, StackName, find_stack
from infra.ops.circuit_breaker import RESET, reset, state
from infra.ops.services import operator

# The earlier name of the command: kept for one release, hidden in the list of commands.
gate = typer.Typer(hidden=True, deprecated=True, help="The earlier name of `resume`.", no_args_is_help=True)


def resume(
    stack: StackName = None,
    region: Region = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the circuit breaker before and after as JSON.")
    ] = False,
) -> None:
    """Reset the circuit breaker, once the key or the limit is in order, so that calls of Claude go on.

    Exit code 1: it was tripped again at once.
    """
    services = operator(find_stack(stack, region))
    before = state(services)
    after = reset(services)
    if as_json:
        print_json({"was": before, "now": after})
    elif before["state"] == RESET:
        print_info("The circuit breaker was not tripped.")
    elif after["state"] == RESET:
        print_info(
            "The circuit breaker is reset. Parked documents go on with the next sweep, within 20 minutes."
        )
    else:
        print_info("The circuit breaker was tripped again at once; `infra/pigeonhole status` says why.")
    raise typer.Exit(0 if after["state"] == RESET else 1)


@gate.callback()
def _keep_open_a_subcommand() -> None:
    """Without a callback typer would make `gate` itself the only command."""


gate.command("open", deprecated=True)(resume)
