"""The fork server: one single-threaded process that imports each format's libraries once, and forks a worker
for each document, so that whatever a document does, it does to its own worker.

It reads nothing of a document but its first bytes, to know what to import, and ends when the function does.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from dataclasses import dataclass, field

from pigeonhole.extract import magic
from pigeonhole.extract.limits import Limits
from pigeonhole.sandbox.preloader import Preloader
from pigeonhole.sandbox.worker import (
    newly_loaded,
    parse_newly_loaded,
    read_document,
    restrict_fork_server,
    restrict_worker,
)

OK, TIMEOUT, MEMORY, CRASHED = b"ok", b"timeout", b"memory", b"crashed"
# A request: bytes of memory, whether to use the fallback reader, and the length of the name that follows.
# With it come three descriptors: the document's, and those of the pipes for frames and for the exit reason.
REQUEST = struct.Struct(">Q?B")
STDERR_BYTES = 4_096

_TIME_SIGNALS = (-signal.SIGXCPU, -signal.SIGALRM)


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What one worker is to do: `document` and `result` are descriptors, `memory` is bytes."""

    document: int
    name: str
    result: int
    memory: int
    fallback: bool


@dataclass(slots=True)
class Worker:
    """One forked process and what is known of it.

    `status` is the descriptor for its exit reason, `memory` bytes that it may use, `deadline` seconds of
    time.monotonic(), `stderr` the beginning of what it wrote to its standard error.
    """

    pid: int
    status: int
    memory: int
    deadline: float
    timed_out: bool = False
    stderr: bytearray = field(default_factory=bytearray)


class ForkServer:
    """Forks workers on request, ends those that are late, and reports how each ended.

    A worker is known by our end of the pipe of its standard error, which closes when the worker ends.
    """

    def __init__(self, control: socket.socket, limits: Limits) -> None:
        self._control = control
        self._limits = limits
        self._workers: dict[int, Worker] = {}
        self._preloader = Preloader()
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)

    def run(self) -> None:
        """Serve until the function closes its end of the socket; workers that still run end with it."""
        while True:
            for descriptor, _ in self._poll.poll(self._poll_timeout_ms()):
                if descriptor != self._control.fileno():
                    self._read_stderr(descriptor)
                elif not self._accept():
                    return self._kill(list(self._workers.values()))
            now = time.monotonic()
            self._kill([worker for worker in self._workers.values() if worker.deadline <= now])

    def _poll_timeout_ms(self) -> float | None:
        deadlines = [worker.deadline for worker in self._workers.values() if not worker.timed_out]
        return max(0.0, min(deadlines) - time.monotonic()) * 1_000 + 1 if deadlines else None

    def _accept(self) -> bool:
        """Receive one request and fork its worker; False when the function has closed the socket."""
        head, descriptors, _, _ = socket.recv_fds(self._control, REQUEST.size, 3)
        if len(head) < REQUEST.size or len(descriptors) < 3:
            return False
        memory, fallback, length = REQUEST.unpack(head)
        name = _receive_exactly(self._control, length).decode("utf-8", "replace")
        document, result, status = descriptors
        self._preloader.load_for(os.pread(document, magic.LONGEST, 0))
        self._fork_worker(ReadRequest(document, name, result, memory, fallback), status)
        os.close(document)
        os.close(result)
        return True

    def _fork_worker(self, request: ReadRequest, status: int) -> None:
        stderr, worker_stderr = os.pipe()
        os.set_blocking(worker_stderr, False)
        pid = os.fork()
        if pid == 0:
            _run_worker(request, self._limits, worker_stderr, self._preloader.modules)
        os.close(worker_stderr)
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)  # as the worker does: whichever of the two comes first
        deadline = time.monotonic() + self._limits.wall_seconds
        self._workers[stderr] = Worker(pid, status, request.memory, deadline)
        self._poll.register(stderr, select.POLLIN)

    def _read_stderr(self, descriptor: int) -> None:
        """Collect what a worker writes; at the end of its output, reap it and report its exit reason."""
        worker = self._workers[descriptor]
        output = os.read(descriptor, STDERR_BYTES)
        if output:
            worker.stderr += output[: STDERR_BYTES - len(worker.stderr)]
            return
        self._poll.unregister(descriptor)
        os.close(descriptor)
        del self._workers[descriptor]
        self._kill([worker])  # it may have closed its standard error and live on, or have forked
        _, exit_status, usage = os.wait4(worker.pid, 0)
        with contextlib.suppress(OSError):
            os.write(worker.status, _exit_reason(worker, exit_status, usage, self._limits))
        os.close(worker.status)
        if worker.stderr:
            self._preloader.load(parse_newly_loaded(bytes(worker.stderr)))

    def _kill(self, workers: list[Worker]) -> None:
        now = time.monotonic()
        for worker in workers:
            worker.timed_out = worker.timed_out or worker.deadline <= now
            with contextlib.suppress(OSError):
                os.killpg(worker.pid, signal.SIGKILL)


def _exit_reason(worker: Worker, exit_status: int, usage: resource.struct_rusage, limits: Limits) -> bytes:
    """Why a worker ended, as far as it shows: a library that finds no memory aborts in ways of its own."""
    code = os.waitstatus_to_exitcode(exit_status)
    if code == 0:
        return OK
    if worker.timed_out or code in _TIME_SIGNALS or usage.ru_utime + usage.ru_stime >= limits.cpu_seconds:
        return TIMEOUT
    had_most = _resident_bytes(usage.ru_maxrss) > worker.memory // 2
    out_of_memory = b"memory" in worker.stderr.lower() or had_most or code == -signal.SIGKILL
    return MEMORY if out_of_memory else CRASHED


def _resident_bytes(maxrss: int) -> int:
    """The kernel's figure in bytes: macOS counts in bytes, Linux in kilobytes."""
    return maxrss if sys.platform == "darwin" else maxrss * 1_024


def _run_worker(request: ReadRequest, limits: Limits, stderr: int, preloaded: set[str]) -> None:
    """All of a worker's life after the fork; it never returns, not even by an exception."""
    code = 1
    try:
        os.setpgid(0, 0)
        os.dup2(stderr, 2)
        restrict_worker(limits, request.memory, request.document, request.result)
        read_document(request.document, request.name, limits, request.result, fallback=request.fallback)
        if message := newly_loaded(preloaded):
            os.write(2, message)
        code = 0
    finally:
        os._exit(code)


def _receive_exactly(control: socket.socket, size: int) -> bytes:
    received = bytearray()
    while len(received) < size:
        chunk = control.recv(size - len(received))
        if not chunk:
            break
        received += chunk
    return bytes(received)


def main(descriptor: int, limits_json: str) -> None:
    """Run a fork server on the inherited socket `descriptor`, until its other end is closed."""
    limits = Limits(**json.loads(limits_json))
    restrict_fork_server(limits)
    gc.disable()  # a worker ends before its garbage matters, and a collection writes to pages that it shares
    ForkServer(socket.socket(fileno=descriptor), limits).run()
