"""Word, Excel and PowerPoint files of before 2007, which are OLE compound files: what the libraries that read
their text do not tell. Whether they are encrypted, their metadata, and the encoding of Word before 97.
"""

from __future__ import annotations

import struct
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pigeonhole.extract.decode import WESTERN, code_page, decode
from pigeonhole.extract.interface import Metadata

if TYPE_CHECKING:
    from olefile import OleFileIO  # type: ignore[import-untyped,unused-ignore]

_RECORD = struct.Struct("<HH")
_STREAM = 2
_FILEPASS = 0x2F
_BEFORE_FILEPASS = 20  # records that may precede it
_WORD_HEAD = 20
_WORD_ENCRYPTED = 0x0100
# The magic bytes of Word 1 and 2, which are no compound files, and of the stream of Word 6 and 95.
_WORD_1_AND_2 = (b"\x9b\xa5", b"\xdb\xa5")
_WORD_BEFORE_97 = (*_WORD_1_AND_2, b"\xdc\xa5")
_MACINTOSH = 18
_BYTE_OF = {
    ord(character): byte
    for byte in range(0x80, 0xA0)
    if (character := bytes((byte,)).decode(WESTERN, "ignore"))
}
_SLIDES_ENCRYPTED = 0xF3D1C4DF
_SUMMARY, _CODE_PAGE, _PAGES = "\x05SummaryInformation", 1, 14
_UNSET_YEAR = 1601  # where the clock of these files starts: the year of a date that was never set
_PROPERTIES = {2: "title", 4: "author", 12: "created", 13: "modified"}


def is_encrypted(compound: OleFileIO[Any]) -> bool:
    """Whether Word, PowerPoint or Excel has marked the file as encrypted."""
    word = _stream_start(compound, "WordDocument", _WORD_HEAD)
    user = _stream_start(compound, "Current User", 16)
    book = _stream_start(compound, "Workbook", 8_192) or _stream_start(compound, "Book", 8_192)
    return (
        bool(int.from_bytes(word[10:12], "little") & _WORD_ENCRYPTED)
        or (len(user) == 16 and int.from_bytes(user[12:], "little") == _SLIDES_ENCRYPTED)
        or _is_encrypted_workbook(book)
    )


def metadata(data: bytes) -> Metadata:
    """Title, author, dates and the count of pages, as far as the summary stream states them."""
    stated = _summary(data)
    encoding = code_page(int(stated.get(_CODE_PAGE) or 0) & 0xFFFF)
    values = {
        name: _value(stated[number], encoding) for number, name in _PROPERTIES.items() if number in stated
    }
    pages = stated.get(_PAGES)
    return Metadata(pages_total=pages if isinstance(pages, int) and pages > 0 else None, **values)  # type: ignore[arg-type]


def _summary(data: bytes) -> dict[int, Any]:
    import olefile  # type: ignore[import-untyped,unused-ignore]

    try:
        compound: Any = olefile.OleFileIO(data)
        with compound:
            return dict(compound.getproperties(_SUMMARY, convert_time=True))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  olefile raises whatever hostile bytes make it raise: then nothing is stated
        return {}


def _value(value: object, encoding: str | None) -> str | None:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}" if value.year > _UNSET_YEAR else None
    text = decode(value, encoding) if isinstance(value, bytes) else value if isinstance(value, str) else ""
    return text.strip("\0 ") or None


def redecoded(data: bytes, text: str) -> str:
    """The text of a Word file of before 1997 in its own encoding.

    The library decodes its bytes as Western ones (Windows-1252): they are restored and decoded anew. Text of
    a later version is returned as it is.
    """
    head = _word_header(data)
    if not head.startswith(_WORD_BEFORE_97):
        return text
    try:
        original = text.translate(_BYTE_OF).encode("latin-1")
    except UnicodeEncodeError:
        return text
    return original.decode("mac_roman") if head[_MACINTOSH : _MACINTOSH + 1] == b"\1" else decode(original)


def _word_header(data: bytes) -> bytes:
    from olefile import OleFileIO

    if data.startswith(_WORD_1_AND_2):
        return data[:_WORD_HEAD]
    with OleFileIO(data) as compound:
        return _stream_start(compound, "WordDocument", _WORD_HEAD)


def _stream_start(compound: Any, stream: str, size: int) -> bytes:
    """The first `size` bytes of a stream: olefile itself would read all of it, sector by sector."""
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


def _is_encrypted_workbook(book: bytes) -> bool:
    """Whether a FILEPASS record is among the first of the stream."""
    at = 0
    for _ in range(_BEFORE_FILEPASS):
        if at + _RECORD.size > len(book):
            break
        record, size = _RECORD.unpack_from(book, at)
        if record == _FILEPASS:
            return True
        at += _RECORD.size + size
    return False
