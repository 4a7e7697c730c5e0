"""The compression of RTF bodies in Outlook messages (MS-OXRTFCP): a dictionary that starts full of RTF."""

from __future__ import annotations

import struct

WINDOW = 4_096
_HEAD = struct.Struct("<IIII")
_COMPRESSED, _PLAIN = 0x75465A4C, 0x414C454D
_START = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    b"\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)


def unpacked(data: bytes, most: int) -> bytes:
    """The RTF, as far as it can be unpacked and up to `most` bytes."""
    if len(data) < _HEAD.size:
        return b""
    _, size, kind, _ = _HEAD.unpack_from(data)
    if kind == _PLAIN:
        return data[_HEAD.size : _HEAD.size + min(size, most)]
    return _expanded(data, min(size, most)) if kind == _COMPRESSED else b""


def _expanded(data: bytes, size: int) -> bytes:
    out = bytearray(_START)
    at, end = _HEAD.size, len(_START) + size
    while at < len(data) and len(out) < end:
        flags, at = data[at], at + 1
        for bit in range(8):
            if at >= len(data):
                break
            if not flags >> bit & 1:
                out.append(data[at])
                at += 1
                continue
            reference = int.from_bytes(data[at : at + 2], "big")
            at += 2
            if not _copy(out, reference >> 4, (reference & 15) + 2):
                return bytes(out[len(_START) : end])
    return bytes(out[len(_START) : end])


def _copy(out: bytearray, offset: int, length: int) -> bool:
    """Repeat what stands at a place of the window; False at the sign of the end: its own write position."""
    back = (len(out) - offset) % WINDOW
    if back == 0:
        return False
    for _ in range(length):
        out.append(out[-back] if back <= len(out) else 0x20)
    return True
