"""Every part of a document ends in one of four ways: read, looked at, not read, or dropped."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pigeonhole.domain.document import Coverage
from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.hidden import without_hidden
from pigeonhole.extract.interface import DocumentQuota, Source
from pigeonhole.extract.limits import Limits
from pigeonhole.extract.registry import FORMATS, read
from pigeonhole.extract.text_builder import TextBuilder
from pigeonhole.extract.tidy import tidy_segments
from tests.documents.vectors import packages
from tests.documents.vectors.make import encoded, picture

LIMITS = Limits(vision_pages=2, members=6)
WORDS, BROKEN, FILM, NOTHING = b"The rent is due.", b"%PDF-1.4 nothing", b"\0\0\0\x18ftypisom", b""
LOGO = encoded(picture("x", (60, 20)), "PNG")
PHOTOS = [encoded(picture(f"Delivery note {number}", (420, 594)), "PNG") for number in range(3)]
CONTENT = st.sampled_from([WORDS, BROKEN, FILM, NOTHING, LOGO, *PHOTOS])


def coverage_of(data: bytes, format_name: str) -> tuple[Coverage, str]:
    """What the reader's account comes to, in this process."""
    source = Source(format_name=format_name, name="x", data=data, limits=LIMITS, quota=DocumentQuota(LIMITS))
    builder = TextBuilder(LIMITS)
    for segment in without_hidden(tidy_segments(read(source), LIMITS)):
        builder.add(segment)
    text = builder.text(FORMATS[format_name].media_type)
    return text.coverage, text.text


def accounted(coverage: Coverage) -> int:
    return (
        coverage.parts_read + len(coverage.pages_as_images) + coverage.parts_failed + coverage.parts_dropped
    )


def mail(contents: Sequence[bytes]) -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"] = "Documents", "a@example.org"
    message.set_content("Please find attached.")
    for number, data in enumerate(contents):
        message.add_attachment(data, maintype="application", subtype="x", filename=f"{number}.bin")
    return message.as_bytes()


@settings(max_examples=60, deadline=None)
@given(st.lists(CONTENT, min_size=1, max_size=9))
def test_every_member_of_an_archive_is_accounted_for(contents):
    archive = packages.archive({f"{number}.bin": data for number, data in enumerate(contents)})
    if not {WORDS, *PHOTOS} & set(contents[: LIMITS.members]):
        with pytest.raises(DocumentError):
            coverage_of(archive, "zip")
        return
    coverage, text = coverage_of(archive, "zip")
    assert accounted(coverage) == len(contents)
    assert text.count("[not read: ") <= coverage.parts_failed
    assert coverage.truncated == bool(coverage.cut)


@settings(max_examples=60, deadline=None)
@given(st.lists(CONTENT, max_size=9))
def test_every_attachment_of_a_message_is_accounted_for(contents):
    coverage, text = coverage_of(mail(contents), "eml")
    assert accounted(coverage) == len(contents)
    assert text.count("[not read: ") == coverage.parts_failed


@pytest.mark.parametrize(("left_out", "truncated"), [(FILM, False), (NOTHING, False), (BROKEN, True)])
def test_a_document_is_truncated_only_where_what_was_left_out_may_hold_text(left_out, truncated):
    coverage, _ = coverage_of(mail([left_out]), "eml")
    assert (coverage.parts_failed, coverage.truncated) == (1, truncated)
