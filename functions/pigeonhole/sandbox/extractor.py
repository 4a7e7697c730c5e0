"""The extractor: a file in, its text with exact coverage out, or a DocumentError that says why not."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pigeonhole.domain.document import Text
from pigeonhole.domain.errors import DocumentError, TryLater
from pigeonhole.extract.gather import Gathered
from pigeonhole.extract.limits import Limits
from pigeonhole.extract.registry import FORMATS
from pigeonhole.sandbox import protocol
from pigeonhole.sandbox.client import Link, NurseryDied, Stream

TRIES = 2
STARVED = "extraction_memory"
BROKEN = frozenset({"crashed", STARVED})


class Room:
    """The memory that the children of all documents share."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, size: int, until: float) -> Iterator[None]:
        """So many bytes of it, once they are free; TryLater if that is not by then, in monotonic time."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._left >= size, max(0.0, until - time.monotonic())):
                raise TryLater("other documents are being read", seconds=1)
            self._left -= size
        try:
            yield
        finally:
            with self._changed:
                self._left += size
                self._changed.notify_all()


class Extractor:
    """Reads documents of any kind, each in a child of a nursery; may be called from many threads."""

    def __init__(self, limits: Limits = Limits()) -> None:  # noqa: B008  frozen, so it can be shared
        self._limits = limits
        self._room = Room(limits.room_bytes)
        self._lock = threading.Lock()
        self._link: Link | None = Link(limits)

    def read(self, path: Path, name: str, seconds: float = math.inf) -> Text:
        """The document's text; `name` only decides between kinds of text.

        TryLater where others leave too little of so many seconds for the longest reading.
        """
        # Whatever breaks a reading may do so at its end, and the second take as long.
        until = time.monotonic() + min(seconds, threading.TIMEOUT_MAX) - 2 * self._limits.wall_seconds
        descriptor = os.open(path, os.O_RDONLY)
        try:
            size = os.fstat(descriptor).st_size
            if size > self._limits.document_bytes:
                raise DocumentError("too_large", f"more than {self._limits.document_bytes} bytes")
            return self._read(descriptor, name, size, until)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """End the nursery; a later read would start another."""
        with self._lock:
            if self._link:
                self._link.close()
            self._link = None

    def _read(self, descriptor: int, name: str, size: int, until: float) -> Text:
        """One reading; another with more memory, or with the spare reader, when it broke."""
        spare_until = time.monotonic() + self._limits.wall_seconds / 2
        for memory in self._limits.memory_for(size):
            with self._room.taken(memory, until):
                reading = self._reading(descriptor, name, memory)
                if reading.code == STARVED and memory < self._limits.memory_bytes:
                    continue
                if reading.broke and reading.has_spare and time.monotonic() < spare_until:
                    second = self._reading(descriptor, name, memory, spare=True)
                    reading = second if second.whole else reading
                break
        return reading.text()

    def _reading(self, descriptor: int, name: str, memory: int, *, spare: bool = False) -> Reading:
        for _ in range(TRIES):
            link = self._living()
            try:
                with link.send(descriptor, name, memory, spare=spare) as stream:
                    return Reading(stream, self._limits)
            except NurseryDied:
                link.close()
        raise DocumentError("crashed", "the process that reads died with it, twice")

    def _living(self) -> Link:
        with self._lock:
            if self._link is None or self._link.closed:
                self._link = Link(self._limits)
            return self._link


class Reading:
    """What one child made of a document, up to its end or its failure."""

    def __init__(self, stream: Stream, limits: Limits) -> None:
        self._gathered = Gathered(limits)
        self._kind = ""
        self._error: DocumentError | None = None
        try:
            self._listen(stream, limits)
            stream.verdict()
        except DocumentError as error:
            self._error = error
        except EOFError:
            self._error = stream.breach()
        except protocol.Garbled as error:
            self._error = DocumentError("crashed", str(error))

    def _listen(self, stream: Stream, limits: Limits) -> None:
        for part in protocol.parts(stream.receive, limits):
            if isinstance(part, protocol.Kind):
                self._kind = part.name
            else:
                self._gathered.add(part)

    @property
    def code(self) -> str | None:
        """Of what ended it before its end."""
        return self._error.code if self._error else None

    @property
    def broke(self) -> bool:
        """Whether it took its child down."""
        return self.code in BROKEN

    @property
    def whole(self) -> bool:
        """Whether it came to its end."""
        return self._error is None

    @property
    def has_spare(self) -> bool:
        """Whether this kind of document has another reader."""
        return self._kind in FORMATS and FORMATS[self._kind].spare is not None

    def text(self) -> Text:
        """The text, also of a document that failed on the way when enough of it was read."""
        if self._error:
            self._gathered.forgive(self._error)
        known = FORMATS.get(self._kind)
        return self._gathered.text(known.media_type if known else "application/octet-stream")
