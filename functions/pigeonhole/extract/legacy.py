"""Word, Excel and PowerPoint files of before 2007: passwords, what they say of themselves, Word's bytes."""

from __future__ import annotations

import struct
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pigeonhole.extract.decode import WESTERN, code_page, decode
from pigeonhole.extract.parts import Facts

if TYPE_CHECKING:
    from olefile import OleFileIO  # type: ignore[import-untyped,unused-ignore]

_RECORD = struct.Struct("<HH")
_STREAM = 2
_FILEPASS = 0x2F
_BEFORE_FILEPASS = 20
_WORD_HEAD = 20
_WORD_LOCKED = 0x0100
# Word 1 and 2, each a file without compartments; and what Word 6 and 95 have inside one.
_WORD_ALONE = (b"\x9b\xa5", b"\xdb\xa5")
_WORD_IN_BYTES = (*_WORD_ALONE, b"\xdc\xa5")
_MACINTOSH = 18
_BYTES = {
    ord(character): byte
    for byte in range(0x80, 0xA0)
    if (character := bytes((byte,)).decode(WESTERN, "ignore"))
}
_SLIDES_LOCKED = 0xF3D1C4DF
_SUMMARY, _CODE_PAGE, _PAGES = "\x05SummaryInformation", 1, 14
_NEVER = 1601  # where the clock of these files starts: a date that was not set
_FACTS = {2: "title", 4: "author", 12: "created", 13: "modified"}


def locked(compound: OleFileIO[Any]) -> bool:
    """Whether one of the three marks it as encrypted."""
    word = _start(compound, "WordDocument", _WORD_HEAD)
    user = _start(compound, "Current User", 16)
    book = _start(compound, "Workbook", 8_192) or _start(compound, "Book", 8_192)
    return (
        bool(int.from_bytes(word[10:12], "little") & _WORD_LOCKED)
        or (len(user) == 16 and int.from_bytes(user[12:], "little") == _SLIDES_LOCKED)
        or _locked_book(book)
    )


def facts(data: bytes) -> Facts:
    """Title, author, dates and the count of pages, as far as the file states them."""
    said = _summary(data)
    names = code_page(int(said.get(_CODE_PAGE) or 0) & 0xFFFF)
    shown = {ours: _shown(said[number], names) for number, ours in _FACTS.items() if number in said}
    pages = said.get(_PAGES)
    return Facts(pages_total=pages if isinstance(pages, int) and pages > 0 else None, **shown)  # type: ignore[arg-type]


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


def _shown(value: object, names: str | None) -> str | None:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}" if value.year > _NEVER else None
    words = decode(value, names) if isinstance(value, bytes) else value if isinstance(value, str) else ""
    return words.strip("\0 ") or None


def in_its_bytes(data: bytes, text: str) -> str:
    """The words of a Word file of before 1997, whose bytes its library takes for Western ones."""
    head = _word(data)
    if not head.startswith(_WORD_IN_BYTES):
        return text
    try:
        written = text.translate(_BYTES).encode("latin-1")
    except UnicodeEncodeError:
        return text
    return written.decode("mac_roman") if head[_MACINTOSH : _MACINTOSH + 1] == b"\1" else decode(written)


def _word(data: bytes) -> bytes:
    from olefile import OleFileIO

    if data.startswith(_WORD_ALONE):
        return data[:_WORD_HEAD]
    with OleFileIO(data) as compound:
        return _start(compound, "WordDocument", _WORD_HEAD)


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
