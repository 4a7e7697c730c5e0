"""What a limit cuts is named in the coverage, and nothing half-read passes for whole."""

# ruff: noqa: E501  documents and scripts read worse when broken

from __future__ import annotations

import io

import pytest
from PIL import Image

from pigeonhole.extract.limits import Limits
from tests.documents.vectors import packages
from tests.documents.vectors.make import scan
from tests.documents.vectors.pdfs import pdf
from tests.unit.extract import hostile

ROWS: list[list[str | float]] = [[f"row {n}"] for n in range(1, 11)]


def tiff(frames: int) -> bytes:
    out = io.BytesIO()
    pages = [Image.new("L", (60, 60), shade) for shade in range(frames)]
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:])
    return out.getvalue()


@pytest.mark.parametrize(
    ("document", "limits", "cut", "kept", "lost"),
    [
        pytest.param(pdf([["one"], ["two"], ["three"]]), Limits(pages=2), "pages", "two", "three", id="pages"),
        pytest.param(packages.xlsx({"S": ROWS}, "t"), Limits(rows=5), "rows", "row 5", "row 6", id="rows"),
        pytest.param(
            packages.xlsx({"One": ROWS, "Two": ROWS}, "t"), Limits(sheets=1), "sheets", "One", "Two", id="sheets"
        ),
        pytest.param(b"x" * 50 + b"y" * 50, Limits(chars=50), "chars", "x", "y", id="characters"),
        pytest.param(
            packages.archive({"a.txt": "first", "b.txt": "second"}), Limits(members=1), "members", "first", "second",
            id="members",
        ),
        pytest.param(hostile.nested_zip(9), Limits(depth=3), "too_deep", "level 7", "innermost", id="depth"),
        pytest.param(
            hostile.bomb("big.txt", 40, {"a.txt": "first"}), Limits(unpacked_bytes=1 << 20), "too_large", "first",
            "     ", id="unpacked bytes",
        ),
        pytest.param(
            pdf([scan("one"), ["words in between"], scan("two")]), Limits(vision_pages=1), "vision_pages", "words", "?",
            id="pages to look at",
        ),
    ],
)  # fmt: skip
def test_what_a_limit_cuts_is_named_in_the_coverage(read_within, document, limits, cut, kept, lost):
    text = read_within(document, limits)
    assert text.coverage.truncated
    assert cut in text.coverage.cut
    assert text.coverage.chars_total is None
    assert kept in text.text
    assert lost not in text.text


def test_pages_beyond_the_limit_are_counted(read_within):
    coverage = read_within(pdf([["a page of some words"]] * 9), Limits(pages=4)).coverage
    assert (coverage.pages_read, coverage.pages_total) == (4, 9)


def test_frames_of_a_fax_beyond_the_limit_are_counted(read_within):
    text = read_within(tiff(5), Limits(vision_pages=2))
    assert text.coverage.pages_as_images == (1, 2)
    assert (text.coverage.pages_read, text.coverage.pages_total) == (2, 5)
    assert text.coverage.cut == ("vision_pages",)


def test_page_images_are_no_larger_than_the_model_uses(read_within):
    (image,) = read_within(pdf([scan("one")]), Limits(image_px=300)).images
    assert max(image.width, image.height) <= 300
    assert Image.open(io.BytesIO(image.data)).size == (image.width, image.height)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(b"<h1>Order</h1>" + b"<b></b>" * 600_000, id="a page of tags"),
        pytest.param(b"From: a@b\nSubject: Order\nTo: c@d\n\n" + b"\n" * 1_200_000, id="a message of lines"),
    ],
)
def test_of_a_document_that_would_take_too_long_the_beginning_is_read(read, document):
    text = read(document)
    assert "Order" in text.text
    assert text.coverage.cut == ("chars",)
