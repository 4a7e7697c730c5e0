"""`local up`, `local down` and `offline-claude`: the emulated AWS and the stand-in for the Claude API."""

from typing import Annotated

import typer

from infra.cli.console import STDOUT, print_info, print_json
from infra.cli.inputs import InputError
from infra.local import lifecycle

local = typer.Typer(
    help="An emulated AWS on this machine with template.yaml deployed to it.", no_args_is_help=True
)


@local.command()
def up(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print endpoints, keys and outputs as JSON.")
    ] = False,
) -> None:
    """Start a fresh local stack, which keeps running; one that runs already is stopped."""
    stack = lifecycle.up().as_json()
    if as_json:
        print_json(stack)
        return
    outputs = stack.pop("outputs")
    for name, value in {**stack, **outputs}.items():
        STDOUT.print(f"{name:<20} {value}", markup=False, soft_wrap=True)
    print_info("`infra/pigeonhole local down` stops it.")


@local.command()
def down() -> None:
    """Stop the local stack."""
    print_info("Stopped." if lifecycle.down() else "No local stack was running.")


def offline_claude(
    faults: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FAULT",
            help="A fault to inject, such as rate_limit:rate=0.1,retry_after_s=2 or slow:seconds=3.",
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port on 127.0.0.1; by default a free one.", min=0, max=65535)
    ] = None,
    latency: Annotated[float, typer.Option(help="Seconds that each answer takes.", min=0)] = 0.0,
    jitter: Annotated[
        float, typer.Option(help="Random seconds added to or taken from the latency.", min=0)
    ] = 0.0,
    low_confidence: Annotated[
        float, typer.Option(help="Share of answers with a low confidence.", min=0, max=1)
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of the random choice of which requests a fault hits.")] = 0,
    requests_per_minute: Annotated[
        int | None, typer.Option(help="Rate limit in requests; 429 above it.", min=1)
    ] = None,
    input_tokens_per_minute: Annotated[
        int | None, typer.Option(help="Rate limit in uncached input tokens.", min=1)
    ] = None,
    output_tokens_per_minute: Annotated[
        int | None, typer.Option(help="Rate limit in output tokens.", min=1)
    ] = None,
    burst: Annotated[
        float, typer.Option(help="How many seconds' worth of these limits may be used at once.", min=0)
    ] = 60.0,
    spend_limit: Annotated[
        float | None, typer.Option(help="US dollars; 429 once so much is billed.", min=0)
    ] = None,
) -> None:
    """Run the stand-in for the Claude API until it is interrupted."""
    from infra.local.offline_claude import ApiError, Fault, parse_fault
    from infra.local.offline_claude import run as serve

    chosen: list[Fault] = []
    for text in faults or ():
        try:
            chosen.append(parse_fault(text))
        except ApiError as error:
            raise InputError(error.message) from error
    try:
        serve(
            port or 0,
            ready=lambda url: print_info(f"The offline Claude listens on {url}"),
            latency_s=latency,
            jitter_s=jitter,
            low_confidence_share=low_confidence,
            seed=seed,
            requests_per_minute=requests_per_minute,
            input_tokens_per_minute=input_tokens_per_minute,
            output_tokens_per_minute=output_tokens_per_minute,
            burst_s=burst,
            spend_limit_usd=spend_limit,
            faults=tuple(chosen),
        )
    except ApiError as error:
        raise InputError(error.message) from error
    except OSError as error:
        raise InputError(
            f"The offline Claude cannot listen on port {port or 0}: {error.strerror}."
        ) from error
