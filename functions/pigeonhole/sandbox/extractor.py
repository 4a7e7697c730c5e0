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
from pigeonhole.extract.limits import Limits
from pigeonhole.extract.registry import FORMATS
from pigeonhole.extract.text_builder import TextBuilder
from pigeonhole.sandbox import protocol
from pigeonhole.sandbox.client import ForkServerClient, ForkServerDied, WorkerStream

FORK_SERVERS_TRIED = 2
OUT_OF_MEMORY = "extraction_memory"
WORKER_BROKE = frozenset({"crashed", OUT_OF_MEMORY})


class MemoryPool:
    """The memory that the workers of all documents share: a counting semaphore of bytes."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._changed = threading.Condition()

    @contextmanager
    def allocated(self, size: int, deadline: float) -> Iterator[None]:
        """Hold `size` bytes of the pool for the block, as soon as they are free.

        Raises TryLater when they are not by `deadline`, in seconds of time.monotonic().
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._free >= size, max(0.0, deadline - time.monotonic())):
                raise TryLater("other documents are being read", seconds=1)
            self._free -= size
        try:
            yield
        finally:
            with self._changed:
                self._free += size
                self._changed.notify_all()


class Extractor:
    """Reads documents of any format, each in a worker of a fork server; may be called from many threads."""

    def __init__(self, limits: Limits = Limits()) -> None:  # noqa: B008  frozen, so it can be shared
        self._limits = limits
        self._pool = MemoryPool(limits.pool_bytes)
        self._lock = threading.Lock()
        self._client: ForkServerClient | None = ForkServerClient(limits)

    def read(self, path: Path, name: str, seconds: float = math.inf) -> Text:
        """The document's text; `name` only decides between formats of plain text.

        `seconds` is the time that the caller has. Raises DocumentError when the document cannot be read,
        and TryLater when other documents leave too little of that time for the longest reading.
        """
        # What breaks a worker may do so at its very end, and the second worker may take as long.
        deadline = time.monotonic() + min(seconds, threading.TIMEOUT_MAX) - 2 * self._limits.wall_seconds
        descriptor = os.open(path, os.O_RDONLY)
        try:
            size = os.fstat(descriptor).st_size
            if size > self._limits.document_bytes:
                raise DocumentError("too_large", f"more than {self._limits.document_bytes} bytes")
            return self._read_with_retries(descriptor, name, size, deadline)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """End the fork server; a later `read` would start another."""
        with self._lock:
            if self._client:
                self._client.close()
            self._client = None

    def _read_with_retries(self, descriptor: int, name: str, size: int, deadline: float) -> Text:
        """One worker's reading; after it broke another's, with more memory or with the fallback reader."""
        fallback_until = time.monotonic() + self._limits.wall_seconds / 2
        for memory in self._limits.memory_for(size):
            with self._pool.allocated(memory, deadline):
                result = self._run_worker(descriptor, name, memory)
                if result.error_code == OUT_OF_MEMORY and memory < self._limits.memory_bytes:
                    continue
                if result.broke and result.has_fallback and time.monotonic() < fallback_until:
                    by_fallback = self._run_worker(descriptor, name, memory, fallback=True)
                    result = by_fallback if by_fallback.is_complete else result
                break
        return result.text()

    def _run_worker(self, descriptor: int, name: str, memory: int, *, fallback: bool = False) -> WorkerResult:
        for _ in range(FORK_SERVERS_TRIED):
            client = self._live_client()
            try:
                with client.send(descriptor, name, memory, fallback=fallback) as stream:
                    return WorkerResult(stream, self._limits)
            except ForkServerDied:
                client.close()
        raise DocumentError("crashed", "the process that reads died with it, twice")

    def _live_client(self) -> ForkServerClient:
        with self._lock:
            if self._client is None or self._client.closed:
                self._client = ForkServerClient(self._limits)
            return self._client


class WorkerResult:
    """What one worker sent of a document, up to the document's end or the worker's failure.

    Creating it receives all of that; it raises ForkServerDied only.
    """

    def __init__(self, stream: WorkerStream, limits: Limits) -> None:
        self._builder = TextBuilder(limits)
        self._format_name = ""
        self._error: DocumentError | None = None
        try:
            self._receive(stream, limits)
            stream.exit_reason()
        except DocumentError as error:
            self._error = error
        except EOFError:
            self._error = stream.early_exit_error()
        except protocol.ProtocolError as error:
            self._error = DocumentError("crashed", str(error))

    def _receive(self, stream: WorkerStream, limits: Limits) -> None:
        for segment in protocol.receive_segments(stream.receive, limits):
            if isinstance(segment, protocol.DetectedFormat):
                self._format_name = segment.name
            else:
                self._builder.add(segment)

    @property
    def error_code(self) -> str | None:
        """The code of the error that ended the reading early, if one did."""
        return self._error.code if self._error else None

    @property
    def broke(self) -> bool:
        """Whether the document took its worker down, by a crash or for want of memory."""
        return self.error_code in WORKER_BROKE

    @property
    def is_complete(self) -> bool:
        """Whether the document was read to its end."""
        return self._error is None

    @property
    def has_fallback(self) -> bool:
        """Whether this document's format has a second reader."""
        return self._format_name in FORMATS and FORMATS[self._format_name].fallback is not None

    def text(self) -> Text:
        """The text, cut short where the reading failed after enough of it; else raises that DocumentError."""
        if self._error:
            self._builder.cut_short(self._error)
        entry = FORMATS.get(self._format_name)
        return self._builder.text(entry.media_type if entry else "application/octet-stream")
