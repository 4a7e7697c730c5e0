"""What passes between a child and the function: bounded frames, and nothing in them is believed unread.

A frame is a kind (one byte), a length (four bytes) and that many bytes. What a child sends is as
hostile as the document it read, so frames are numbers, UTF-8 and flat JSON, each with its own bound.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields

from pigeonhole.domain.document import PageImage
from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.limits import Limits
from pigeonhole.extract.parts import Facts, Part

PASSAGE, IMAGE, FACTS, KIND, ERROR, DONE = range(1, 7)
SMALL = 8_192
CODES = frozenset(
    {"encrypted", "corrupt", "empty", "unsupported_type", "too_large", "extraction_memory", "crashed"}
)

_HEAD = struct.Struct(">BI")
_PAGE = struct.Struct(">IHH")
_JPEG = b"\xff\xd8\xff"
_MOST = 1_000_000_000
_TYPES = {field.name: int if "int" in str(field.type) else str for field in fields(Facts)}

Receive = Callable[[int], bytes]


class Garbled(Exception):
    """A child sent what no child of ours sends."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What the document was found to be."""

    name: str


def frame(part: Part | Kind | DocumentError | None) -> bytes:
    """One part as bytes; None is the end of the document."""
    kind, payload = _payload(part)
    return _HEAD.pack(kind, len(payload)) + payload


def _payload(part: Part | Kind | DocumentError | None) -> tuple[int, bytes]:
    match part:
        case str():
            return PASSAGE, part.encode("utf-8", "replace")
        case PageImage():
            return IMAGE, _PAGE.pack(part.page, part.width, part.height) + part.data
        case Facts():
            said = {name: value for name, value in asdict(part).items() if value}
            return FACTS, json.dumps(said).encode()
        case Kind():
            return KIND, part.name.encode()
        case DocumentError():
            return ERROR, json.dumps([part.code, part.detail[:300]]).encode()
        case None:
            return DONE, b""


def parts(receive: Receive, limits: Limits) -> Iterator[Part | Kind]:
    """The parts that a child sends up to its end; DocumentError where it sends one, or Garbled.

    `receive(n)` gives exactly n bytes, or raises EOFError.
    """
    bounds = {PASSAGE: limits.chars * 4, IMAGE: limits.image_bytes + _PAGE.size, DONE: 0}
    while True:
        kind, length = _HEAD.unpack(receive(_HEAD.size))
        if kind > DONE or length > bounds.get(kind, SMALL):
            raise Garbled(f"frame {kind} of {length} bytes")
        payload = receive(length)
        if kind == DONE:
            return
        try:
            yield _part(kind, payload, limits)
        except (ValueError, TypeError, RecursionError, struct.error) as error:
            raise Garbled(f"frame {kind}: {error}") from error


def _part(kind: int, payload: bytes, limits: Limits) -> Part | Kind:
    if kind == PASSAGE:
        return payload.decode("utf-8")
    if kind == IMAGE:
        return _image(payload, limits)
    if kind == FACTS:
        return _facts(json.loads(payload))
    if kind == KIND:
        return Kind(payload.decode("utf-8")[:80])
    code, detail = json.loads(payload)
    if code not in CODES:
        raise ValueError("no such code")
    raise DocumentError(code, str(detail))


def _image(payload: bytes, limits: Limits) -> PageImage:
    page, width, height = _PAGE.unpack_from(payload)
    data = payload[_PAGE.size :]
    if not data.startswith(_JPEG) or not 0 < max(width, height) <= limits.image_px:
        raise ValueError("not a page image")
    return PageImage(page=page, media_type="image/jpeg", data=data, width=width, height=height)


def _facts(said: object) -> Facts:
    if not isinstance(said, dict):
        raise TypeError("facts are an object")
    for name, value in said.items():
        if type(value) is not _TYPES.get(name) or (isinstance(value, int) and not 0 <= value <= _MOST):
            raise ValueError("no such fact")
    return Facts(**said)
