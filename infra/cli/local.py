"""`local up`, `local down` and `offline-claude`: the stand-ins for AWS and for Claude, to work against."""

from typing import Annotated

import typer

from infra.cli.console import DATA, print_json, tell
from infra.cli.inputs import InputError
from infra.local import run

local = typer.Typer(help="A local AWS with the real template, for your own tools.", no_args_is_help=True)


@local.command()
def up(
    as_json: Annotated[bool, typer.Option("--json", help="Print where everything is as JSON.")] = False,
) -> None:
    """Start it, deployed afresh; it stays up."""
    described = run.up().described()
    if as_json:
        print_json(described)
        return
    outputs = described.pop("outputs")
    for name, value in {**described, **outputs}.items():
        DATA.print(f"{name:<20} {value}", markup=False, soft_wrap=True)
    tell("`infra/pigeonhole local down` stops it.")


@local.command()
def down() -> None:
    """Stop it."""
    tell("Stopped." if run.down() else "No local stack was up.")


def offline_claude(
    faults: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FAULT",
            help="Misbehaviour, such as rate_limit:rate=0.1,retry_after_s=2 or slow:seconds=3.",
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Of 127.0.0.1; without it, a free one.", min=0, max=65535)
    ] = None,
    latency: Annotated[float, typer.Option(help="Seconds that every answer takes.", min=0)] = 0.0,
    jitter: Annotated[
        float, typer.Option(help="Seconds that an answer may be faster or slower.", min=0)
    ] = 0.0,
    low_confidence: Annotated[float, typer.Option(help="Share of unsure answers.", min=0, max=1)] = 0.0,
    seed: Annotated[int, typer.Option(help="Decides whom faults meet.")] = 0,
    requests_per_minute: Annotated[int | None, typer.Option(help="Rate limit; 429 above it.", min=1)] = None,
    input_tokens_per_minute: Annotated[int | None, typer.Option(help="The same, uncached.", min=1)] = None,
    output_tokens_per_minute: Annotated[int | None, typer.Option(help="The same.", min=1)] = None,
    burst: Annotated[
        float, typer.Option(help="Seconds of these limits that may come at once.", min=0)
    ] = 60.0,
    spend_limit: Annotated[float | None, typer.Option(help="US dollars; 429 once billed.", min=0)] = None,
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
            ready=lambda url: tell(f"The offline Claude listens at {url}"),
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
            f"The offline Claude cannot listen at port {port or 0}: {error.strerror}."
        ) from error
