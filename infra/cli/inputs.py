"""Finds the files of a run: each gets a key of its own in the inbox, or a reason why it cannot be used."""

import os
import stat
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

MAX_KEY_BYTES = 1024  # S3's limit
FORBIDDEN = "it may not be read: check its permissions"
LINKED = "it is a link to a folder, which is not followed: name that folder itself"


class InputError(Exception):
    """The command's arguments cannot be used; the message says which and why."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A file and its key in the inbox; `problem` says why it cannot be uploaded."""

    path: Path
    key: str
    problem: str | None = None


def find(paths: Sequence[Path], leave_out: Container[Path] = ()) -> list[Found]:
    """The files under the paths, each with a key; InputError if a path does not exist or there is no file.

    The key is the path within the folder, so that its first folder is the team; with several paths it
    begins with the folder's own name. Files in `leave_out` (resolved paths) are passed over.
    """
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise InputError(f"There is no such file or folder: {', '.join(missing)}")
    files = [(path, name) for path, name in _named(paths) if path.resolve() not in leave_out]
    if not files:
        raise InputError(f"There are no files in {', '.join(map(str, paths))}")
    return list(_with_keys(files))


def _named(paths: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    for path in paths:
        top = f"{path.resolve().name}/" if len(paths) > 1 and path.is_dir() else ""
        for file, name in walk(path):
            yield file, top + name


def walk(path: Path) -> Iterator[tuple[Path, str]]:
    """The files under a path with their relative names, in order.

    A folder that cannot be opened and a link that leads out of the tree are listed with a trailing slash,
    so that nothing is passed over in silence.
    """
    if not path.is_dir():
        yield path, path.name
        return
    linked: list[Path] = []
    closed: list[OSError] = []
    for folder, folders, names in os.walk(path, onerror=closed.append):
        folders.sort()
        for name in sorted(names):
            file = Path(folder, name)
            yield file, file.relative_to(path).as_posix()
        linked += [Path(folder, name) for name in folders if _leads_out(Path(folder, name), path)]
    for unopened in (*linked, *(Path(error.filename) for error in closed)):
        yield unopened, f"{unopened.relative_to(path).as_posix()}/"


def _leads_out(folder: Path, top: Path) -> bool:
    """Whether this is a link to a folder outside `top`; inside, its files are found under their own path."""
    return folder.is_symlink() and not folder.resolve().is_relative_to(top.resolve())


def _with_keys(files: Iterable[tuple[Path, str]]) -> Iterator[Found]:
    taken: set[str] = set()
    for path, name in files:
        key, number = name, 1
        while key in taken:
            number += 1
            key = f"{number}/{name}"
        taken.add(key)
        yield Found(path=path, key=key, problem=_problem(path, key))


def _problem(path: Path, key: str) -> str | None:
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return "its name is not valid UTF-8: rename it"
    if size > MAX_KEY_BYTES:
        return f"its path is {size} bytes long and S3 takes {MAX_KEY_BYTES}: rename it or move it up"
    if "\n" in key:
        return "its name has a line break, which the local AWS does not support: rename it"
    try:
        mode = path.stat().st_mode
    except PermissionError:
        return FORBIDDEN
    except OSError:
        return "it is a link whose target does not exist"
    if stat.S_ISDIR(mode) and path.is_symlink():
        return LINKED
    if stat.S_ISDIR(mode) or not os.access(path, os.R_OK):
        return FORBIDDEN
    return None if stat.S_ISREG(mode) else "it is not a regular file"
