"""Reads the type and size of an image from its header bytes, without decoding it."""

from collections.abc import Callable
from dataclasses import dataclass

_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE = frozenset(range(0xD0, 0xDA)) | {0x01}


@dataclass(frozen=True, kw_only=True)
class ImageHeader:
    """The media type of an image and its size in pixels."""

    media_type: str
    width: int
    height: int


def read_image_header(data: bytes) -> ImageHeader | None:
    """The header of a PNG, JPEG, GIF or WebP image; None if the bytes have no valid one."""
    for media_type, signature, read_size in _FORMATS:
        if data.startswith(signature):
            width, height = read_size(data) or (0, 0)
            return (
                ImageHeader(media_type=media_type, width=width, height=height) if width and height else None
            )
    return None


def _png(data: bytes) -> tuple[int, int] | None:
    if data[12:16] != b"IHDR" or len(data) < 24:
        return None
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


def _gif(data: bytes) -> tuple[int, int] | None:
    return (
        (int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")) if len(data) > 9 else None
    )


def _jpeg(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker in _START_OF_FRAME:
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        at += _segment_length(data, at, marker)
    return None


def _segment_length(data: bytes, at: int, marker: int) -> int:
    if marker == 0xFF:
        return 1
    return 2 if marker in _STANDALONE else 2 + max(int.from_bytes(data[at + 2 : at + 4]), 2)


def _webp(data: bytes) -> tuple[int, int] | None:
    if data[8:12] != b"WEBP" or len(data) < 30:
        return None
    if data[12:16] == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if data[12:16] == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF


_FORMATS: tuple[tuple[str, bytes, Callable[[bytes], tuple[int, int] | None]], ...] = (
    ("image/png", b"\x89PNG\r\n\x1a\n", _png),
    ("image/jpeg", b"\xff\xd8\xff", _jpeg),
    ("image/gif", b"GIF8", _gif),
    ("image/webp", b"RIFF", _webp),
)
