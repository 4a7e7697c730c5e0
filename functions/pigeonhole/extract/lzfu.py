"""LZFu, the compression of RTF bodies in Outlook messages (MS-OXRTFCP): LZ77 with a prefilled dictionary."""

from __future__ import annotations

import struct

WINDOW = 4_096
_HEAD = struct.Struct("<IIII")
_COMPRESSED, _PLAIN = 0x75465A4C, 0x414C454D
_INITIAL_DICTIONARY = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    b"\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)


def decompress(data: bytes, max_bytes: int) -> bytes:
    """The RTF, up to `max_bytes` of it; of broken data, what stands before the break."""
    if len(data) < _HEAD.size:
        return b""
    _, size, compression, _ = _HEAD.unpack_from(data)
    if compression == _PLAIN:
        return data[_HEAD.size : _HEAD.size + min(size, max_bytes)]
    return _expand(data, min(size, max_bytes)) if compression == _COMPRESSED else b""


def _expand(data: bytes, size: int) -> bytes:
    out = bytearray(_INITIAL_DICTIONARY)
    at, end = _HEAD.size, len(_INITIAL_DICTIONARY) + size
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
                return bytes(out[len(_INITIAL_DICTIONARY) : end])
    return bytes(out[len(_INITIAL_DICTIONARY) : end])


def _copy(out: bytearray, offset: int, length: int) -> bool:
    """Append `length` bytes from `offset` in the window; False at the end, which refers to its own place."""
    back = (len(out) - offset) % WINDOW
    if back == 0:
        return False
    for _ in range(length):
        out.append(out[-back] if back <= len(out) else 0x20)
    return True
