"""Jupyter notebooks: the cells and the text of their outputs, without pictures and settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.decode import decode
from pigeonhole.extract.interface import Segment, Source


def read(source: Source) -> Iterator[Segment]:
    """Each cell in turn; raises DocumentError `corrupt`, at which registry tries plain text."""
    try:
        notebook = json.loads(decode(source.data))
        cells = notebook["cells"]
        for cell in cells:
            yield _joined(cell.get("source"))
            for output in cell.get("outputs", ()):
                yield _joined(output.get("text") or output.get("data", {}).get("text/plain"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DocumentError("corrupt", f"not a notebook: {error}") from error


def _joined(lines: Any) -> str:
    if isinstance(lines, list):
        return "".join(line for line in lines if isinstance(line, str))
    return lines if isinstance(lines, str) else ""
