"""PDF: what is on its pages, put on them, and attached."""

from __future__ import annotations

import io

import pytest
from pypdfium2 import PdfDocument

from pigeonhole.domain.errors import DocumentError
from tests.documents.vectors import pdfs
from tests.documents.vectors.pdfs import pdf
from tests.unit.extract import hostile


def test_a_damaged_page_leaves_the_other_pages_readable(read):
    whole = pdf(
        [["first page with its words"], ["second page with its words"], ["third page with its words"]]
    )
    damaged = whole.replace(b"/Type /Page /Parent 2 0 R", b"/Type /Pxge /Parent 9 9 R", 2).replace(
        b"/Pxge", b"/Page", 1
    )
    text = read(damaged)
    assert "third page" in text.text


def test_a_form_whose_pages_only_ask_to_wait_is_refused_and_a_filled_one_is_read(read):
    assert "Plate: NH 815" in read(pdfs.form(["Application"], {"Plate": "NH 815"})).text
    with pytest.raises(DocumentError) as exc_info:
        read(pdfs.form(["Please wait while it loads"], {"Plate": "NH 815"}, dynamic=True))
    assert exc_info.value.code == "unsupported_form"


def test_documents_attached_to_a_pdf_are_read_and_data_for_programs_is_not(read):
    with PdfDocument(pdf([["The cover of it"]])) as portfolio:
        for name, words in (
            ("terms.txt", b"Terms of delivery"),
            ("invoice.xml", b"<cii>4711</cii>"),
            ("press.joboptions", b"cii"),
        ):
            portfolio.new_attachment(name).set_data(words)
        out = io.BytesIO()
        portfolio.save(out)
    text = read(out.getvalue()).text
    assert (
        text.index("The cover of it") < text.index("[attached: terms.txt]") < text.index("Terms of delivery")
    )
    assert "cii" not in text


def test_notes_and_text_typed_over_a_page_are_read(read):
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Annots [4 0 R 5 0 R 6 0 R] >>"
    note = b"<< /Type /Annot /Subtype /%s /Rect [0 0 90 90] /Contents (%s) >>"
    typed, noted, link = note % (b"FreeText", b"Ada Holm"), note % (b"Text", b"Paid"), note % (b"Link", b"go")
    assert read(hostile.raw_pdf({3: page, 4: typed, 5: noted, 6: link})).text == "Ada Holm\nPaid"


def drawn(text: bytes, up: int) -> bytes:
    data = b"BT /F 9 Tf 2 %d Td (%s) Tj ET" % (up, text)
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 200 20] /Resources << /Font << /F 9 0 R >> >>"
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (form, len(data), data)


def test_stamps_and_signatures_of_a_page_are_read_and_nothing_is_read_twice(read):
    page = b"/Annots [4 0 R 5 0 R 6 0 R] /Contents 11 0 R /Resources << /Font << /F 9 0 R >> >>"
    shown = b"<< /Type /Annot /Subtype /%s /Rect [0 %d 200 %d] /AP << /N %d 0 R >> >>"
    pdf = hostile.raw_pdf(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R 6 0 R] >> >>",
            3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] %s >>" % page,
            4: shown % (b"Stamp", 0, 20, 7),
            5: shown % (b"Widget /FT /Sig /T (s)", 50, 70, 8),
            6: shown % (b"Widget /FT /Tx /T (Name) /V (Ada)", 90, 110, 10),
            7: drawn(b"PAID", 5),
            8: drawn(b"Signed by Bo Lind", 5),
            9: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            10: drawn(b"Ada", 5),
            11: drawn(b"Order 4711", 700),
        }
    )
    words = ["Order", "4711", "Name:", "Ada", "PAID", "Signed", "by", "Bo", "Lind"]
    assert read(pdf).text.split() == words


def test_a_long_form_value_is_read_whole(read):
    value = "Ten pallets, please. " * 900 + "Thanks."
    assert read(pdfs.form(["Order"], {"Remarks": value})).text.endswith(value[-400:])
