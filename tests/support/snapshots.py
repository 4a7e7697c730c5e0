"""Files generated from the code and kept beside it: `REMAKE=1 infra/check tests/unit` makes them anew."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def assert_current(path: Path, content: Any) -> None:
    """The file holds this content as JSON, or is made to when the environment says REMAKE."""
    # As text, since the order of keys is part of what is sent.
    assert_text_current(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def assert_text_current(path: Path, text: str) -> None:
    """The file holds this text, or is made to when the environment says REMAKE."""
    if os.environ.get("REMAKE"):
        path.write_text(text, "utf-8")
    assert path.is_file(), f"{path.name} is not there: REMAKE=1 infra/check tests/unit"
    assert path.read_text("utf-8") == text, f"{path.name} is not current: REMAKE=1 infra/check tests/unit"
