"""The nursery: one single-threaded process that imports each format's libraries once and forks a child
a document, so that whatever a document does, it does to its own child.

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
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module

from pigeonhole.extract.limits import Limits
from pigeonhole.extract.registry import FORMATS
from pigeonhole.sandbox import worker

OK, TIMEOUT, MEMORY, CRASHED = b"ok", b"timeout", b"memory", b"crashed"
HEAD = 16
REQUEST = struct.Struct(">Q?B")
SAID = 4_096

_FAMILIES: tuple[tuple[bytes, tuple[str, ...]], ...] = (
    (b"%PDF", ("pdf",)),
    (b"PK", ("docx", "xlsx", "odt", "epub")),
    (b"\xd0\xcf\x11\xe0", ("doc", "xls", "msg")),
    (b"{\\rtf", ("rtf",)),
    (b"\x89PNG", ("png",)),
    (b"\xff\xd8\xff", ("jpeg",)),
    (b"GIF8", ("gif",)),
    (b"RIFF", ("webp",)),
    (b"II*\0", ("tiff",)),
    (b"MM\0*", ("tiff",)),
    (b"BM", ("bmp",)),
)
_TIME_SIGNALS = (-signal.SIGXCPU, -signal.SIGALRM)
_TEXTS = ("txt", "html", "eml")


@dataclass(frozen=True, slots=True)
class Job:
    """What a child is to do: descriptors of the document and of where its parts go."""

    document: int
    name: str
    result: int
    memory: int
    spare: bool


@dataclass(slots=True)
class Child:
    """One document at work."""

    pid: int
    status: int
    memory: int
    deadline: float
    late: bool = False
    said: bytearray = field(default_factory=bytearray)


class Nursery:
    """The children at work, each known by the descriptor of its standard error: that closes when it ends."""

    def __init__(self, control: socket.socket, limits: Limits) -> None:
        self._control = control
        self._limits = limits
        self._children: dict[int, Child] = {}
        self._met: set[tuple[str, ...]] = set()
        self._warmed: set[str] = set()
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)

    def run(self) -> None:
        """Serve until the function hangs up; children still at work end with it."""
        while True:
            for descriptor, _ in self._poll.poll(self._patience()):
                if descriptor != self._control.fileno():
                    self._hear(descriptor)
                elif not self._take():
                    return self._end(list(self._children.values()))
            now = time.monotonic()
            self._end([child for child in self._children.values() if child.deadline <= now])

    def _patience(self) -> float | None:
        deadlines = [child.deadline for child in self._children.values() if not child.late]
        return max(0.0, min(deadlines) - time.monotonic()) * 1_000 + 1 if deadlines else None

    def _take(self) -> bool:
        """Receive one document and fork its child; False when there is nobody to work for."""
        head, descriptors, _, _ = socket.recv_fds(self._control, REQUEST.size, 3)
        if len(head) < REQUEST.size or len(descriptors) < 3:
            return False
        memory, spare, length = REQUEST.unpack(head)
        name = _exactly(self._control, length).decode("utf-8", "replace")
        document, result, status = descriptors
        kinds = _kinds(os.pread(document, HEAD, 0))
        if kinds not in self._met:
            self._met.add(kinds)
            self._warm(module for kind in kinds for module in FORMATS[kind].modules)
        self._fork(Job(document, name, result, memory, spare), status)
        os.close(document)
        os.close(result)
        return True

    def _fork(self, job: Job, status: int) -> None:
        heard, said = os.pipe()
        os.set_blocking(said, False)
        pid = os.fork()
        if pid == 0:
            _be_a_child(job, self._limits, said, self._warmed)
        os.close(said)
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        deadline = time.monotonic() + self._limits.wall_seconds
        self._children[heard] = Child(pid, status, job.memory, deadline)
        self._poll.register(heard, select.POLLIN)

    def _hear(self, descriptor: int) -> None:
        """Take what a child says on its way out; when it says no more, it has ended."""
        one = self._children[descriptor]
        said = os.read(descriptor, SAID)
        if said:
            one.said += said[: SAID - len(one.said)]
            return
        self._poll.unregister(descriptor)
        os.close(descriptor)
        del self._children[descriptor]
        self._end([one])
        _, exit_status, usage = os.wait4(one.pid, 0)
        with contextlib.suppress(OSError):
            os.write(one.status, _verdict(one, exit_status, usage, self._limits))
        os.close(one.status)
        if one.said:
            self._warm(worker.loaded(bytes(one.said)))

    def _warm(self, modules: Iterable[str]) -> None:
        """Import before the next fork what documents would import after it: once, and for all that follow."""
        for name in modules:
            if name not in self._warmed:
                self._warmed.add(name)
                # what is missing or broken fails in the children that need it, and there it is told
                with contextlib.suppress(Exception):
                    getattr(import_module(name), "ready", _nothing)()
                gc.freeze()

    def _end(self, children: list[Child]) -> None:
        now = time.monotonic()
        for one in children:
            one.late = one.late or one.deadline <= now
            with contextlib.suppress(OSError):
                os.killpg(one.pid, signal.SIGKILL)


def _verdict(one: Child, exit_status: int, usage: resource.struct_rusage, limits: Limits) -> bytes:
    code = os.waitstatus_to_exitcode(exit_status)
    if code == 0:
        return OK
    if one.late or code in _TIME_SIGNALS or usage.ru_utime + usage.ru_stime >= limits.cpu_seconds:
        return TIMEOUT
    starved = b"memory" in one.said.lower() or _resident(usage.ru_maxrss) > one.memory // 2
    return MEMORY if starved or code == -signal.SIGKILL else CRASHED


def _resident(maxrss: int) -> int:
    return maxrss if sys.platform == "darwin" else maxrss * 1_024


def _be_a_child(job: Job, limits: Limits, said: int, warmed: set[str]) -> None:
    code = 1
    try:
        os.setpgid(0, 0)
        os.dup2(said, 2)
        worker.fence(limits, job.memory, job.document, job.result)
        worker.work(job.document, job.name, limits, job.result, spare=job.spare)
        if news := worker.last_words(warmed):
            os.write(2, news)
        code = 0
    finally:
        os._exit(code)


def _kinds(head: bytes) -> tuple[str, ...]:
    """What a document that begins like this may be."""
    return next((kinds for start, kinds in _FAMILIES if head.startswith(start)), _TEXTS)


def _nothing() -> None:
    return None


def _exactly(control: socket.socket, size: int) -> bytes:
    received = bytearray()
    while len(received) < size:
        more = control.recv(size - len(received))
        if not more:
            break
        received += more
    return bytes(received)


def main(descriptor: int, limits: str) -> None:
    """Run a nursery on an inherited socket."""
    allowed = Limits(**json.loads(limits))
    worker.enclose(allowed)
    gc.disable()  # a child ends before its garbage matters, and collecting touches pages that it shares
    Nursery(socket.socket(fileno=descriptor), allowed).run()
