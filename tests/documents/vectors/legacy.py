"""Writes the smallest DOC, XLS, PPT and MSG files that are what they claim to be."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

from tests.documents.vectors.compound import Tree, compound

WORD, EXCEL, SLIDES = 0xA5EC, 0x0600, 0x03E8


def summary(code_page: int, title: bytes, author: bytes, created: datetime, pages: int) -> bytes:
    """The stream in which Office states what a file is called, whose it is, and how long."""
    ticks = (created - datetime(1601, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 10
    values = {
        1: struct.pack("<IhH", 2, code_page, 0),
        **{
            key: struct.pack("<II", 30, len(text) + 1) + text + b"\0"
            for key, text in ((2, title), (4, author))
        },
        12: struct.pack("<IQ", 64, ticks),
        13: struct.pack("<IQ", 64, 0),
        14: struct.pack("<Ii", 3, pages),
    }
    at, table, body = 8 + 8 * len(values), b"", b""
    for key, value in values.items():
        table += struct.pack("<II", key, at + len(body))
        body += value.ljust(-(-len(value) // 4) * 4, b"\0")
    section = struct.pack("<II", at + len(body), len(values)) + table + body
    return struct.pack("<HHI16sI16sI", 0xFFFE, 0, 2, b"", 1, b"\xe0\x85\x9f\xf2", 48) + section


def doc(paragraphs: list[str], *, stated: bytes = b"", locked: bool = False) -> bytes:
    """A Word 97 document of one piece of Unicode text."""
    text = "".join(f"{line}\r" for line in paragraphs)
    body = text.encode("utf-16-le")
    at = 1_024
    fib = bytearray(at)
    flags = 0x0200 | (0x0100 if locked else 0)
    struct.pack_into("<HHHHHH", fib, 0, WORD, 0x00C1, 0, 0x0409, 0, flags)
    struct.pack_into("<II", fib, 24, at, at + len(body))
    struct.pack_into("<H", fib, 32, 14)
    struct.pack_into("<H", fib, 62, 22)
    struct.pack_into("<I", fib, 76, len(text))
    struct.pack_into("<H", fib, 152, 0x5D)
    pieces = struct.pack("<II", 0, len(text)) + struct.pack("<HIH", 0, at, 0)
    clx = b"\x02" + struct.pack("<I", len(pieces)) + pieces
    struct.pack_into("<II", fib, 0x01A2, 0, len(clx))
    main = bytes(fib) + body
    return compound(
        {
            "\x05SummaryInformation": stated.ljust(4_096, b"\0"),
            "WordDocument": main.ljust(4_096, b"\0"),
            "1Table": clx.ljust(4_096, b"\0"),
        }
    )


def old_doc(text: bytes, *, macintosh: bool = False, locked: bool = False) -> bytes:
    """A Word 2 document, which is one file without compartments and keeps its text in bytes."""
    head = bytearray(0x180)
    struct.pack_into("<HHHHHH", head, 0, 0xA5DB, 0x2D, 0, 0, 0, 0x0100 if locked else 0)
    head[18] = macintosh
    struct.pack_into("<III", head, 0x18, len(head), len(head) + len(text), len(head) + len(text))
    struct.pack_into("<I", head, 0x34, len(text))
    return bytes(head) + text + bytes(200)


def xls(name: str, rows: list[list[str | float]], *, stated: bytes = b"", locked: bool = False) -> bytes:
    """An Excel 97 workbook of one sheet."""
    cells = b"".join(
        _cell(row, column, value) for row, line in enumerate(rows) for column, value in enumerate(line)
    )
    sheet = _bof(0x0010) + cells + _biff(0x000A, b"")
    password = _biff(0x002F, struct.pack("<HHH", 0, 0x1234, 0x5678)) if locked else b""
    title = name.encode("latin-1")
    start = len(_bof(5)) + len(password) + 4 + 8 + len(title) + 4
    bound = struct.pack("<IBBBB", start, 0, 0, len(title), 0) + title
    book = _bof(0x0005) + password + _biff(0x0085, bound) + _biff(0x000A, b"") + sheet
    streams = {"\x05SummaryInformation": stated, "Workbook": book}
    return compound({stream: data.ljust(4_096, b"\0") for stream, data in streams.items()})


def _biff(kind: int, payload: bytes) -> bytes:
    return struct.pack("<HH", kind, len(payload)) + payload


def _bof(what: int) -> bytes:
    return _biff(0x0809, struct.pack("<HHHHII", EXCEL, what, 0x0DBB, 0x07CC, 0, 6))


def _cell(row: int, column: int, value: str | float) -> bytes:
    if isinstance(value, str):
        return _biff(0x0204, struct.pack("<HHHHB", row, column, 0, len(value), 1) + value.encode("utf-16-le"))
    return _biff(0x0203, struct.pack("<HHHd", row, column, 0, value))


def ppt(slides: list[list[str]], *, drawn: str = "", locked: bool = False) -> bytes:
    """A PowerPoint 97 presentation: the outline has the lines of its slides, each slide one drawn text."""
    drawing = _drawing(drawn) if drawn else b""
    texts = b""
    for number, lines in enumerate(slides, 1):
        texts += _record(0, 0, 0x03F3, struct.pack("<IIIII", number + 1, 0, 1, 255 + number, 0))
        texts += _record(0, 0, 0x0F9F, struct.pack("<I", 4))
        texts += _record(0, 0, 0x0FA0, "\r".join(lines).encode("utf-16-le"))
    listed = _record(15, 0, 0x0FF0, texts)
    first = _record(15, 0, SLIDES, _record(1, 0, 0x03E9, bytes(40)) + listed + _record(0, 0, 0x03EA, b""))
    stream, places = first, [0]
    for _ in slides:
        places.append(len(stream))
        stream += _record(15, 0, 0x03EE, _record(2, 0, 0x03EF, bytes(24)) + drawing)
    persist = struct.pack("<I", (len(places) << 20) | 1) + struct.pack(f"<{len(places)}I", *places)
    directory = len(stream)
    stream += _record(0, 0, 0x1772, persist)
    edit = len(stream)
    edits = struct.pack("<IHBBIIIIHH", 256, 0, 0, 3, 0, directory, 1, len(places) + 1, 1, 0)
    stream += _record(0, 0, 0x0FF5, edits)
    token = 0xF3D1C4DF if locked else 0xE391C05F
    user = struct.pack("<IIIHHBBH", 20, token, edit, 4, 0x03F4, 3, 0, 0) + b"demo"
    return compound(
        {
            "PowerPoint Document": stream.ljust(4_096, b"\0"),
            "Current User": _record(0, 0, 0x0FF6, user + struct.pack("<I", 8)),
        }
    )


def _drawing(text: str) -> bytes:
    inside = _record(0, 0, 0x0F9F, bytes(4)) + _record(0, 0, 0x0FA0, text.encode("utf-16-le"))
    for kind in (0xF00D, 0xF004, 0xF003, 0xF002, 0x040C):
        inside = _record(15, 0, kind, inside)
    return inside


def _record(version: int, instance: int, kind: int, payload: bytes) -> bytes:
    return struct.pack("<HHI", instance << 4 | version, kind, len(payload)) + payload


def msg(
    subject: str,
    sender: str,
    to: str,
    body: bytes,
    attached: dict[str, bytes],
    received: list[bytes] | None = None,
    code_page: int = 0,
) -> bytes:
    """An Outlook message whose body is RTF, as Outlook itself keeps it; `received` are names in bytes."""
    rtf = struct.pack("<IIII", len(body) + 12, len(body), 0x414C454D, 0) + body
    tree: dict[str, bytes | Tree] = {
        "__properties_version1.0": bytes(32) + struct.pack("<HHIQ", 0x40, 0x0039, 6, 133_800_000_000_000_000),
        "__substg1.0_0037001F": subject.encode("utf-16-le"),
        "__substg1.0_0C1A001F": sender.encode("utf-16-le"),
        "__substg1.0_0E04001F": to.encode("utf-16-le"),
        "__substg1.0_10090102": rtf,
    }
    if code_page:
        tree["__properties_version1.0"] += struct.pack("<HHIQ", 0x03, 0x3FFD, 6, code_page)  # type: ignore[operator]
    for number, who in enumerate(received or ()):
        tree[f"__recip_version1.0_#{number:08X}"] = {
            "__properties_version1.0": bytes(8) + struct.pack("<HHIQ", 0x03, 0x0C15, 6, 1),
            "__substg1.0_3001001E": who,
        }
    for number, (name, data) in enumerate(attached.items()):
        tree[f"__attach_version1.0_#{number:08X}"] = {
            "__properties_version1.0": bytes(8),
            "__substg1.0_3707001F": name.encode("utf-16-le"),
            "__substg1.0_37010102": data,
        }
    return compound(tree)


def encrypted_package() -> bytes:
    """What Office makes of any new document with a password."""
    return compound({"EncryptedPackage": bytes(4_096), "EncryptionInfo": b"\x04\0\x04\0" + bytes(60)})
