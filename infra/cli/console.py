"""Where words go: data to standard output, everything else to standard error."""

import json
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console

WIDTH = 140  # of what goes to a file or a pipe
DATA = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
NEWS = Console(stderr=True, highlight=False)


# Escape sequences and marks that turn the direction of what follows; names and texts are strangers'.
HARMFUL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")


def harmless(text: str) -> str:
    """The text without what could steer a terminal, and without halves of characters."""
    return HARMFUL.sub(" ", text).encode("utf-8", "replace").decode()


def complain(message: str) -> None:
    """An error, in the user's words."""
    NEWS.print(harmless(message), style="red", markup=False, soft_wrap=True)


def tell(message: str) -> None:
    """Something worth knowing."""
    NEWS.print(harmless(message), markup=False, soft_wrap=True)


def json_line(value: Mapping[str, Any]) -> str:
    """One object on one line; a name that is no text is shown with its odd bytes escaped."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def print_json_lines(values: Iterable[Mapping[str, Any]]) -> None:
    """Each as it comes."""
    for value in values:
        print(json_line(value), flush=True)


def print_json(value: Mapping[str, Any]) -> None:
    """For one object that a person may read too."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    print()
