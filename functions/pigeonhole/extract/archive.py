"""ZIP archives: each member read by what it is, under its name."""

from __future__ import annotations

from collections.abc import Iterator

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.nested import attached
from pigeonhole.extract.package import Package
from pigeonhole.extract.parts import NOT_READ, Facts, Part, Source, unread

_CLUTTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


def read(source: Source) -> Iterator[Part]:
    """The members in their order, as many as the limits allow."""
    package = Package(source)
    names = [
        name for name in package.members if not name.startswith(_CLUTTER) and not name.endswith(_CLUTTER)
    ]
    if names and all(map(package.locked, names)):
        raise DocumentError("encrypted", "an archive with a password")
    yield Facts(pages_total=len(names), pages_read=0)
    for number, name in enumerate(names[: source.limits.members], 1):
        yield from _member(source, package, name)
        yield Facts(pages_read=number)
    if len(names) > source.limits.members:
        yield Facts(cut="members")


def _member(source: Source, package: Package, name: str) -> Iterator[Part]:
    try:
        data = package.read(name)
    except DocumentError as error:
        if error.code == "too_large":
            yield Facts(cut="unpacked_bytes")
        yield f"{NOT_READ}{name}: {error.code}]"
        yield unread(error)
    else:
        yield from attached(source, name, data)
