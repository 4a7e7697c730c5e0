"""Output of the commands: data to standard output, everything else to standard error."""

import json
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console

WIDTH = 140  # columns, where standard output is a file or a pipe
STDOUT = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
STDERR = Console(stderr=True, highlight=False)


# Control characters (escape sequences among them) and marks that reverse the reading direction: names and
# texts of documents come from strangers.
UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")


def sanitize(text: str) -> str:
    """The text with control characters and unpaired surrogates replaced; tabs and line breaks stay."""
    return UNSAFE.sub(" ", text).encode("utf-8", "replace").decode()


def print_error(message: str) -> None:
    """An error, in red on standard error."""
    STDERR.print(sanitize(message), style="red", markup=False, soft_wrap=True)


def print_info(message: str) -> None:
    """A notice on standard error, so that standard output holds data alone."""
    STDERR.print(sanitize(message), markup=False, soft_wrap=True)


def json_line(value: Mapping[str, Any]) -> str:
    """The object as JSON on one line; bytes of a file name that are not UTF-8 are shown escaped."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def print_json_lines(values: Iterable[Mapping[str, Any]]) -> None:
    """One JSON object a line, each printed as soon as it is there."""
    for value in values:
        print(json_line(value), flush=True)


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object, indented for people."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    print()
