"""ZIP archives: each member read as the document that it is, under its name."""

from __future__ import annotations

from collections.abc import Iterator

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.interface import Metadata, NotRead, Segment, Source
from pigeonhole.extract.nested import read_attached
from pigeonhole.extract.package import Package

# What operating systems leave in archives.
_CLUTTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


def read(source: Source) -> Iterator[Segment]:
    """The members in their order, as many as the limits allow.

    Raises DocumentError `encrypted` or `corrupt`.
    """
    package = Package(source)
    names = [
        name for name in package.members if not name.startswith(_CLUTTER) and not name.endswith(_CLUTTER)
    ]
    if names and all(map(package.is_encrypted, names)):
        raise DocumentError("encrypted", "an archive with a password")
    yield Metadata(pages_total=len(names), pages_read=0)
    for number, name in enumerate(names[: source.limits.members], 1):
        yield from _member(source, package, name)
        yield Metadata(pages_read=number)
    if (left := len(names) - source.limits.members) > 0:
        yield NotRead(name=f"{left} members", reason="members", parts=left)


def _member(source: Source, package: Package, name: str) -> Iterator[Segment]:
    try:
        data = package.read(name)
    except DocumentError as error:
        yield NotRead.because(error, name)
    else:
        yield from read_attached(source, name, data)
