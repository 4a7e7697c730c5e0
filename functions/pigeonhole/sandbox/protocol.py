"""The frames that a worker sends to the function: each is bounded, and validated before it is believed.

A frame is a type (one byte), a length (four bytes) and that many bytes. What a worker sends is as
hostile as the document it read, so payloads are numbers, UTF-8 and flat JSON, each with its own bound.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields

from pigeonhole.domain.document import PageImage
from pigeonhole.domain.error_codes import EXPLANATIONS
from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.interface import Attached, Metadata, NotRead, SeenSegment
from pigeonhole.extract.limits import Limits

PASSAGE, IMAGE, METADATA, ATTACHED, NOT_READ, FORMAT, ERROR, DONE = range(1, 9)
SMALL_FRAME_BYTES = 8_192
DETAIL_CHARS = 300
FORMAT_NAME_CHARS = 80

_HEADER = struct.Struct(">BI")
_IMAGE_HEADER = struct.Struct(">IHH")
_JPEG = b"\xff\xd8\xff"
_MAX_COUNT = 1_000_000_000

Receiver = Callable[[int], bytes]


class ProtocolError(Exception):
    """A worker sent what no worker of ours sends: its document has taken it over."""


@dataclass(frozen=True, slots=True)
class DetectedFormat:
    """The format that the document was found to have: a name of the registry, or of what is not read."""

    name: str


# A frame's content; None is the document's end.
Frame = SeenSegment | DetectedFormat | DocumentError | None


def encode_frame(frame: Frame) -> bytes:
    """The content as a frame."""
    frame_type, payload = _payload(frame)
    return _HEADER.pack(frame_type, len(payload)) + payload


def _payload(frame: Frame) -> tuple[int, bytes]:
    match frame:
        case str():
            return PASSAGE, frame.encode("utf-8", "replace")
        case PageImage():
            return IMAGE, _IMAGE_HEADER.pack(frame.page, frame.width, frame.height) + frame.data
        case Metadata():
            values = {name: value for name, value in asdict(frame).items() if value}
            return METADATA, json.dumps(values).encode()
        case Attached():
            return ATTACHED, json.dumps(asdict(frame)).encode()
        case NotRead():
            return NOT_READ, json.dumps(asdict(frame)).encode()
        case DetectedFormat():
            return FORMAT, frame.name.encode()
        case DocumentError():
            return ERROR, json.dumps([frame.code, frame.detail[:DETAIL_CHARS]]).encode()
        case None:
            return DONE, b""


def receive_segments(receive: Receiver, limits: Limits) -> Iterator[SeenSegment | DetectedFormat]:
    """The segments that a worker sends, up to the document's end.

    `receive(n)` returns exactly n bytes, or raises EOFError. Raises the DocumentError that the worker
    sends, and ProtocolError for anything that is no valid frame.
    """
    bounds = {PASSAGE: limits.chars * 4, IMAGE: limits.image_bytes + _IMAGE_HEADER.size, DONE: 0}
    while True:
        frame_type, length = _HEADER.unpack(receive(_HEADER.size))
        if frame_type > DONE or length > bounds.get(frame_type, SMALL_FRAME_BYTES):
            raise ProtocolError(f"frame {frame_type} of {length} bytes")
        payload = receive(length)
        if frame_type == DONE:
            return
        try:
            yield _decoded(frame_type, payload, limits)
        except (ValueError, TypeError, RecursionError, struct.error) as error:
            raise ProtocolError(f"frame {frame_type}: {error}") from error


def _decoded(frame_type: int, payload: bytes, limits: Limits) -> SeenSegment | DetectedFormat:
    if frame_type == PASSAGE:
        return payload.decode("utf-8")
    if frame_type == IMAGE:
        return _image(payload, limits)
    if frame_type in _FLAT:
        return _value(_FLAT[frame_type], json.loads(payload))
    if frame_type == FORMAT:
        return DetectedFormat(payload.decode("utf-8")[:FORMAT_NAME_CHARS])
    code, detail = json.loads(payload)
    if code not in EXPLANATIONS:
        raise ValueError(f"unknown error code {code!r:.40}")
    raise DocumentError(code, str(detail))


def _image(payload: bytes, limits: Limits) -> PageImage:
    page, width, height = _IMAGE_HEADER.unpack_from(payload)
    data = payload[_IMAGE_HEADER.size :]
    if not data.startswith(_JPEG) or not 0 < max(width, height) <= limits.image_px:
        raise ValueError("not a page image")
    return PageImage(page=page, media_type="image/jpeg", data=data, width=width, height=height)


_FLAT: dict[int, type[Metadata | Attached | NotRead]] = {
    METADATA: Metadata,
    ATTACHED: Attached,
    NOT_READ: NotRead,
}


def _types(kind: type) -> dict[str, type]:
    """The type of each of its values: a bool, a number or text."""
    known = {"bool": bool, "int": int, "int | None": int, "str": str, "str | None": str}
    return {field.name: known[str(field.type)] for field in fields(kind)}


_TYPES = {kind: _types(kind) for kind in _FLAT.values()}


def _value(kind: type[Metadata | Attached | NotRead], values: object) -> Metadata | Attached | NotRead:
    if not isinstance(values, dict):
        raise TypeError("the values are an object")
    for name, value in values.items():
        if type(value) is not _TYPES[kind].get(name) or (
            isinstance(value, int) and not 0 <= value <= _MAX_COUNT
        ):
            raise ValueError(f"no such value of {kind.__name__}")
    return kind(**values)
