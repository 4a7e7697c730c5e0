"""How long a newcomer waits: infra/demo in a fresh copy with empty caches, and once more."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.dev.bootstrap import ROOT


def run(on: Path | None) -> Iterator[dict[str, Any]]:
    """Every package is downloaded anew for the first run; `on` replaces the samples."""
    with tempfile.TemporaryDirectory(prefix="pigeonhole-bench-") as folder:
        copy, caches = Path(folder, "copy"), Path(folder, "caches")
        _copy(copy)
        env = {**os.environ, "UV_CACHE_DIR": str(caches / "uv"), "PIP_CACHE_DIR": str(caches / "pip")}
        for which in ("first", "second", "third"):
            yield {"run": which, **_demo(copy, env, on)}


def _demo(copy: Path, env: dict[str, str], on: Path | None) -> dict[str, Any]:
    out = copy / "out"
    paths = [str(on.resolve())] if on else []
    started = time.monotonic()
    ended = subprocess.run(
        [str(copy / "infra" / "demo"), *paths, "--out", str(out)], env=env, stdout=subprocess.DEVNULL
    )
    seconds = time.monotonic() - started
    documents = len((out / "documents.jsonl").read_text().splitlines())
    return {"documents": documents, "seconds": seconds, "exit_code": ended.returncode}


def _copy(copy: Path) -> None:
    """The working tree as it is, without what is ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode("utf-8", "surrogateescape").split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
