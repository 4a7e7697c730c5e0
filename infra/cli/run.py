"""`run`, which infra/demo calls: sorts the documents of a folder on a local stack."""

import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.console import print_info, print_json_lines
from infra.cli.inputs import InputError, find
from infra.cli.progress import progress
from infra.cli.results import documents_file, in_order, print_results, report_file, write
from infra.cli.submit import RunResult, submit_and_wait
from infra.dev.bootstrap import ROOT
from infra.local.lifecycle import StackOptions, local_stack, up
from infra.ops.stack import Stack
from pigeonhole.domain.taxonomy import TaxonomyError, load

SAMPLES = ROOT / "tests" / "documents" / "samples"
OUT = ROOT / ".local" / "demo"


class Claude(StrEnum):
    """Which Claude answers."""

    OFFLINE = "offline"
    API = "api"


def run(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Files and folders; by default the samples of this repository."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for documents.jsonl and report.html.")] = OUT,
    claude: Annotated[
        Claude,
        typer.Option(
            help="`offline` is a stand-in on this machine; `api` is the real one, with ANTHROPIC_API_KEY."
        ),
    ] = Claude.OFFLINE,
    max_usd: Annotated[
        float | None,
        typer.Option(help="Most US dollars that it may cost; required with `--claude api`.", min=0.01),
    ] = None,
    taxonomy: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A taxonomy file to try, in the place of the built-in one.", dir_okay=False
        ),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the local stack running afterwards.")] = False,
    patience: Annotated[
        float, typer.Option(help="Give up after this many seconds without an outcome.", min=1)
    ] = 300,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the rows as JSON lines, not as a table.")
    ] = False,
) -> None:
    """Sort documents on a local AWS and show the results.

    Exit code 0: all are done or for review; 1: some failed; 2: usage or set-up; 3: some have no outcome.
    """
    started = time.monotonic()
    options = StackOptions(
        api_key=_api_key(claude, max_usd),
        parameters=caps(max_usd),
        taxonomy=_taxonomy(taxonomy) if taxonomy else None,
    )
    files = find(paths or [SAMPLES], leave_out={documents_file(out).resolve(), report_file(out).resolve()})
    _create_folder(out)
    result = RunResult()
    with _stack(options, keep=keep) as stack, progress(len(files)) as on_progress:
        submit_and_wait(stack, files, result, patience=patience, on_progress=on_progress)
    write(files, result, out, engine=claude.value, seconds=time.monotonic() - started)
    if as_json:
        print_json_lines(in_order(files, result))
    raise typer.Exit(
        print_results(files, result, out, engine=claude.value, table=not as_json, started=started)
    )


def _api_key(claude: Claude, max_usd: float | None) -> str | None:
    if claude is Claude.OFFLINE:
        return None
    key = os.environ.get("ANTHROPIC_API_KEY", "").strip()
    if not key:
        raise InputError("--claude api needs the environment variable ANTHROPIC_API_KEY.")
    if max_usd is None:
        raise InputError("--claude api costs money: give the most that it may cost with --max-usd.")
    return key


def _taxonomy(file: Path) -> str:
    """The file's text, checked as the functions check it at their start; InputError if it is not valid."""
    try:
        text = file.read_text("utf-8")
        load(text)
    except OSError as error:
        raise InputError(f"The taxonomy {file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"The taxonomy {file} is not in UTF-8: save it so.") from error
    except TaxonomyError as error:
        raise InputError(f"{file}: {error}.") from error
    return text


def caps(max_usd: float | None) -> Mapping[str, str]:
    """Template parameters that cap a day and a month at `max_usd` dollars; none if it is None."""
    if max_usd is None:
        return {}
    if not math.isfinite(max_usd):
        raise InputError("--max-usd is an amount of dollars, such as 2.50.")
    return dict.fromkeys(("DailyCapUsd", "MonthlyCapUsd"), f"{Decimal(str(max_usd)):f}")


def _create_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The results cannot go to {out}: {error.strerror}") from error
    if not os.access(out, os.W_OK):
        raise InputError(f"The results cannot go to {out}: it may not be written to")


@contextmanager
def _stack(options: StackOptions, *, keep: bool) -> Iterator[Stack]:
    print_info("Starting a local AWS and deploying template.yaml …")
    if not keep:
        with local_stack(options) as stack:
            yield stack
        return
    yield up(options)
    print_info(
        "The stack keeps running: `infra/pigeonhole list` reads it, `infra/pigeonhole local down` stops it."
    )
