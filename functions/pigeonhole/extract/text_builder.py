"""Segments to a `Text` with exact coverage: counted and capped again in the function, whoever sent them."""

from __future__ import annotations

from dataclasses import fields

from pigeonhole.domain.document import Coverage, PageImage, Text
from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.interface import Attached, Metadata, NotRead, SeenSegment
from pigeonhole.extract.limits import Limits
from pigeonhole.extract.tidy import LONGEST_NAME, LONGEST_STATED, STATED

_REASON_CHARS = 20
# Why a document fails of whose parts none could be read: the first of these that one of them gives.
_BY_URGENCY = ("encrypted", "corrupt", "too_large", "too_deep", "unsupported_type", "crashed")
_COUNTED = ("pages_total", "pages_read")
_ADDED_UP = ("parts_read", "parts_dropped", "hidden_chars", "hidden_sentences")


class TextBuilder:
    """Collects the segments of one document; it never holds more than the limits allow."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._body: list[str | PageImage] = []
        self._stated: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._sums = dict.fromkeys(_ADDED_UP, 0)
        self._cut: dict[str, None] = {}  # reasons why text may be missing, in order
        self._reasons: set[str] = set()  # why anything is missing
        self._parts_failed = 0
        self._image_bytes = 0
        self._chars = 0
        self._has_content = False  # whether there is more than the names of what is inside
        self._has_attached = False

    def add(self, segment: SeenSegment) -> None:
        """Add a segment; one for which the limits leave no room is left out, and the coverage says so."""
        match segment:
            case str():
                self._has_content |= self._add_passage(segment)
            case PageImage():
                self._add_image(segment)
            case Attached():
                self._has_attached = True
                self._add_passage(f"[attached: {segment.name[:LONGEST_NAME]}]")
            case NotRead():
                self._add_gap(segment)
            case Metadata():
                self._add_metadata(segment)

    def cut_short(self, error: DocumentError) -> None:
        """End the document here because of `error`; raises it when too little was read before.

        Enough is a page image, or `limits.enough_chars` characters. When what broke is something attached,
        the document around it is enough.
        """
        has_image = any(isinstance(segment, PageImage) for segment in self._body)
        is_enough = has_image or self._has_attached or self._chars >= self._limits.enough_chars
        if not (self._has_content and is_enough):
            raise error
        self._add_gap(NotRead(name="the rest", reason=error.code))

    def text(self, media_type: str) -> Text:
        """The document's text.

        Raises DocumentError `empty` for one without anything to read, or the code of what was inside it
        when none of that could be read.
        """
        if not self._has_content:
            code = next((code for code in _BY_URGENCY if code in self._reasons), "empty")
            detail = (
                "nothing inside it can be read" if self._body else "it has no text, and nothing to look at"
            )
            raise DocumentError(code, detail)
        return Text(media_type=media_type, body=tuple(self._body), coverage=self._coverage(), **self._stated)

    def _coverage(self) -> Coverage:
        return Coverage(
            pages_as_images=tuple(segment.page for segment in self._body if isinstance(segment, PageImage)),
            chars_total=None if self._cut else self._chars,
            chars_read=self._chars,
            truncated=bool(self._cut),
            cut=tuple(self._cut),
            parts_failed=self._parts_failed,
            **self._counts,
            **self._sums,
        )

    def _add_passage(self, passage: str) -> bool:
        """Whether there was room for it, and anything in it."""
        if not passage.strip():
            return False
        if self._chars + len(passage) > self._limits.chars:
            self._cut["chars"] = None
            return False
        self._body.append(passage)
        self._chars += len(passage)
        return True

    def _add_gap(self, gap: NotRead) -> None:
        reason = gap.reason[:_REASON_CHARS]
        self._reasons.add(reason)
        self._parts_failed += gap.parts
        if gap.may_hold_text:
            self._cut[reason] = None
        self._add_passage(f"[not read: {gap.name[:LONGEST_NAME]}: {reason}]")

    def _add_metadata(self, metadata: Metadata) -> None:
        for field in fields(metadata):
            value = getattr(metadata, field.name)
            if field.name in STATED and value:
                self._stated[field.name] = value[:LONGEST_STATED]
            elif field.name in _COUNTED and value is not None:
                self._counts[field.name] = value
            elif field.name in _ADDED_UP:
                self._sums[field.name] += value

    def _add_image(self, image: PageImage) -> None:
        self._image_bytes += len(image.data)
        if self._image_bytes > self._limits.image_budget or len(self._body) > self._limits.segments:
            self._add_gap(NotRead(name=f"page {image.page}", reason="vision_pages"))
        else:
            self._has_content = True
            self._body.append(image)
