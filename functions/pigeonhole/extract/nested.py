"""A document inside another: read like any other, at one more depth, its failure its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pigeonhole.domain.document import PageImage
from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import registry, sniff
from pigeonhole.extract.parts import ATTACHED, NOT_READ, Facts, Part, Source, unread

TINY_IMAGE = 12_000


def attached(outer: Source, name: str, data: bytes) -> Iterator[Part]:
    """The parts of a member under its name; where it cannot be read, a line that says why."""
    if not outer.budget.take("members"):
        yield Facts(cut="members")
    elif outer.depth >= outer.limits.depth:
        yield f"{NOT_READ}{name}]"
        yield Facts(cut="depth")
    else:
        yield from _tried(outer, name, data)


def _tried(outer: Source, name: str, data: bytes) -> Iterator[Part]:
    try:
        kind = sniff.kind(data, name)
        if kind in sniff.IMAGES and len(data) < TINY_IMAGE:
            return
        yield f"{ATTACHED}{name}]"
        yield from _parts(outer, name, kind, data)
    except DocumentError as error:
        yield f"{NOT_READ}{name}: {error.code}]"
        yield unread(error)


def looked_at(outer: Source, name: str, data: bytes) -> Iterator[Part]:
    """A picture inside a document that has nothing else to say."""
    try:
        kind = sniff.kind(data, name)
        if kind in sniff.IMAGES:
            yield from _parts(outer, name, kind, data)
    except DocumentError as error:
        yield unread(error)


def _parts(outer: Source, name: str, kind: str, data: bytes) -> Iterator[Part]:
    inner = Source(
        kind=kind,
        name=name,
        data=data,
        limits=outer.limits,
        budget=outer.budget,
        depth=outer.depth + 1,
    )
    for part in registry.read(inner):
        if isinstance(part, PageImage):
            yield replace(part, page=outer.budget.number()) if outer.depth == 0 else part
        elif isinstance(part, str):
            yield part
        elif part.cut or part.failed:
            yield Facts(cut=part.cut, failed=part.failed)
