"""What every reader takes and gives: a `Source` in, segments out, in the order in which a person reads.

A reader is a module with a function `read(source)`, named in `registry.FORMATS`. A segment is one piece of
what it yields. All that a document holds ends in one of four ways, and a reader accounts for each part of it
(a page, a sheet, a picture, an attachment, an object):

- read: a `str`, and `Metadata(parts_read=1)` for the part that it is from;
- looked at: a `PageImage`, which the model sees;
- not read: a `NotRead`, with the reason;
- dropped, since it says nothing: `Metadata(parts_dropped=1)`.

Words that nobody sees who opens the document are a `Hidden`. A reader raises DocumentError only where the
whole document cannot be read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import AnyStr

from pigeonhole.domain.document import PageImage
from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.limits import Limits
from pigeonhole.extract.magic import WITHOUT_TEXT


@dataclass(frozen=True, kw_only=True, slots=True)
class Metadata:
    """What a document states of itself, and counts of what was read of it.

    A later value that is not None replaces an earlier one; `parts_read`, `parts_dropped`, `hidden_chars` and
    `hidden_sentences` add up. The last two are made of what is `Hidden`: no reader gives them.
    """

    pages_total: int | None = None
    pages_read: int | None = None
    title: str | None = None
    author: str | None = None
    created: str | None = None
    modified: str | None = None
    parts_read: int = 0
    parts_dropped: int = 0
    hidden_chars: int = 0
    hidden_sentences: int = 0

    @property
    def counts(self) -> Metadata:
        """Of what stands in another document, that which counts for the whole: its parts."""
        return Metadata(parts_read=self.parts_read, parts_dropped=self.parts_dropped)


@dataclass(frozen=True, slots=True)
class Attached:
    """A document inside this one begins here, of that name."""

    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NotRead:
    """Something is left out here: the text says so at this place, and the coverage counts it.

    `reason` is an error code or the name of a limit. `parts` is how many parts are left out: 0 for the rest
    of one that was read up to here. `may_hold_text` is false where no word can have been lost.
    """

    name: str
    reason: str
    parts: int = 1
    may_hold_text: bool = True

    @classmethod
    def because(cls, error: DocumentError, name: str) -> NotRead:
        """The part of that name, which cannot be read for this error."""
        is_wordless = error.code == "empty" or (
            error.code == "unsupported_type" and error.detail in WITHOUT_TEXT
        )
        return cls(name=name, reason=error.code, may_hold_text=not is_wordless)


@dataclass(frozen=True, slots=True)
class Hidden:
    """Words in the document that its formatting hides from everybody who opens it: left out, and counted."""

    words: str


# What goes into the document's text and coverage, and all that a reader yields.
SeenSegment = str | PageImage | Metadata | Attached | NotRead
Segment = SeenSegment | Hidden


class DocumentQuota:
    """What a document and everything packed inside it may use together: images, members, unpacked bytes."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._left = {"vision_pages": limits.vision_pages, "members": limits.members}
        self._unpacked_bytes_left = limits.unpacked_bytes
        self._images_numbered = 0
        self._pictures: set[bytes] = set()

    def take(self, limit: str) -> bool:
        """Use one more of `vision_pages` or `members`; False when none is left."""
        self._left[limit] -= 1
        return self._left[limit] >= 0

    def next_image_number(self) -> int:
        """A number for an image in a document without page numbers, counted from 1."""
        self._images_numbered += 1
        return self._images_numbered

    def is_new_picture(self, data: bytes) -> bool:
        """Whether this picture has not been met in the document before."""
        digest = hashlib.blake2b(data, digest_size=16).digest()
        is_new = digest not in self._pictures
        self._pictures.add(digest)
        return is_new

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
