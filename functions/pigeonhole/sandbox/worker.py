"""What a forked worker does: restricted by the kernel, it reads one document, sends its segments and ends."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Set

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import registry, sniff
from pigeonhole.extract.hidden import without_hidden
from pigeonhole.extract.interface import DocumentQuota, SeenSegment, Source
from pigeonhole.extract.limits import Limits
from pigeonhole.extract.registry import READER_MODULES
from pigeonhole.extract.tidy import tidy_segments
from pigeonhole.sandbox import protocol

OPEN_FILES = 32

# One past the highest descriptor that may be open; RLIM_INFINITY, which is negative, becomes a million.
_DESCRIPTORS_END = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0] % (1 << 63), 1 << 20)


def restrict_fork_server(limits: Limits) -> None:
    """Restrict this process and all that it will fork: no environment, no core dumps, and a memory limit."""
    os.environ.clear()
    _set_limit(resource.RLIMIT_CORE, 0)
    _set_limit(resource.RLIMIT_AS, limits.memory_bytes)


def _set_limit(limit: int, value: int) -> None:
    hard = resource.getrlimit(limit)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    # macOS has no limit on address space; the other limits hold everywhere
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(limit, (value, value))


def restrict_worker(limits: Limits, memory: int, document: int, result: int) -> None:
    """Restrict this process to one document: `memory` bytes of address space, its processor and wall time.

    It keeps descriptors 0 to 2 and the two given, and may write to no file.
    """
    _set_limit(resource.RLIMIT_AS, memory)
    low, high = sorted((document, result))
    os.closerange(3, low)
    os.closerange(low + 1, high)
    os.closerange(high + 1, _DESCRIPTORS_END)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    # SIGXCPU at the soft limit, SIGKILL a second later. The alarm is for a fork server that hangs: else
    # that one ends its workers, a second earlier.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds + 1)


def read_document(document: int, name: str, limits: Limits, result: int, *, fallback: bool) -> None:
    """Read the document at one descriptor and send its segments to the other, its end or its error last."""
    send = _sender(result)
    try:
        data = os.pread(document, min(os.fstat(document).st_size, limits.document_bytes) + 1, 0)
        for segment in read_segments(data, name, limits, fallback=fallback):
            send(segment)
        send(None)
    except DocumentError as error:
        send(error)
    except MemoryError:
        send(DocumentError("extraction_memory"))
    except RecursionError:
        send(DocumentError("too_deep"))
    except BrokenPipeError:
        return
    except ImportError as error:
        send(DocumentError("crashed", f"a library is missing: {error}"))
    except BaseException as error:  # noqa: BLE001  hostile bytes: a library may raise anything, or panic
        send(DocumentError("corrupt", f"{type(error).__name__}: {error}"))


def read_segments(
    data: bytes, name: str, limits: Limits, *, fallback: bool
) -> Iterator[SeenSegment | protocol.DetectedFormat]:
    """What format the document has, then its segments: all of a worker's task that needs no sandbox.

    Raises DocumentError, and whatever a library raises on hostile bytes.
    """
    if len(data) > limits.document_bytes:
        raise DocumentError("too_large", f"more than {limits.document_bytes} bytes")
    format_name = sniff.detect_format(data, name)
    yield protocol.DetectedFormat(format_name)
    source = Source(format_name=format_name, name=name, data=data, limits=limits, quota=DocumentQuota(limits))
    yield from without_hidden(tidy_segments(registry.read(source, fallback=fallback), limits))


def newly_loaded(preloaded: Set[str]) -> bytes:
    """A message to the fork server: the readers' modules that this worker had to import, or nothing."""
    loaded = (READER_MODULES - preloaded) & sys.modules.keys()
    return b"loaded " + " ".join(loaded).encode() if loaded else b""


def parse_newly_loaded(stderr: bytes) -> frozenset[str]:
    """The modules that a worker says it imported. It may say anything: only those of the registry count."""
    _, _, names = stderr.rpartition(b"loaded ")
    return READER_MODULES & frozenset(names.decode("ascii", "replace").split())


def _sender(result: int) -> Callable[[protocol.Frame], None]:
    def send(frame: protocol.Frame) -> None:
        unsent = memoryview(protocol.encode_frame(frame))
        while unsent:
            unsent = unsent[os.write(result, unsent) :]

    return send
