"""infra/bench: runs the benchmarks in tests/benchmarks and prints their figures; nothing is asserted."""

from collections.abc import Iterator
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from infra.cli.console import STDOUT, print_error, print_info, print_json_lines
from infra.cli.inputs import InputError
from infra.dev.bootstrap import ROOT
from infra.local.server import SetupError

FOLDER = ROOT / "tests" / "benchmarks"
Figures = dict[str, Any]  # one row of a benchmark's table


def main(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Benchmarks to run; by default all.")
    ] = None,
    on: Annotated[Path | None, typer.Option(help="A folder of documents to measure on.", exists=True)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Run benchmarks and print their figures."""
    known = sorted(path.stem for path in FOLDER.glob("*.py") if "\ndef run(" in path.read_text())
    if unknown := sorted(set(names or ()) - set(known)):
        raise InputError(
            f"There is no benchmark {', '.join(unknown)}; the benchmarks are {', '.join(known)}."
        )
    figures = _run_all(names or known, on)
    if as_json:
        print_json_lines(figures)
        return
    for columns, rows in groupby(figures, key=_columns):
        STDOUT.print(_table(columns, rows))


def _run_all(names: list[str], on: Path | None) -> Iterator[Figures]:
    for name in names:
        print_info(f"Measuring {name} …")
        for figures in import_module(f"tests.benchmarks.{name}").run(on):
            yield {"name": name, **figures}


def _columns(figures: Figures) -> tuple[str, ...]:
    return tuple(figures)


def _table(columns: tuple[str, ...], rows: Iterator[Figures]) -> Table:
    table = Table(*columns, header_style="bold")
    for row in rows:
        table.add_row(*(_format(row[column]) for column in columns))
    return table


def _format(value: Any) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    try:
        typer.run(main)
    except (InputError, SetupError) as error:
        print_error(str(error))
        raise SystemExit(2) from error
