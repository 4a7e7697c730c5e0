"""Every limit of extraction in one place: what a document may cost, and where reading stops."""

from __future__ import annotations

from dataclasses import dataclass

_MB = 1 << 20
OWN_BYTES = 320 * _MB  # what the function and its fork server need for themselves


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Caps on what is read (they end in `coverage.cut`) and on what reading costs (they end the worker)."""

    # What is read of a document; more is cut, and said to be.
    document_bytes: int = 64 * _MB  # a larger one is refused unread
    chars: int = 1_000_000
    pages: int = 2_000
    sheets: int = 100
    rows: int = 20_000  # of one sheet
    members: int = 500  # of an archive or a mailbox, attachments, and what is inside these
    depth: int = 4  # archives in mails in archives …
    unpacked_bytes: int = 256 * _MB
    segments: int = 20_000  # passages and page images

    # Pages that the model has to look at.
    vision_pages: int = 12
    image_px: int = 1_568  # the long edge that the models use
    image_bytes: int = 4 * _MB
    scan_chars: int = 25  # below this a page under a picture, or a document with pictures, is a scan

    # What reading may cost; beyond, the worker ends, and what it has read counts from so many characters on.
    wall_seconds: float = 25.0
    cpu_seconds: int = 20
    memory_bytes: int = 768 * _MB
    # Most documents need far less: this is tried first with all but large ones, so that more fit in at once.
    first_memory_bytes: int = 256 * _MB
    large_bytes: int = 4 * _MB
    pool_bytes: int = 2 * 768 * _MB  # for the workers of all documents at once
    enough_chars: int = 400

    @classmethod
    def within(cls, function_mb: int) -> Limits:
        """The limits for a function with so much memory: as many workers at once as fit in beside it."""
        return cls(pool_bytes=max(cls().memory_bytes, function_mb * _MB - OWN_BYTES))

    def memory_for(self, document_bytes: int) -> tuple[int, ...]:
        """Bytes that a document's worker may use, and what a second worker may if that was too little."""
        is_large = document_bytes >= self.large_bytes or self.first_memory_bytes >= self.memory_bytes
        return (self.memory_bytes,) if is_large else (self.first_memory_bytes, self.memory_bytes)

    @property
    def output_bytes(self) -> int:
        """Bytes that a worker may send in all."""
        return self.chars * 4 + self.image_budget + 4 * _MB

    @property
    def image_budget(self) -> int:
        """Bytes of all page images of one document: together they must fit into one model request."""
        return min(self.vision_pages * self.image_bytes, 16 * _MB)
