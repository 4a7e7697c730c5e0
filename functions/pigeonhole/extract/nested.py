"""A document inside another: read like any other, at one more depth, its failure its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pigeonhole.domain.document import PageImage
from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import registry, sniff
from pigeonhole.extract.interface import ATTACHED, NOT_READ, Metadata, Segment, Source, failed_part

TINY_IMAGE = 12_000  # bytes; below that an attached image is a logo or an icon


def read_attached(outer: Source, name: str, data: bytes) -> Iterator[Segment]:
    """The segments of a member or an attachment under its name; a line that says why it cannot be read.

    Of its metadata only what concerns the whole document comes through: what was cut, and what failed.
    """
    if not outer.quota.take("members"):
        yield Metadata(cut="members")
    elif outer.depth >= outer.limits.depth:
        yield f"{NOT_READ}{name}]"
        yield Metadata(cut="depth")
    else:
        yield from _read_member(outer, name, data)


def _read_member(outer: Source, name: str, data: bytes) -> Iterator[Segment]:
    try:
        format_name = sniff.detect_format(data, name)
        if format_name in sniff.IMAGE_FORMATS and len(data) < TINY_IMAGE:
            return
        yield f"{ATTACHED}{name}]"
        yield from _segments(outer, name, format_name, data)
    except DocumentError as error:
        yield f"{NOT_READ}{name}: {error.code}]"
        yield failed_part(error)


def read_picture(outer: Source, name: str, data: bytes) -> Iterator[Segment]:
    """The page image of a picture, for a document that has no words of its own; nothing if it is none."""
    try:
        format_name = sniff.detect_format(data, name)
        if format_name in sniff.IMAGE_FORMATS:
            yield from _segments(outer, name, format_name, data)
    except DocumentError as error:
        yield failed_part(error)


def _segments(outer: Source, name: str, format_name: str, data: bytes) -> Iterator[Segment]:
    inner = Source(
        format_name=format_name,
        name=name,
        data=data,
        limits=outer.limits,
        quota=outer.quota,
        depth=outer.depth + 1,
    )
    for segment in registry.read(inner):
        if isinstance(segment, PageImage):
            yield replace(segment, page=outer.quota.next_image_number()) if outer.depth == 0 else segment
        elif isinstance(segment, str):
            yield segment
        elif segment.cut or segment.parts_failed:
            yield Metadata(cut=segment.cut, parts_failed=segment.parts_failed)
