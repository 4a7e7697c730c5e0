"""The extractor: a file in, its text with exact coverage out, or a DocumentError that says why not."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from pigeonhole.document import DocumentError, Text
from pigeonhole.extract import wire
from pigeonhole.extract.gather import Gathered
from pigeonhole.extract.limits import Limits
from pigeonhole.extract.link import Link, NurseryDied, Stream
from pigeonhole.extract.table import FORMATS

TRIES = 2
BROKEN = frozenset({"crashed", "extraction_memory"})


class Extractor:
    """Reads documents of any kind, each in a child of a nursery; may be called from many threads."""

    def __init__(self, limits: Limits = Limits()) -> None:  # noqa: B008  frozen, so it can be shared
        self._limits = limits
        self._room = threading.BoundedSemaphore(limits.children)
        self._lock = threading.Lock()
        self._link: Link | None = Link(limits)

    def read(self, path: Path, name: str) -> Text:
        """The document's text; `name` only decides between kinds of text."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            if os.fstat(descriptor).st_size > self._limits.document_bytes:
                raise DocumentError("too_large", f"more than {self._limits.document_bytes} bytes")
            with self._room:
                return self._read(descriptor, name)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """End the nursery; a later read would start another."""
        with self._lock:
            if self._link:
                self._link.close()
            self._link = None

    def _read(self, descriptor: int, name: str) -> Text:
        """One reading, and another with the spare reader when the first broke early on."""
        end = time.monotonic() + self._limits.wall_seconds / 2
        reading = self._reading(descriptor, name, spare=False)
        if reading.broke and reading.has_spare and time.monotonic() < end:
            second = self._reading(descriptor, name, spare=True)
            reading = second if second.whole else reading
        return reading.text()

    def _reading(self, descriptor: int, name: str, *, spare: bool) -> Reading:
        for _ in range(TRIES):
            link = self._living()
            try:
                with link.send(descriptor, name, spare=spare) as stream:
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
        except wire.Garbled as error:
            self._error = DocumentError("crashed", str(error))

    def _listen(self, stream: Stream, limits: Limits) -> None:
        for part in wire.parts(stream.receive, limits):
            if isinstance(part, wire.Kind):
                self._kind = part.name
            else:
                self._gathered.add(part)

    @property
    def broke(self) -> bool:
        """Whether it took its child down."""
        return self._error is not None and self._error.code in BROKEN

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
