"""A document inside another: read like any other, at one more depth, its failure its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pigeonhole.domain.document import PageImage
from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import pictures, registry, sniff
from pigeonhole.extract.interface import Attached, Metadata, NotRead, Segment, Source


def read_attached(outer: Source, name: str, data: bytes) -> Iterator[Segment]:
    """The segments of a member, an attachment or an object, under its name; or why it cannot be read.

    Of its metadata only what concerns the whole document comes through: counts of parts.
    """
    if not outer.quota.take("members"):
        yield NotRead(name=name, reason="members")
        return
    if outer.depth >= outer.limits.depth:
        yield NotRead(name=name, reason="too_deep")
        return
    try:
        format_name = sniff.detect_format(data, name)
        if format_name in sniff.IMAGE_FORMATS and not _is_worth_looking(outer, data, None):
            yield Metadata(parts_dropped=1)
            return
        yield Attached(name)
        yield from _segments(outer, name, format_name, data)
        if format_name not in sniff.IMAGE_FORMATS:
            yield Metadata(parts_read=1)
    except DocumentError as error:
        yield NotRead.because(error, name)


def read_picture(outer: Source, name: str, data: bytes, share: float | None = None) -> Iterator[Segment]:
    """The page image of a picture on a page, or that it was dropped, since it is decoration.

    `share` is the part of the page that it covers, from 0 to 1, where that is known.
    """
    try:
        format_name = sniff.detect_format(data, name)
        if not _is_worth_looking(outer, data, share):
            yield Metadata(parts_dropped=1)
        elif format_name in sniff.IMAGE_FORMATS:
            yield from _segments(outer, name, format_name, data)
        else:
            yield NotRead(name=name, reason="unsupported_type")
    except DocumentError as error:
        yield NotRead.because(error, name)


def _is_worth_looking(outer: Source, data: bytes, share: float | None) -> bool:
    """Whether a picture may have words in it, and was not met before."""
    return not pictures.is_decoration(data, share) and outer.quota.is_new_picture(data)


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
        elif isinstance(segment, Metadata):
            yield segment.counts
        else:
            yield segment
