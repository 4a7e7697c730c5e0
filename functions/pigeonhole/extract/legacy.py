"""Word, Excel and PowerPoint files of before 2007: which of them have a password."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from olefile import OleFileIO  # type: ignore[import-untyped,unused-ignore]

_RECORD = struct.Struct("<HH")
_STREAM = 2
_FILEPASS = 0x2F
_BEFORE_FILEPASS = 20
_WORD_LOCKED = 0x0100
_SLIDES_LOCKED = 0xF3D1C4DF


def locked(compound: OleFileIO[Any]) -> bool:
    """Whether one of the three marks it as encrypted."""
    word = _start(compound, "WordDocument", 12)
    user = _start(compound, "Current User", 16)
    book = _start(compound, "Workbook", 8_192) or _start(compound, "Book", 8_192)
    return (
        (len(word) == 12 and bool(int.from_bytes(word[10:12], "little") & _WORD_LOCKED))
        or (len(user) == 16 and int.from_bytes(user[12:], "little") == _SLIDES_LOCKED)
        or _locked_book(book)
    )


def _start(compound: Any, stream: str, size: int) -> bytes:
    """The first bytes of a stream: the library itself would read all of it, sector by sector."""
    entry = compound.root.kids_dict.get(stream.lower())
    if entry is None or entry.entry_type != _STREAM:
        return b""
    if entry.size < compound.minisectorcutoff:
        return bytes(compound.openstream(stream).read(size))
    data, sector = b"", entry.isectStart
    for _ in range(-(-size // compound.sectorsize)):
        if sector >= len(compound.fat):
            break
        data += compound.getsect(sector)
        sector = compound.fat[sector]
    return data[: min(size, entry.size)]


def _locked_book(book: bytes) -> bool:
    at = 0
    for _ in range(_BEFORE_FILEPASS):
        if at + _RECORD.size > len(book):
            break
        record, size = _RECORD.unpack_from(book, at)
        if record == _FILEPASS:
            return True
        at += _RECORD.size + size
    return False
