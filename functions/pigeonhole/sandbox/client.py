"""The function's end of the nursery: starts it, hands it documents, and hears what comes of each."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from types import TracebackType

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.limits import Limits
from pigeonhole.sandbox.fork_server import REQUEST

GRACE_SECONDS = 5.0
CHUNK = 1 << 16
VERDICT = 16
LONGEST_NAME = 255
# A child pays for every page of memory that it is the first to touch: it takes them by the 2 MB where the
# system can, and uses again what it gave back. Another C library than glibc passes over this.
ALLOCATION = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.top_pad=16777216"
    ":glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=1073741824"
}

_CODES = {b"timeout": "extraction_timeout", b"memory": "extraction_memory", b"crashed": "crashed"}
# Hooks that set threads' locks and random numbers right after a fork would cost every child more than a
# small document does; the children of a process without threads need none.
_START = """
import json, os, sys
sys.path[:] = json.loads(sys.argv[3])
os.register_at_fork = lambda **hooks: None
from pigeonhole.sandbox.fork_server import main
main(int(sys.argv[1]), sys.argv[2])
"""
_KEPT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")


class NurseryDied(Exception):
    """The nursery is gone, whoever's fault it was."""


class Link:
    """One nursery and the socket to it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter, our own words
                [sys.executable, "-I", "-S", "-c", _START, *self._arguments(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                env=ALLOCATION | {name: os.environ[name] for name in _KEPT if name in os.environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.closed = False

    def _arguments(self, descriptor: int) -> tuple[str, str, str]:
        return str(descriptor), json.dumps(asdict(self._limits)), json.dumps([p for p in sys.path if p])

    def send(self, document: int, name: str, memory: int, *, spare: bool) -> Stream:
        """Hand over an open document, and so much memory; NurseryDied when nobody takes it."""
        result, their_result = os.pipe()
        status, their_status = os.pipe()
        stream = Stream(self, result, status, self._limits)
        try:
            self._tell(name, memory, spare, [document, their_result, their_status])
        except OSError as error:
            stream.close()
            raise NurseryDied from error
        finally:
            os.close(their_result)
            os.close(their_status)
        return stream

    def _tell(self, name: str, memory: int, spare: bool, descriptors: list[int]) -> None:
        ending = name.encode("utf-8", "replace")[-LONGEST_NAME:]
        with self._lock:
            socket.send_fds(self._control, [REQUEST.pack(memory, spare, len(ending))], descriptors)
            self._control.sendall(ending)

    def close(self) -> None:
        """Hang up; a nursery that does not end by itself is ended."""
        with self._lock:
            self.closed = True
            self._control.close()
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Stream:
    """What one child sends, up to what its kind may send at most and until its time is over."""

    def __init__(self, link: Link, result: int, status: int, limits: Limits) -> None:
        self._link = link
        self._result = result
        self._status = status
        self._left = limits.output_bytes
        self._deadline = time.monotonic() + limits.wall_seconds + GRACE_SECONDS
        self._buffer = bytearray()

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening: a child that goes on talking finds a broken pipe."""
        for descriptor in (self._result, self._status):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def receive(self, size: int) -> bytes:
        """Exactly that many bytes of the result, or EOFError."""
        while len(self._buffer) < size:
            self._buffer += self._more(self._result, CHUNK)
        taken = bytes(memoryview(self._buffer)[:size])
        del self._buffer[:size]
        return taken

    def verdict(self) -> bytes:
        """How the child ended; NurseryDied when the nursery did not live to tell."""
        try:
            return self._more(self._status, VERDICT)
        except EOFError as error:
            raise NurseryDied from error

    def breach(self) -> DocumentError:
        """Why the child ended before its document did."""
        return DocumentError(_CODES.get(self.verdict(), "crashed"))

    def _more(self, descriptor: int, size: int) -> bytes:
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        if not waiting.poll(max(0.0, self._deadline - time.monotonic()) * 1_000):
            self._link.close()
            raise DocumentError("extraction_timeout", "and its process did not end by itself")
        more = os.read(descriptor, size)
        if not more:
            raise EOFError
        self._left -= len(more)
        if self._left < 0:
            raise DocumentError("too_large", "more text than may leave the reader")
        return more
