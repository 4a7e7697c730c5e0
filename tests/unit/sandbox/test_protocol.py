"""What a child sends is hostile until read: parts come through whole, anything else is garbled."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pigeonhole.domain.document import PageImage
from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.limits import Limits
from pigeonhole.extract.parts import Facts, Part
from pigeonhole.sandbox import protocol

LIMITS = Limits(chars=1_000, image_bytes=1_000)
IMAGE = PageImage(page=3, media_type="image/jpeg", data=b"\xff\xd8\xff...", width=800, height=600)


def receiver(data: bytes) -> Callable[[int], bytes]:
    stream = io.BytesIO(data)

    def receive(size: int) -> bytes:
        taken = stream.read(size)
        if len(taken) < size:
            raise EOFError
        return taken

    return receive


def received(data: bytes) -> list[object]:
    return list(protocol.parts(receiver(data), LIMITS))


def test_parts_come_through_as_they_were_sent():
    sent: list[Part | protocol.Kind] = [
        protocol.Kind("pdf"),
        Facts(pages_total=3, title="Ünder"),
        "words …",
        IMAGE,
        Facts(cut="pages", failed=1),
    ]
    assert received(b"".join(map(protocol.frame, sent)) + protocol.frame(None)) == sent


def test_an_error_comes_through_as_itself():
    with pytest.raises(DocumentError) as failed:
        received(protocol.frame("words") + protocol.frame(DocumentError("encrypted", "no key")))
    assert (failed.value.code, failed.value.detail) == ("encrypted", "no key")


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param(struct.pack(">BI", 1, 1 << 31), id="a passage longer than any text"),
        pytest.param(struct.pack(">BI", 9, 0), id="an unknown frame"),
        pytest.param(struct.pack(">BI", 0, 0), id="a frame of kind zero"),
        pytest.param(struct.pack(">BI", 1, 2) + b"\xff\xfe", id="a passage that is not UTF-8"),
        pytest.param(struct.pack(">BI", 2, 3) + b"abc", id="an image without a head"),
        pytest.param(struct.pack(">BIIHH", 2, 12, 1, 60_000, 5) + b"\xff\xd8\xff.", id="an image too wide"),
        pytest.param(struct.pack(">BIIHH", 2, 12, 1, 6, 5) + b"<svg", id="an image that is none"),
        pytest.param(struct.pack(">BI", 3, 2) + b"[]", id="facts that are a list"),
        pytest.param(struct.pack(">BI", 3, 20) + b'{"pages_total":"ten"', id="facts that break off"),
        pytest.param(
            struct.pack(">BI", 3, 19) + b'{"pages_total":1e9}', id="a count that is no whole number"
        ),
        pytest.param(struct.pack(">BI", 3, 18) + b'{"pages_total":-1}', id="a count below nothing"),
        pytest.param(struct.pack(">BI", 3, 20) + b'{"pages_total":true}', id="a count that is a truth"),
        pytest.param(struct.pack(">BI", 3, 13) + b'{"__init__":1', id="a fact we do not know"),
        pytest.param(struct.pack(">BI", 3, 8_000) + b"[" * 8_000, id="facts nested deeply"),
        pytest.param(struct.pack(">BI", 5, 18) + b'["no_such_code",1]', id="an unknown code"),
    ],
)
def test_what_no_child_of_ours_sends_is_garbled(hostile):
    with pytest.raises(protocol.Garbled):
        received(hostile)


@given(st.binary(max_size=300))
def test_any_bytes_end_in_parts_or_in_a_named_error(data):
    try:
        received(data)
    except (protocol.Garbled, DocumentError, EOFError):
        return
