"""What a child does: fenced in, it reads one document and sends its parts; then it is gone."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Set

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import registry, sniff
from pigeonhole.extract.gather import refine
from pigeonhole.extract.limits import Limits
from pigeonhole.extract.parts import Budget, Part, Source
from pigeonhole.extract.registry import MODULES
from pigeonhole.sandbox import protocol

FEW_FILES = 32

_MOST_FILES = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0] % (1 << 63), 1 << 20)


def enclose(limits: Limits) -> None:
    """What holds for the nursery and so for its children: no environment, and only so much memory."""
    os.environ.clear()
    _bound(resource.RLIMIT_CORE, 0)
    _bound(resource.RLIMIT_AS, limits.memory_bytes)


def _bound(what: int, most: int) -> None:
    hard = resource.getrlimit(what)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    # macOS has no limit on address space; the other limits hold everywhere
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(what, (most, most))


def fence(limits: Limits, memory: int, document: int, result: int) -> None:
    """What holds for one child: no descriptor but its two and the standard three, no files, so much memory
    and time."""
    _bound(resource.RLIMIT_AS, memory)
    low, high = sorted((document, result))
    os.closerange(3, low)
    os.closerange(low + 1, high)
    os.closerange(high + 1, _MOST_FILES)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW_FILES, FEW_FILES))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds + 1)


def work(document: int, name: str, limits: Limits, result: int, *, spare: bool) -> None:
    """Read the document at one descriptor, and send its parts to the other, the end or the error last."""
    send = _sender(result)
    try:
        data = os.pread(document, min(os.fstat(document).st_size, limits.document_bytes) + 1, 0)
        for part in parts(data, name, limits, spare=spare):
            send(part)
        send(None)
    except DocumentError as error:
        send(error)
    except MemoryError:
        send(DocumentError("extraction_memory"))
    except RecursionError:
        send(DocumentError("corrupt", "it is nested too deeply"))
    except BrokenPipeError:
        return
    except ImportError as error:
        send(DocumentError("crashed", f"a library is missing: {error}"))
    except BaseException as error:  # noqa: BLE001  hostile bytes: a library may raise anything, or panic
        send(DocumentError("corrupt", f"{type(error).__name__}: {error}"))


def parts(data: bytes, name: str, limits: Limits, *, spare: bool) -> Iterator[Part | protocol.Kind]:
    """What the document is, then its parts: all that a child does of which a sandbox is no part."""
    if len(data) > limits.document_bytes:
        raise DocumentError("too_large", f"more than {limits.document_bytes} bytes")
    kind = sniff.kind(data, name)
    yield protocol.Kind(kind)
    source = Source(kind=kind, name=name, data=data, limits=limits, budget=Budget(limits))
    yield from refine(registry.read(source, spare=spare), limits)


def last_words(known: Set[str]) -> bytes:
    """The modules that this child had to load, for the nursery to spare its next children the import."""
    new = (MODULES - known) & sys.modules.keys()
    return b"loaded " + " ".join(new).encode() if new else b""


def loaded(said: bytes) -> frozenset[str]:
    """The modules that a child says it loaded: it may say anything, we take only what the table has."""
    _, _, names = said.rpartition(b"loaded ")
    return MODULES & frozenset(names.decode("ascii", "replace").split())


def _sender(result: int) -> Callable[[Part | protocol.Kind | DocumentError | None], None]:
    def send(part: Part | protocol.Kind | DocumentError | None) -> None:
        left = memoryview(protocol.frame(part))
        while left:
            left = left[os.write(result, left) :]

    return send
