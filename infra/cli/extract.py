"""`extract`: prints the text that the functions would read of a file, through the same sandbox."""

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.cli.console import STDOUT, print_json_lines, sanitize
from infra.cli.inputs import InputError, walk
from infra.cli.table import plain_text
from pigeonhole.domain.document import Text
from pigeonhole.domain.error_codes import EXPLANATIONS
from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.limits import Limits
from pigeonhole.sandbox.extractor import Extractor

# What a document says about itself.
METADATA = ("title", "author", "created", "modified")

Result = dict[str, Any]


def extract(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Files and folders of files.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a line, for each file.")
    ] = False,
) -> None:
    """Print the text of files, read as the functions read them.

    Exit code 1: a file could not be read.
    """
    files = [file for path in paths for file, _ in walk(path)]
    if not files:
        raise InputError(f"There are no files in {', '.join(map(str, paths))}")
    failed = False
    for result in _extract_all(files):
        failed |= not result["ok"]
        if as_json:
            print_json_lines([result])
        else:
            _print(result)
    raise typer.Exit(1 if failed else 0)


def _extract_all(files: Sequence[Path]) -> Iterator[Result]:
    """The results in the order of the files; as many files at a time as there are processors."""
    workers = max(2, os.cpu_count() or 2)
    extractor = Extractor(Limits(pool_bytes=workers * Limits().memory_bytes))
    try:
        with ThreadPoolExecutor(workers) as threads:
            yield from threads.map(lambda path: _extract_one(extractor, path), files)
    finally:
        extractor.close()


def _extract_one(extractor: Extractor, path: Path) -> Result:
    started = time.monotonic()
    text, error = _read(extractor, path)
    return {
        "path": str(path),
        "ok": error is None,
        "text": text.text if text else None,
        "media_type": text.media_type if text else None,
        **{fact: getattr(text, fact, None) for fact in METADATA},
        "coverage": asdict(text.coverage) if text else None,
        "error": error,
        "seconds": round(time.monotonic() - started, 3),
    }


def _read(extractor: Extractor, path: Path) -> tuple[Text | None, dict[str, str] | None]:
    if path.is_dir():
        message = "It is a link to a folder, which is not followed, or a folder that may not be opened."
        return None, _error("gone", message, "Name that folder itself, or check its permissions.")
    if not path.is_file():
        return None, _error("gone", "There is no such file.", "Check the path.")
    try:
        return extractor.read(path, path.name), None
    except DocumentError as error:
        explanation = EXPLANATIONS[error.code]
        message = explanation.message
        if error.code == "unsupported_type":
            message = f"{message.rstrip('.')}: {error.detail}."
        return None, _error(error.code, message, explanation.next_step)
    except OSError as error:
        return None, _error("gone", f"It cannot be opened: {error.strerror}.", "Check its permissions.")


def _error(code: str, message: str, next_step: str) -> dict[str, str]:
    return {"code": code, "message": message, "next_step": next_step}


def _print(result: Result) -> None:
    STDOUT.print(plain_text(result["path"]), style="bold")
    if error := result["error"]:
        STDOUT.print(f"{error['message']} {error['next_step']} ({error['code']})", style="red", markup=False)
        return
    coverage = {name: value for name, value in result["coverage"].items() if value}
    STDOUT.print(f"{result['media_type']}, {coverage}", style="dim", markup=False)
    for fact in filter(result.get, METADATA):
        STDOUT.print(sanitize(f"{fact}: {result[fact]}"), style="dim", markup=False)
    STDOUT.print(sanitize(result["text"]), markup=False, soft_wrap=True)
