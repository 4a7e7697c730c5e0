"""Segments to a `Text` with exact coverage: counted and capped again in the function, whoever sent them."""

from __future__ import annotations

from dataclasses import fields

from pigeonhole.domain.document import Coverage, PageImage, Text
from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.interface import ATTACHED, NOT_READ, PLACEHOLDERS, Metadata, Segment
from pigeonhole.extract.limits import Limits
from pigeonhole.extract.tidy import LONGEST_STATED, STATED

_CUT_CHARS = 20
_BY_URGENCY = ("encrypted", "corrupt", "too_large", "unsupported_type")
_COUNTED = ("pages_total", "pages_read")


class TextBuilder:
    """Collects the segments of one document; it never holds more than the limits allow."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._body: list[str | PageImage] = []
        self._stated: dict[str, str] = {}
        self._counted: dict[str, int] = {}
        self._cut: dict[str, None] = {}
        self._parts_failed = 0
        self._image_bytes = 0
        self._chars = 0

    def add(self, segment: Segment) -> None:
        """Add a segment; one for which the limits leave no room is left out, and `cut` says so."""
        if isinstance(segment, Metadata):
            self._add_metadata(segment)
        elif isinstance(segment, PageImage):
            self._add_image(segment)
        elif self._chars + len(segment) > self._limits.chars:
            self._mark_cut("chars")
        elif segment.strip():
            self._body.append(segment)
            self._chars += len(segment)

    def cut_short(self, error: DocumentError) -> None:
        """End the document here because of `error`; raises it when too little was read before.

        Enough is a page image, or `limits.enough_chars` characters. When what broke is something attached,
        the document around it is enough.
        """
        has_image = any(isinstance(segment, PageImage) for segment in self._body)
        has_attachment = any(
            isinstance(segment, str) and segment.startswith(ATTACHED) for segment in self._body
        )
        is_enough = has_image or has_attachment or self._chars >= self._limits.enough_chars
        if self._has_only_placeholders or not is_enough:
            raise error
        if has_attachment:
            self.add(f"{NOT_READ}{error.code}]")
        self._parts_failed += 1
        self._mark_cut(error.code)

    def text(self, media_type: str) -> Text:
        """The document's text.

        Raises DocumentError `empty` for one without anything to read, or the code of what was inside it
        when none of that could be read.
        """
        if self._has_only_placeholders:
            placeholders = "".join(segment for segment in self._body if isinstance(segment, str))
            code = next((code for code in _BY_URGENCY if f": {code}]" in placeholders), "empty")
            detail = (
                "nothing inside it can be read" if placeholders else "it has no text, and nothing to look at"
            )
            raise DocumentError(code, detail)
        return Text(media_type=media_type, body=tuple(self._body), coverage=self._coverage(), **self._stated)

    @property
    def _has_only_placeholders(self) -> bool:
        """Whether there is nothing, or only names of what is inside."""
        return all(isinstance(segment, str) and segment.startswith(PLACEHOLDERS) for segment in self._body)

    def _coverage(self) -> Coverage:
        return Coverage(
            pages_total=self._counted.get("pages_total"),
            pages_read=self._counted.get("pages_read"),
            pages_as_images=tuple(segment.page for segment in self._body if isinstance(segment, PageImage)),
            chars_total=None if self._cut else self._chars,
            chars_read=self._chars,
            truncated=bool(self._cut),
            cut=tuple(self._cut),
            parts_failed=self._parts_failed,
        )

    def _mark_cut(self, reason: str) -> None:
        self._cut[reason[:_CUT_CHARS]] = None

    def _add_metadata(self, metadata: Metadata) -> None:
        if metadata.cut:
            self._mark_cut(metadata.cut)
        self._parts_failed += metadata.parts_failed
        for field in fields(metadata):
            value = getattr(metadata, field.name)
            if field.name in STATED and value:
                self._stated[field.name] = value[:LONGEST_STATED]
            elif field.name in _COUNTED and value is not None:
                self._counted[field.name] = value

    def _add_image(self, image: PageImage) -> None:
        self._image_bytes += len(image.data)
        if self._image_bytes > self._limits.image_budget or len(self._body) > self._limits.segments:
            self._mark_cut("vision_pages")
        else:
            self._body.append(image)
