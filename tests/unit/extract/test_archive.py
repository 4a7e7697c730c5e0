"""Archives: members are read, or named with the reason why not."""

from __future__ import annotations

import pytest

from pigeonhole.domain.errors import DocumentError
from tests.documents.vectors import packages
from tests.documents.vectors.make import encoded, picture
from tests.unit.extract import hostile


@pytest.mark.parametrize(
    ("member", "said", "cut"),
    [
        pytest.param({"b.pdf": b"%PDF-1.4 nothing"}, "b.pdf: corrupt", ("corrupt",), id="broken"),
        pytest.param(
            {"b.mp4": b"\0\0\0\x18ftypisom"}, "b.mp4: unsupported_type", (), id="of a kind never read"
        ),
        pytest.param({"b.txt": b""}, "b.txt: empty", (), id="empty"),
    ],
)
def test_a_member_that_cannot_be_read_is_named_and_cuts_the_document_if_words_may_be_lost(
    read, member, said, cut
):
    text = read(packages.archive({"a.txt": "first", **member}))
    assert said in text.text
    assert text.coverage.parts_failed == 1
    assert (text.coverage.truncated, text.coverage.cut) == (bool(cut), cut)
    assert text.coverage.chars_total == (None if cut else text.coverage.chars_read)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"a.pdf": b"%PDF-1.4 nothing", "b.txt": b""}, "corrupt"),
        ({"a.mp4": b"\0\0\0\x18ftypisom", "b.txt": b""}, "unsupported_type"),
        ({"a.zip": packages.archive({"b.mp4": b"\0\0\0\x18ftypisom"})}, "unsupported_type"),
        ({"a.txt": b""}, "empty"),
        ({"a.xlsx": hostile.far_cell_xlsx()}, "extraction_memory"),
    ],
)
def test_an_archive_in_which_nothing_can_be_read_says_why(read, members, code):
    with pytest.raises(DocumentError) as exc_info:
        read(packages.archive(members))
    assert exc_info.value.code == code


def test_a_photo_in_an_archive_is_looked_at_and_a_logo_is_not(read):
    logo = encoded(picture("x", (60, 20)), "PNG")
    photo = encoded(picture("A photographed letter", (1_600, 2_200)), "PNG", compress_level=0)
    text = read(packages.archive({"logo.png": logo, "photo.png": photo}))
    assert len(text.images) == 1
