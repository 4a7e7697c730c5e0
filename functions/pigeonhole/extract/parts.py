"""What readers take and what they give: a source in, passages, page images and facts out, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import AnyStr

from pigeonhole.domain.document import PageImage
from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.limits import Limits


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What a document says of itself and what was cut; a later fact that is not None replaces an earlier."""

    pages_total: int | None = None
    pages_read: int | None = None
    title: str | None = None
    author: str | None = None
    created: str | None = None
    modified: str | None = None
    cut: str | None = None
    failed: int = 0


# What stands in the text for a document inside another.
MARKS = ATTACHED, NOT_READ = "[attached: ", "[not read: "
_NOTHING_LOST = frozenset({"unsupported_type", "empty"})


def unread(error: DocumentError) -> Facts:
    """A part that failed: the document is cut short by it, unless nobody reads such parts or it is empty."""
    return Facts(failed=1, cut=None if error.code in _NOTHING_LOST else error.code)


Part = str | PageImage | Facts


class Budget:
    """What a document and everything packed inside it may use together."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._left = {"eye_pages": limits.eye_pages, "members": limits.members}
        self._bytes = limits.unpacked_bytes
        self._images = 0

    def take(self, what: str) -> bool:
        """One more of it, unless none is left."""
        self._left[what] -= 1
        return self._left[what] >= 0

    def number(self) -> int:
        """The number of the next image of a document whose pages have none of their own."""
        self._images += 1
        return self._images

    def unpack(self, size: int) -> None:
        """Count unpacked bytes; DocumentError `too_large` when they are too many."""
        self._bytes -= size
        if self._bytes < 0:
            raise DocumentError("too_large", f"more than {self._limits.unpacked_bytes} bytes unpacked")


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A document's bytes, what they were found to be, and the limits that hold for it."""

    kind: str
    name: str
    data: bytes = field(repr=False)
    limits: Limits
    budget: Budget
    depth: int = 0


def up_to(most: int, sign: AnyStr, data: AnyStr) -> AnyStr:
    """The data up to that many of a sign, each of which takes time to read."""
    return data if data.count(sign) <= most else data[: -len(data.split(sign, most)[-1]) - len(sign)]


Read = Callable[[Source], Iterator[Part]]
