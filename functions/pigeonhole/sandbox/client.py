"""The function's end of the fork server: starts it, sends it documents, receives what its workers send."""

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

# How much longer than a worker may run we wait for it: the fork server ends it, and that takes a moment.
GRACE_SECONDS = 5.0
READ_BYTES = 1 << 16
EXIT_REASON_BYTES = 16
NAME_BYTES = 255  # its length is sent as one byte
# A worker pays a page fault for every page of memory that it is the first to touch. With these settings
# glibc's malloc takes memory in huge pages where the system has them, and keeps what is freed for the next
# allocation. Another C library ignores the variable.
MALLOC_SETTINGS = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.top_pad=16777216"
    ":glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=1073741824"
}

_CODE_BY_EXIT_REASON = {
    b"timeout": "extraction_timeout",
    b"memory": "extraction_memory",
    b"crashed": "crashed",
}
# Libraries register hooks that reset threads' locks and random numbers after each fork. They would cost
# every worker more than a small document does, and a process without threads needs none of them.
_BOOT_SCRIPT = """
import json, os, sys
sys.path[:] = json.loads(sys.argv[3])
os.register_at_fork = lambda **hooks: None
from pigeonhole.sandbox.fork_server import main
main(int(sys.argv[1]), sys.argv[2])
"""
# All that Python itself may need to start. The fork server inherits nothing else: no credentials.
_INHERITED_VARIABLES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")


class ForkServerDied(Exception):
    """The fork server is gone, by whosever fault: another one may still read the document."""


class ForkServerClient:
    """One fork server and the socket to it; may be used from many threads. Creating it starts the process."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._control, server_end = socket.socketpair()
        inherited = {name: os.environ[name] for name in _INHERITED_VARIABLES if name in os.environ}
        with server_end:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter, our own arguments
                [sys.executable, "-I", "-S", "-c", _BOOT_SCRIPT, *self._arguments(server_end.fileno())],
                pass_fds=(server_end.fileno(),),
                env=MALLOC_SETTINGS | inherited,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.closed = False

    def _arguments(self, descriptor: int) -> tuple[str, str, str]:
        return str(descriptor), json.dumps(asdict(self._limits)), json.dumps([p for p in sys.path if p])

    def send(self, document: int, name: str, memory: int, *, fallback: bool) -> WorkerStream:
        """Have a worker read the document open at descriptor `document`, in at most `memory` bytes.

        `fallback` asks for the format's second reader. Returns the worker's stream, which the caller closes.
        Raises ForkServerDied when there is no fork server to take the request.
        """
        result, worker_result = os.pipe()
        status, worker_status = os.pipe()
        stream = WorkerStream(self, result, status, self._limits)
        try:
            self._send_request(name, memory, fallback, [document, worker_result, worker_status])
        except OSError as error:
            stream.close()
            raise ForkServerDied from error
        finally:
            os.close(worker_result)
            os.close(worker_status)
        return stream

    def _send_request(self, name: str, memory: int, fallback: bool, descriptors: list[int]) -> None:
        encoded_name = name.encode("utf-8", "replace")[-NAME_BYTES:]  # its end, which has the suffix
        with self._lock:
            socket.send_fds(self._control, [REQUEST.pack(memory, fallback, len(encoded_name))], descriptors)
            self._control.sendall(encoded_name)

    def close(self) -> None:
        """Close the socket, at which the fork server ends; kill it if it does not within a second."""
        with self._lock:
            self.closed = True
            self._control.close()
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class WorkerStream:
    """The two pipes from one worker: its frames, and the reason of its exit, which the fork server writes.

    What is received is bounded by `limits.output_bytes` and by the time that a worker may take.
    """

    def __init__(self, client: ForkServerClient, result: int, status: int, limits: Limits) -> None:
        self._client = client
        self._result = result
        self._status = status
        self._bytes_left = limits.output_bytes
        self._deadline = time.monotonic() + limits.wall_seconds + GRACE_SECONDS
        self._buffer = bytearray()

    def __enter__(self) -> WorkerStream:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close both pipes: a worker that is still sending ends on a broken one."""
        for descriptor in (self._result, self._status):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def receive(self, size: int) -> bytes:
        """Exactly `size` bytes of the frames; EOFError when the worker ended before it sent so many.

        Raises DocumentError `extraction_timeout` or `too_large`.
        """
        while len(self._buffer) < size:
            self._buffer += self._read_some(self._result, READ_BYTES)
        payload = bytes(memoryview(self._buffer)[:size])
        del self._buffer[:size]
        return payload

    def exit_reason(self) -> bytes:
        """Wait for the worker's end: `ok`, `timeout`, `memory` or `crashed`.

        Raises ForkServerDied when the fork server ended before it could say.
        """
        try:
            return self._read_some(self._status, EXIT_REASON_BYTES)
        except EOFError as error:
            raise ForkServerDied from error

    def early_exit_error(self) -> DocumentError:
        """The error of a document whose worker ended before it had sent all; raises ForkServerDied."""
        return DocumentError(_CODE_BY_EXIT_REASON.get(self.exit_reason(), "crashed"))

    def _read_some(self, descriptor: int, size: int) -> bytes:
        readable = select.poll()
        readable.register(descriptor, select.POLLIN)
        if not readable.poll(max(0.0, self._deadline - time.monotonic()) * 1_000):
            # The fork server should have ended this worker long ago: it hangs too, so it goes.
            self._client.close()
            raise DocumentError("extraction_timeout", "and its process did not end by itself")
        received = os.read(descriptor, size)
        if not received:
            raise EOFError
        self._bytes_left -= len(received)
        if self._bytes_left < 0:
            raise DocumentError("too_large", "more text than may leave the reader")
        return received
