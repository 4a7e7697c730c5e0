"""`extract`: what the functions would read of a file, through the very same sandbox."""

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.cli.console import DATA, harmless, print_json_lines
from infra.cli.inputs import InputError, walked
from infra.cli.table import inert
from pigeonhole.domain.document import Text
from pigeonhole.domain.error_codes import EXPLANATIONS
from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.limits import Limits
from pigeonhole.sandbox.extractor import Extractor

STATED = ("title", "author", "created", "modified")

Answer = dict[str, Any]


def extract(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Files, and folders of files.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a file and line.")] = False,
) -> None:
    """Read text out of files, as the functions do. Exit code 1 if a file could not be read."""
    files = [file for path in paths for file, _ in walked(path)]
    if not files:
        raise InputError(f"There are no files in {', '.join(map(str, paths))}")
    answers = _side_by_side(files)
    failed = False
    for answer in answers:
        failed |= not answer["ok"]
        if as_json:
            print_json_lines([answer])
        else:
            _print(answer)
    raise typer.Exit(1 if failed else 0)


def _side_by_side(files: Sequence[Path]) -> Iterator[Answer]:
    workers = max(2, os.cpu_count() or 2)
    extractor = Extractor(Limits(pool_bytes=workers * Limits().memory_bytes))
    try:
        with ThreadPoolExecutor(workers) as threads:
            yield from threads.map(lambda path: _answer(extractor, path), files)
    finally:
        extractor.close()


def _answer(extractor: Extractor, path: Path) -> Answer:
    started = time.monotonic()
    text, error = _read(extractor, path)
    return {
        "path": str(path),
        "ok": error is None,
        "text": text.text if text else None,
        "media_type": text.media_type if text else None,
        **{fact: getattr(text, fact, None) for fact in STATED},
        "coverage": asdict(text.coverage) if text else None,
        "error": error,
        "seconds": round(time.monotonic() - started, 3),
    }


def _read(extractor: Extractor, path: Path) -> tuple[Text | None, dict[str, str] | None]:
    if path.is_dir():
        said = "It is a link to a folder, which is not followed, or a folder that may not be opened."
        return None, _error("gone", said, "Name that folder itself, or check its permissions.")
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


def _print(answer: Answer) -> None:
    DATA.print(inert(answer["path"]), style="bold")
    if error := answer["error"]:
        DATA.print(f"{error['message']} {error['next_step']} ({error['code']})", style="red", markup=False)
        return
    coverage = {name: value for name, value in answer["coverage"].items() if value}
    DATA.print(f"{answer['media_type']}, {coverage}", style="dim", markup=False)
    for fact in filter(answer.get, STATED):
        DATA.print(harmless(f"{fact}: {answer[fact]}"), style="dim", markup=False)
    DATA.print(harmless(answer["text"]), markup=False, soft_wrap=True)
