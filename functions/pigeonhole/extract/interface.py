"""What every reader takes and gives: a `Source` in, segments out, in the order in which a person reads.

A reader is a module with a function `read(source)`, named in `registry.FORMATS`. A segment is one piece of
what it yields: a passage of text, an image of a page, or metadata. It raises DocumentError, and says with
`Metadata(cut=…)` what it leaves out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import AnyStr

from pigeonhole.domain.document import PageImage
from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.limits import Limits


@dataclass(frozen=True, kw_only=True, slots=True)
class Metadata:
    """What a document states of itself, and what was read of it; a later value that is not None replaces
    an earlier one.

    `cut` names a limit or an error code by which something was left out; `parts_failed` counts pages,
    sheets, members or attachments that could not be read. These two add up.
    """

    pages_total: int | None = None
    pages_read: int | None = None
    title: str | None = None
    author: str | None = None
    created: str | None = None
    modified: str | None = None
    cut: str | None = None
    parts_failed: int = 0


Segment = str | PageImage | Metadata

# What stands in the text for a document inside another.
PLACEHOLDERS = ATTACHED, NOT_READ = "[attached: ", "[not read: "
_NOTHING_LOST = frozenset({"unsupported_type", "empty"})


def failed_part(error: DocumentError) -> Metadata:
    """A part could not be read: the document is cut short by that, unless no words can have been lost."""
    return Metadata(parts_failed=1, cut=None if error.code in _NOTHING_LOST else error.code)


class DocumentQuota:
    """What a document and everything packed inside it may use together: images, members, unpacked bytes."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._left = {"vision_pages": limits.vision_pages, "members": limits.members}
        self._unpacked_bytes_left = limits.unpacked_bytes
        self._images_numbered = 0

    def take(self, limit: str) -> bool:
        """Use one more of `vision_pages` or `members`; False when none is left."""
        self._left[limit] -= 1
        return self._left[limit] >= 0

    def next_image_number(self) -> int:
        """A number for an image in a document without page numbers, counted from 1."""
        self._images_numbered += 1
        return self._images_numbered

    def count_unpacked(self, size: int) -> None:
        """Count `size` more unpacked bytes; raises DocumentError `too_large` when they are too many."""
        self._unpacked_bytes_left -= size
        if self._unpacked_bytes_left < 0:
            raise DocumentError("too_large", f"more than {self._limits.unpacked_bytes} bytes unpacked")


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A document's bytes, its format (a name of the registry), and the limits and the quota that it has.

    `depth` counts the documents around it: 0 for the one that was uploaded.
    """

    format_name: str
    name: str
    data: bytes = field(repr=False)
    limits: Limits
    quota: DocumentQuota
    depth: int = 0


ReaderFunction = Callable[[Source], Iterator[Segment]]


def truncated(data: AnyStr, *, most: int, separator: AnyStr) -> AnyStr:
    """The data up to the separator after the `most`-th one: each of them takes a parser time."""
    return (
        data
        if data.count(separator) <= most
        else data[: -len(data.split(separator, most)[-1]) - len(separator)]
    )
