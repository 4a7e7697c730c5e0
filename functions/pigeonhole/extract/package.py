"""ZIP packages: their errors translated, each member read within the quota of unpacked bytes."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.interface import Source

CHUNK = 1 << 17
ENCRYPTED_FLAG = 0x1

ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)

_last_opened: list[tuple[bytes, zipfile.ZipFile]] = []


def open_zip(data: bytes) -> zipfile.ZipFile:
    """The archive; raises DocumentError `corrupt`.

    The last one is kept: sniffing opens it first, and the reader at once again.
    """
    if not _last_opened or _last_opened[0][0] is not data:
        try:
            _last_opened[:] = [(data, zipfile.ZipFile(io.BytesIO(data)))]
        except ZIP_ERRORS as error:
            raise DocumentError("corrupt", f"a broken ZIP package: {error}") from error
    return _last_opened[0][1]


class Package:
    """The members of a ZIP by name; `members` has no folders."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._zip = open_zip(source.data)
        self.members = {info.filename: info for info in self._zip.infolist() if not info.is_dir()}

    def is_encrypted(self, name: str) -> bool:
        """Whether a member needs a password."""
        return bool(self.members[name].flag_bits & ENCRYPTED_FLAG)

    def read(self, name: str) -> bytes:
        """A member's bytes; raises DocumentError `corrupt` (or missing), `encrypted` or `too_large`."""
        return b"".join(self.chunks(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """A member's bytes in chunks, for one that may be large; raises as `read` does."""
        if name not in self.members:
            raise DocumentError("corrupt", f"it has no {name}")
        if self.is_encrypted(name):
            raise DocumentError("encrypted", f"{name} has a password")
        try:
            with self._zip.open(self.members[name]) as member:
                while chunk := member.read(CHUNK):
                    self._source.quota.count_unpacked(len(chunk))
                    yield chunk
        except ZIP_ERRORS as error:
            raise DocumentError("corrupt", f"{name} inside is broken: {error}") from error
