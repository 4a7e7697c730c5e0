"""What a worker sends is hostile until it is validated: segments arrive whole, anything else is refused."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pigeonhole.domain.document import PageImage
from pigeonhole.domain.error_codes import EXPLANATIONS
from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.interface import Attached, Metadata, NotRead
from pigeonhole.extract.limits import Limits
from pigeonhole.sandbox import protocol

LIMITS = Limits(chars=1_000, image_bytes=1_000)
IMAGE = PageImage(page=3, media_type="image/jpeg", data=b"\xff\xd8\xff...", width=800, height=600)


def receiver(data: bytes) -> Callable[[int], bytes]:
    stream = io.BytesIO(data)

    def receive(size: int) -> bytes:
        payload = stream.read(size)
        if len(payload) < size:
            raise EOFError
        return payload

    return receive


def received(data: bytes) -> list[object]:
    return list(protocol.receive_segments(receiver(data), LIMITS))


def test_segments_arrive_as_they_were_sent():
    sent: list[protocol.Frame] = [
        protocol.DetectedFormat("pdf"),
        Metadata(pages_total=3, title="Ünder"),
        "words …",
        IMAGE,
        Attached("letter.txt"),
        NotRead(name="7 pages", reason="pages", parts=7),
        NotRead(name="song.mp3", reason="unsupported_type", may_hold_text=False),
        Metadata(parts_read=1, hidden_sentences=2),
    ]
    assert received(b"".join(map(protocol.encode_frame, sent)) + protocol.encode_frame(None)) == sent


@pytest.mark.parametrize("code", sorted(EXPLANATIONS))
def test_every_error_arrives_as_it_was_raised(code):
    with pytest.raises(DocumentError) as exc_info:
        received(protocol.encode_frame("words") + protocol.encode_frame(DocumentError(code, "no key")))
    assert (exc_info.value.code, exc_info.value.detail) == (code, "no key")


def test_an_error_code_that_nobody_knows_is_refused_by_its_name():
    error = DocumentError("corrupt")
    error.code = "new_code"  # type: ignore[assignment]
    with pytest.raises(protocol.ProtocolError, match="unknown error code 'new_code'"):
        received(protocol.encode_frame(error))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(struct.pack(">BI", 1, 1 << 31), id="a passage longer than any text"),
        pytest.param(struct.pack(">BI", 9, 0), id="an unknown frame"),
        pytest.param(struct.pack(">BI", 0, 0), id="a frame of kind zero"),
        pytest.param(struct.pack(">BI", 1, 2) + b"\xff\xfe", id="a passage that is not UTF-8"),
        pytest.param(struct.pack(">BI", 2, 3) + b"abc", id="an image without a head"),
        pytest.param(struct.pack(">BIIHH", 2, 12, 1, 60_000, 5) + b"\xff\xd8\xff.", id="an image too wide"),
        pytest.param(struct.pack(">BIIHH", 2, 12, 1, 6, 5) + b"<svg", id="an image that is none"),
        pytest.param(struct.pack(">BI", 3, 2) + b"[]", id="metadata that are a list"),
        pytest.param(struct.pack(">BI", 3, 20) + b'{"pages_total":"ten"', id="metadata that break off"),
        pytest.param(
            struct.pack(">BI", 3, 19) + b'{"pages_total":1e9}', id="a count that is no whole number"
        ),
        pytest.param(struct.pack(">BI", 3, 18) + b'{"pages_total":-1}', id="a count below nothing"),
        pytest.param(struct.pack(">BI", 3, 20) + b'{"pages_total":true}', id="a count that is a truth"),
        pytest.param(struct.pack(">BI", 3, 13) + b'{"__init__":1', id="a name that metadata have not"),
        pytest.param(struct.pack(">BI", 3, 8_000) + b"[" * 8_000, id="metadata nested deeply"),
        pytest.param(struct.pack(">BI", 7, 18) + b'["no_such_code",1]', id="an unknown code"),
    ],
)
def test_a_frame_that_no_worker_of_ours_sends_is_a_protocol_error(data):
    with pytest.raises(protocol.ProtocolError):
        received(data)


@given(st.binary(max_size=300))
def test_any_bytes_end_in_segments_or_in_a_named_error(data):
    try:
        received(data)
    except (protocol.ProtocolError, DocumentError, EOFError):
        return
