"""ZIP packages: opened with the right error, each member read within what may be unpacked."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.parts import Source

CHUNK = 1 << 17
LOCKED = 0x1

Broken = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)


_last: list[tuple[bytes, zipfile.ZipFile]] = []


def opened(data: bytes) -> zipfile.ZipFile:
    """The archive, or DocumentError `corrupt`; the last one is kept, for it is asked for again at once."""
    if not _last or _last[0][0] is not data:
        try:
            _last[:] = [(data, zipfile.ZipFile(io.BytesIO(data)))]
        except Broken as error:
            raise DocumentError("corrupt", f"a broken ZIP package: {error}") from error
    return _last[0][1]


class Package:
    """The members of a ZIP by name."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._zip = opened(source.data)
        self.members = {info.filename: info for info in self._zip.infolist() if not info.is_dir()}

    def locked(self, name: str) -> bool:
        """Whether a member has a password."""
        return bool(self.members[name].flag_bits & LOCKED)

    def read(self, name: str) -> bytes:
        """A member whole; DocumentError when it is missing, locked, broken or too much."""
        return b"".join(self.chunks(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """A member piece by piece, for those that may be large."""
        if name not in self.members:
            raise DocumentError("corrupt", f"it has no {name}")
        if self.locked(name):
            raise DocumentError("encrypted", f"{name} has a password")
        try:
            with self._zip.open(self.members[name]) as member:
                while chunk := member.read(CHUNK):
                    self._source.budget.unpack(len(chunk))
                    yield chunk
        except Broken as error:
            raise DocumentError("corrupt", f"{name} inside is broken: {error}") from error
