"""Figures of reading: the whole path against each library called bare, isolation, memory, words found.

    python -m tests.benchmarks.extract [FOLDER]

Processor seconds on one core, not wall seconds, unless a name says so: other work on the machine then
counts for little. Both sides read the same files from disk, warm, in turns; a ratio is of the seconds for
all files of a format together. `in_process_ratio` is the same without the sandbox, and `floor_cpu_ms` is
what the whole path takes for a few words. A truth for `x.pdf` is a file `x.pdf.truth` beside it.

`times_markitdown` is how many times as long markitdown takes for what it reads of the same files in a
minute, the smallest first. Nothing that ships or runs depends on it: it is installed at the first asking,
from a requirements file and into an environment of its own.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import sniff
from pigeonhole.extract.limits import Limits
from pigeonhole.extract.registry import FORMATS
from pigeonhole.sandbox import protocol, worker
from pigeonhole.sandbox.extractor import Extractor
from tests.benchmarks import truths
from tests.benchmarks.bare import BARE, Bare, markitdown

LARGE = 20_000
SECONDS = 1.0
TURNS = 3
FEW = 20
LIBRARIES = (
    "pypdfium2", "office-oxide", "python-calamine", "selectolax", "olefile", "chardet", "pillow",
)  # fmt: skip
_IMPORTS = {"office-oxide": "office_oxide", "python-calamine": "python_calamine", "pillow": "PIL.Image"}
_IMPORTS["selectolax"] = "selectolax.lexbor"

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one way of reading made of one file."""

    text: str | None
    error: str = ""
    images: int = 0


def run(on: Path | None) -> list[Figures]:
    """All figures, over the files of a folder or over documents of our own making."""
    with tempfile.TemporaryDirectory() as folder:
        known = truths.make(Path(folder)) if on is None else _truths(on)
        files = sorted(known) if on is None else sorted(path for path in on.rglob("*") if _document(path))
        kinds = _by_kind(files)
        figures = [_format(kind, paths, known) for kind, paths in sorted(kinds.items())]
        return [*figures, _isolation(), _memory(files), *map(_library, LIBRARIES)]


def _document(path: Path) -> bool:
    return path.is_file() and path.suffix != ".truth"


def _truths(on: Path) -> dict[Path, str]:
    return {path.with_suffix(""): path.read_text("utf-8", "replace") for path in on.rglob("*.truth")}


def _by_kind(files: Iterable[Path]) -> dict[str, list[Path]]:
    kinds: dict[str, list[Path]] = {}
    for path in files:
        try:
            kind = sniff.detect_format(path.read_bytes(), path.name)
        except DocumentError as error:
            kind = error.code
        kinds.setdefault(kind if kind in FORMATS else "not read", []).append(path)
    return kinds


def _format(kind: str, paths: list[Path], known: dict[Path, str]) -> Figures:
    figures: Figures = {"name": f"extract {kind}", "files": len(paths)}
    extractor = Extractor()
    ours = {path: _ours(extractor, path) for path in paths}
    extractor.close()
    figures["readable"] = _share(ours.values())
    figures["errors"] = _counted(outcome.error for outcome in ours.values())
    if kind in BARE:
        figures |= _against(kind, paths, ours, known)
    return figures


def _against(kind: str, paths: list[Path], ours: dict[Path, Outcome], known: dict[Path, str]) -> Figures:
    library, bare = BARE[kind]
    theirs = {path: _apart(bare, path) for path in paths}
    figures: Figures = {"library": library, "library_readable": _share(theirs.values())}
    timed = [path for path in paths if _comparable(path, ours[path], theirs[path], kind)]
    if timed:
        figures |= _speed(bare, timed) | {"times_markitdown": _times_markitdown(timed[:FEW])}
    judged = [path for path in paths if path in known]
    if judged:
        figures |= {"truths": len(judged), "f1": _mean(truths.f1, ours, judged, known)}
        figures |= {"library_f1": _mean(truths.f1, theirs, judged, known)}
        figures |= {"order": _mean(truths.order, ours, judged, known)}
        figures |= {"library_order": _mean(truths.order, theirs, judged, known)}
    return figures


def _speed(bare: Bare, paths: list[Path]) -> Figures:
    """All three in turns, so that what else the machine does weighs on each alike."""
    turns = [
        (_our_seconds(paths), _bare_seconds(_unforked, paths), _bare_seconds(bare, paths))
        for _ in range(TURNS)
    ]
    mine, inside, its = map(statistics.median, zip(*turns, strict=True))
    kilobytes = sum(path.stat().st_size for path in paths) / 1_000
    return {
        "large_files": len(paths),
        "mean_kb": round(kilobytes / len(paths)),
        "documents_per_second": round(len(paths) / mine, 1),
        "mb_per_second": round(kilobytes / 1_000 / mine, 1),
        "library_documents_per_second": round(len(paths) / its, 1),
        "in_process_ratio": round(its / inside, 2),
        "ratio": round(its / mine, 2),
    }


def _unforked(path: Path) -> str:
    """What a worker does with a document, in this process."""
    segments = worker.read_segments(path.read_bytes(), path.name, Limits(), fallback=False)
    return str(sum(len(protocol.encode_frame(segment)) for segment in segments))


def _times_markitdown(paths: list[Path]) -> float | str:
    its = markitdown(paths)
    if its is None:
        return "cannot be installed here"
    read = [path for path in paths if path in its]
    return round(sum(its[path] for path in read) / _our_seconds(read), 1) if read else "reads none"


def _comparable(path: Path, ours: Outcome, theirs: Outcome, kind: str) -> bool:
    """Whether both did the same work: a page that we draw for the model's eyes is none of the library's."""
    drawn = ours.images and FORMATS[kind].module != "image"
    return bool(ours.text and theirs.text and not drawn and path.stat().st_size >= LARGE)


def _mean(
    score: Callable[[str, str], float], got: dict[Path, Outcome], judged: list[Path], known: dict[Path, str]
) -> float:
    return round(statistics.mean(score(got[path].text or "", known[path]) for path in judged), 3)


def _share(outcomes: Iterable[Outcome]) -> float:
    read = [outcome.text is not None for outcome in outcomes]
    return round(sum(read) / len(read), 3)


def _counted(codes: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for code in filter(None, codes):
        counts[code] = counts.get(code, 0) + 1
    return counts


def _ours(extractor: Extractor, path: Path) -> Outcome:
    try:
        text = extractor.read(path, path.name)
    except DocumentError as error:
        return Outcome(None, error.code)
    return Outcome(text.text or "[images]", images=len(text.images))


def _apart(bare: Bare, path: Path) -> Outcome:
    """A library's outcome, in a process of its own with the same limits: some would not survive ours."""
    listen, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        _tell_and_end(bare, path, tell)
    os.close(tell)
    with os.fdopen(listen, "rb") as pipe:
        text = pipe.read().decode("utf-8", "replace")
    ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return Outcome(text) if ended == 0 and text.strip() else Outcome(None, "failed")


def _tell_and_end(bare: Bare, path: Path, tell: int) -> None:
    limits, code = Limits(), 1
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
        resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds))
        data = bare(path).encode("utf-8", "replace")
        while data:
            data = data[os.write(tell, data) :]
        code = 0
    finally:
        os._exit(code)


def _our_seconds(paths: list[Path]) -> float:
    """Processor seconds for all of them once: ours, the fork server's and the workers', warm."""
    _pin()
    start, once = _spent(paths, 2)
    passes = max(2, min(500, int(SECONDS / max(once, 0.001))))
    return (_spent(paths, 2 + passes)[0] - start) / passes


def _spent(paths: list[Path], passes: int) -> tuple[float, float]:
    """Processor seconds for so many passes and the start, and wall seconds for the last pass."""
    extractor, before, began = Extractor(), _used(), 0.0
    for _ in range(passes):
        began = time.perf_counter()
        for path in paths:
            _ours(extractor, path)
    once = time.perf_counter() - began
    extractor.close()
    return _used() - before, once


def _used() -> float:
    mine, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return mine.ru_utime + mine.ru_stime + children.ru_utime + children.ru_stime


def _bare_seconds(bare: Bare, paths: list[Path]) -> float:
    """Processor seconds for all of them once, warm, in one process."""
    listen, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        _time_and_end(bare, paths, tell)
    os.close(tell)
    with os.fdopen(listen, "rb") as pipe:
        seconds = float(pipe.read() or "nan")
    os.waitpid(pid, 0)
    return seconds


def _time_and_end(bare: Bare, paths: list[Path], tell: int) -> None:
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        start = time.process_time()
        for path in paths:
            bare(path)
        once = time.process_time() - start
        passes = max(2, min(200, int(SECONDS / max(once, 0.01))))
        start = time.process_time()
        for _ in range(passes):
            for path in paths:
                bare(path)
        os.write(tell, str((time.process_time() - start) / passes).encode())
    finally:
        os._exit(0)


def _pin() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _isolation() -> Figures:
    """Wall milliseconds of a document that costs nothing to read."""
    with tempfile.NamedTemporaryFile(suffix=".txt") as file:
        file.write(b"a few words")
        file.flush()
        path, extractor, taken = Path(file.name), Extractor(), []
        for _ in range(300):
            start = time.perf_counter()
            extractor.read(path, path.name)
            taken.append((time.perf_counter() - start) * 1_000)
        extractor.close()
        floor = statistics.median(_our_seconds([path]) for _ in range(TURNS))
    warm = sorted(taken[20:])
    return {
        "name": "isolation",
        "median_wall_ms": round(statistics.median(warm), 2),
        "p99_wall_ms": round(warm[-3], 2),
        "floor_cpu_ms": round(floor * 1_000, 2),
    }


def _memory(files: list[Path]) -> Figures:
    """Peak memory of the function's own process over all files, ten at a time."""
    script = "import sys; from tests.benchmarks.extract import peak; peak(sys.stdin.read().split('\\0'))"
    root = Path(__file__).parents[2]
    places = os.pathsep.join([str(root), str(root / "functions"), *filter(None, sys.path)])
    ran = subprocess.run(
        [sys.executable, "-c", script],
        input="\0".join(map(str, files)).encode(),
        env=os.environ | {"PYTHONPATH": places},
        capture_output=True,
        check=True,
    )
    return {"name": "memory", "files": len(files), "peak_mb": float(ran.stdout)}


def peak(files: list[str]) -> None:
    """Read them all, ten at a time, and print this process's peak in megabytes."""
    extractor = Extractor()
    with ThreadPoolExecutor(10) as threads:
        for _ in threads.map(lambda file: bool(_ours(extractor, Path(file)).error), files):
            pass
    extractor.close()
    print(round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024, 1))


def _library(name: str) -> Figures:
    """What a library takes on disk, and to import in a fresh interpreter."""
    try:
        installed = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return {"name": f"library {name}", "installed": False}
    sizes = (Path(str(installed.locate_file(file))) for file in installed.files or ())
    size = sum(path.stat().st_size for path in sizes if path.is_file() and path.suffix != ".pyc")
    module = _IMPORTS.get(name, name)
    script = f"import time; a = time.process_time(); import {module}; print(time.process_time() - a)"
    took = [float(subprocess.check_output([sys.executable, "-c", script])) for _ in range(3)]
    return {
        "name": f"library {name}",
        "version": installed.version,
        "size_mb": round(size / 1e6, 1),
        "import_ms": round(min(took) * 1_000),
    }


if __name__ == "__main__":
    for figure in run(Path(sys.argv[1]) if len(sys.argv) > 1 else None):
        print(json.dumps(figure))
