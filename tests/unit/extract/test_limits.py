"""Caps that tell: whatever is left out is named in the coverage, and nothing half-read passes for whole."""

# ruff: noqa: E501  documents and scripts read worse when broken

from __future__ import annotations

import io
from email.message import EmailMessage

import pytest
from PIL import Image

from pigeonhole.domain.errors import DocumentError
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
        pytest.param(hostile.nested_zip(9), Limits(depth=3), "depth", "level 7", "innermost", id="depth"),
        pytest.param(
            hostile.bomb("big.txt", 40, {"a.txt": "first"}), Limits(unpacked_bytes=1 << 20), "unpacked_bytes", "first",
            "     ", id="unpacked bytes",
        ),
        pytest.param(
            pdf([scan("one"), ["words in between"], scan("two")]), Limits(vision_pages=1), "vision_pages", "words", "?",
            id="pages to look at",
        ),
    ],
)  # fmt: skip
def test_what_a_cap_leaves_out_is_said(read_within, document, limits, cut, kept, lost):
    text = read_within(document, limits)
    assert text.coverage.truncated
    assert cut in text.coverage.cut
    assert text.coverage.chars_total is None
    assert kept in text.text
    assert lost not in text.text


def test_pages_beyond_the_cap_are_counted_all_the_same(read_within):
    coverage = read_within(pdf([["a page of some words"]] * 9), Limits(pages=4)).coverage
    assert (coverage.pages_read, coverage.pages_total) == (4, 9)


def test_sheets_of_a_fax_beyond_the_cap_are_counted_too(read_within):
    text = read_within(tiff(5), Limits(vision_pages=2))
    assert text.coverage.pages_as_images == (1, 2)
    assert (text.coverage.pages_read, text.coverage.pages_total) == (2, 5)
    assert text.coverage.cut == ("vision_pages",)


def test_page_images_are_no_larger_than_the_model_uses(read_within):
    (image,) = read_within(pdf([scan("one")]), Limits(image_px=300)).images
    assert max(image.width, image.height) <= 300
    assert Image.open(io.BytesIO(image.data)).size == (image.width, image.height)


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
def test_a_member_that_cannot_be_read_is_named_and_cuts_the_document_if_something_is_lost(
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
def test_an_archive_of_nothing_but_what_cannot_be_read_says_why(read, members, code):
    with pytest.raises(DocumentError) as exc_info:
        read(packages.archive(members))
    assert exc_info.value.code == code


def test_what_breaks_in_an_attachment_leaves_the_message_around_it(read):
    mail = EmailMessage()
    mail["Subject"] = "Invoice 4711"
    mail.set_content("Our invoice is attached.")
    mail.add_attachment(hostile.far_cell_xlsx(), "application", "octet-stream", filename="invoice.xlsx")
    text = read(mail.as_bytes())
    assert text.text.split("\n\n")[-3:] == [
        "Our invoice is attached.", "[attached: invoice.xlsx]", "[not read: extraction_memory]",
    ]  # fmt: skip
    assert (text.coverage.cut, text.coverage.parts_failed) == (("extraction_memory",), 1)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(b"<h1>Order</h1>" + b"<b></b>" * 600_000, id="a page of tags"),
        pytest.param(b"From: a@b\nSubject: Order\nTo: c@d\n\n" + b"\n" * 1_200_000, id="a message of lines"),
    ],
)
def test_of_what_would_take_too_long_the_beginning_is_read(read, document):
    text = read(document)
    assert "Order" in text.text
    assert text.coverage.cut == ("chars",)


def test_passages_end_where_lines_do(read):
    lines = [" ".join(f"word{at}end" for at in range(line, line + 30)) for line in range(2_000)]
    body = "".join(f"<text:p>{line}</text:p>" for line in lines)
    document = read(packages.opendocument("text", f"<office:text>{body}</office:text>", "t"))
    assert len(document.body) > 2
    assert [line for line in document.text.split("\n") if line] == lines


def test_what_stands_before_a_break_is_read(read):
    body = f"<office:text>{'<text:p>A line of some words.</text:p>' * 20}<text:p><</office:text>"
    text = read(packages.opendocument("text", body, "t"))
    assert text.text.splitlines() == ["A line of some words."] * 20
    assert (text.coverage.cut, text.coverage.parts_failed) == (("corrupt",), 1)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(hostile.nested_tables(200), id="tables nested too deeply"),
        pytest.param(hostile.half_a_workbook(), id="a sheet that cannot be read"),
        pytest.param(hostile.half_a_presentation(), id="a slide that cannot be read"),
    ],
)
def test_what_a_library_passes_over_in_silence_is_said(read, document):
    assert read(document).coverage.truncated


def test_a_workbook_counts_the_sheets_that_could_be_read(read):
    coverage = read(hostile.half_a_workbook()).coverage
    assert (coverage.pages_read, coverage.pages_total, coverage.parts_failed) == (1, 2, 1)


def test_a_workbook_of_which_no_sheet_can_be_read_is_corrupt(read):
    with pytest.raises(DocumentError) as exc_info:
        read(hostile.half_a_workbook(sheets=1))
    assert exc_info.value.code == "corrupt"


def test_a_plan_as_large_as_a_wall_is_looked_at(read):
    out = io.BytesIO()
    Image.new("1", (13_000, 13_000), 1).save(out, "PNG")
    (image,) = read(out.getvalue()).images
    assert (image.width, image.height) == (1_568, 1_568)


@pytest.mark.parametrize("megabytes", [190, 240, 300])
def test_an_image_for_which_memory_does_not_suffice_is_not_called_damaged(read_within, megabytes):
    out = io.BytesIO()
    Image.new("1", (13_000, 13_000), 1).save(out, "PNG")
    with pytest.raises(DocumentError) as exc_info:
        read_within(out.getvalue(), Limits(memory_bytes=megabytes << 20))
    assert exc_info.value.code == "extraction_memory"
