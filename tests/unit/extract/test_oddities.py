"""What programs put around, above and beside words: the words are there once, and nothing stands between."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from email.message import EmailMessage

import pytest
from PIL import Image

from pigeonhole.domain.errors import DocumentError
from tests.documents.vectors import legacy, packages, pdfs
from tests.documents.vectors.make import encoded, picture
from tests.unit.extract import hostile

RUN = "<w:r><w:t>{}</w:t></w:r>"
RUBY = (
    f"<w:r><w:ruby><w:rubyPr/><w:rt>{RUN.format('きたじま')}</w:rt>"
    f"<w:rubyBase>{RUN.format('北島')}</w:rubyBase></w:ruby></w:r>"
)


def with_members(package: bytes, members: Mapping[str, str | bytes]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    return packages.archive({**kept, **members})


def test_words_with_their_reading_above_them_are_words(read):
    body = f"<w:p>{RUN.format('請求先は')}{RUBY}{RUN.format('製材所です')}</w:p>" * 2
    assert read(packages.docx(body, "t")).text == "請求先は北島製材所です\n\n請求先は北島製材所です"


def test_the_reading_above_words_tears_no_quote_in_an_open_document(read):
    base, above = "<text:ruby-base>北島</text:ruby-base>", "<text:ruby-text>きたじま</text:ruby-text>"
    body = (
        f"<office:text><text:p>請求先は<text:ruby>{base}{above}</text:ruby>製材所です</text:p></office:text>"
    )
    assert read(packages.opendocument("text", body, "t")).text == "請求先は北島製材所です"


def test_text_boxes_and_charts_of_a_workbook_are_read(read):
    book = with_members(
        packages.xlsx({"S": [["Total", 3.0]]}, "t"),
        {
            "xl/drawings/drawing1.xml": "<d><a:p><a:t>Pay by 5 </a:t><a:t>March</a:t></a:p></d>",
            "xl/charts/chart1.xml": "<c><a:p><a:t>Sales by month</a:t></a:p><c:v>4711</c:v></c>",
        },
    )
    assert read(book).text == "## S\nTotal\t3\n\nSales by month\n\nPay by 5 March"


CELLS = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>Total</t></is></c>'
    '<c r="B1"><f>SUM(C1:C9)&amp;"€"</f>{}</c><c r="C1"><v>3</v></c></row>'
)


@pytest.mark.parametrize("value", ["", "<v></v>", "<v/>"])
def test_a_formula_that_nobody_calculated_is_shown_itself(read, value):
    sheet = f"<worksheet><sheetData>{CELLS.format(value)}</sheetData></worksheet>"
    book = with_members(packages.xlsx({"S": [[]]}, "t"), {"xl/worksheets/sheet1.xml": sheet})
    assert read(book).text == '## S\nTotal\t\t3\n\nB1\t=SUM(C1:C9)&"€"'


def test_a_formula_is_not_shown_beside_its_value_nor_where_a_program_calculates(read):
    valued = f"<worksheet><sheetData>{CELLS.format('<v>7</v>')}</sheetData></worksheet>"
    book = with_members(packages.xlsx({"S": [[]]}, "t"), {"xl/worksheets/sheet1.xml": valued})
    assert read(book).text == "## S\nTotal\t7\t3"
    app = (
        "<Properties><Application>Microsoft Excel</Application><AppVersion>16.0300</AppVersion></Properties>"
    )
    empty = {"xl/worksheets/sheet1.xml": valued.replace("<v>7</v>", "<v></v>"), "docProps/app.xml": app}
    assert read(with_members(book, empty)).text == "## S\nTotal\t\t3"


def test_a_broken_chart_leaves_the_workbook_and_is_counted(read):
    book = packages.xlsx({"S": [["Total", 3.0]]}, "t")
    text = read(with_members(book, {"xl/charts/chart1.xml": "<c></d>"}))
    assert text.text == "## S\nTotal\t3"
    assert (text.coverage.cut, text.coverage.parts_failed) == (("corrupt",), 1)


def test_a_signature_is_no_part_that_could_not_be_read(read):
    mail = EmailMessage()
    mail["Subject"] = "Order 4711"
    mail.set_content("Ten pallets, please.")
    mail.add_attachment(b"0\x82\x05", "application", "pkcs7-signature", filename="smime.p7s")
    text = read(mail.as_bytes(), "order.eml")
    assert text.coverage.parts_failed == 0
    assert text.text.endswith("Ten pallets, please.")


def test_a_message_as_apple_mail_keeps_it_is_a_message(read):
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "Größe", "a@b.example", "c@d.example"
    mail.set_content("Ten pallets, please.")
    data = mail.as_bytes()
    text = read(b"%-10d\n" % len(data) + data + b"<?xml version='1.0'?><plist></plist>", "4711.emlx")
    assert text.media_type == "message/rfc822"
    assert text.title == "Größe"
    assert text.text.endswith("Ten pallets, please.")


def test_a_note_does_not_stick_to_the_word_before_it(read):
    noted = rb"{\rtf1 The price{\*\annotation \pard\plain Ask Ada} holds.}"
    assert read(noted, "a.rtf").text == "The price Ask Ada holds."


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_headers_in_eight_bits_are_read(read, encoding):
    mail = "From: Jörg Müller <a@b.example>\nTo: c@d.example\nSubject: Größe der Säge\n\nx"
    text = read(mail.encode(encoding), "a.eml")
    assert text.text.splitlines()[:2] == [
        "Subject: Größe der Säge",
        "From: Jörg Müller <a@b.example>",
    ]


def test_a_workbook_of_pictures_is_looked_at(read):
    book = with_members(
        packages.xlsx({"S": []}, "t"), {"xl/media/image1.jpeg": encoded(picture("Screenshot"), "JPEG")}
    )
    assert len(read(book).images) == 1


def test_a_workbook_without_anything_is_empty(read):
    with pytest.raises(DocumentError, match="empty"):
        read(packages.xlsx({"S": [], "T": []}, "t"))


def test_an_old_workbook_without_cells_may_hold_what_nobody_looked_at(read):
    assert read(legacy.xls("Plan", [])).text == "## Plan"


def test_a_document_that_breaks_off_is_said_to(read):
    whole = packages.docx(packages.paragraph("A line of some words.") * 40, "t")
    with zipfile.ZipFile(io.BytesIO(whole)) as package:
        words = package.read("word/document.xml")
    text = read(with_members(whole, {"word/document.xml": words[: len(words) // 2]}))
    assert text.text.startswith("A line of some words.\nA line")
    assert text.coverage.cut == ("corrupt",)


def test_what_was_typed_over_a_page_or_noted_on_it_is_read(read):
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Annots [4 0 R 5 0 R 6 0 R] >>"
    note = b"<< /Type /Annot /Subtype /%s /Rect [0 0 90 90] /Contents (%s) >>"
    typed, noted, link = note % (b"FreeText", b"Ada Holm"), note % (b"Text", b"Paid"), note % (b"Link", b"go")
    assert read(hostile.raw_pdf({3: page, 4: typed, 5: noted, 6: link})).text == "Ada Holm\nPaid"


def drawn(text: bytes, up: int) -> bytes:
    data = b"BT /F 9 Tf 2 %d Td (%s) Tj ET" % (up, text)
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 200 20] /Resources << /Font << /F 9 0 R >> >>"
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (form, len(data), data)


def test_a_stamp_and_a_signature_show_who_signed_and_their_neighbours_show_nothing_twice(read):
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


def test_a_long_value_of_a_field_is_read_whole(read):
    value = "Ten pallets, please. " * 900 + "Thanks."
    assert read(pdfs.form(["Order"], {"Remarks": value})).text.endswith(value[-400:])


def test_a_broken_statement_of_facts_leaves_the_words_of_an_open_document(read):
    package = bytearray(packages.opendocument("text", "<text:p>Pay by 5 March</text:p>", "t"))
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        at = archive.getinfo("meta.xml").header_offset
    package[at + 45] ^= 0xFF
    assert read(bytes(package)).text == "Pay by 5 March"


def test_a_password_on_its_macros_locks_no_open_document(read):
    locked = packages.opendocument("text", "<text:p>x</text:p>", "t", locked="Basic/Standard/Module1.xml")
    assert read(locked).text == "x"


def test_text_boxes_of_an_open_sheet_are_read(read):
    box = "<draw:frame><draw:text-box><text:p>Pay by 5 March</text:p></draw:text-box></draw:frame>"
    box = f"<table:shapes>{box}</table:shapes>"
    row = "<table:table-row><table:table-cell><text:p>Total</text:p></table:table-cell></table:table-row>"
    sheet = packages.opendocument("spreadsheet", f'<table:table table:name="S">{box}{row}</table:table>', "t")
    assert read(sheet).text == "## S\nPay by 5 March\nTotal"


def test_a_rich_text_states_when_it_was_written_and_how_long_it_is(read):
    written = rb"{\creatim\yr2011\mo8\dy29\hr5\min20}{\revtim\yr2011\mo13\dy1}"
    text = read(rb"{\rtf1{\info{\title Plan}{\author Ada}%s{\nofpages2}}x}" % written, "a.rtf")
    assert (text.title, text.author, text.text) == ("Plan", "Ada", "x")
    assert (text.created, text.modified) == ("2011-08-29T05:20:00", None)
    assert text.coverage.pages_total == 2


def test_a_page_states_its_author_and_dates(read):
    meta = "<META content='Ada &amp; Bo' name=Author>"
    meta += '<meta property="article:published_time" content=2026-11-25>'
    text = read(f"<html><head>{meta}<title>T</title></head><body>x</body></html>".encode(), "a.html")
    assert (text.title, text.author, text.created, text.modified) == ("T", "Ada & Bo", "2026-11-25", None)


def test_an_open_document_in_one_file_states_its_facts(read):
    said = "<office:meta><dc:title>Plan</dc:title></office:meta>"
    body = "<office:body><office:text><text:p>x</text:p></office:text></office:body>"
    mime = "application/vnd.oasis.opendocument.text"
    whole = f'<?xml version="1.0"?><office:document office:mimetype="{mime}">{said}{body}</office:document>'
    text = read(whole.encode(), "a.fodt")
    assert (text.title, text.text) == ("Plan", "x")


def test_zero_bytes_between_words_make_no_text_binary(read):
    assert read(b"Item\0\tPrice\0\r\nSaw\0\t420\0\r\n" * 9, "a.csv").text.startswith("Item\tPrice\nSaw\t420")
    with pytest.raises(DocumentError, match="unknown binary data"):
        read(b"Item\0\tPrice\0\r\nSaw\0\t420\0\r\n" * 9, "a.bin")


def test_an_image_whose_greys_are_multiplied_by_their_opacity_is_seen(read):
    file = io.BytesIO()
    Image.new("LA", (40, 20), (90, 200)).save(file, "TIFF")
    kind = struct.Struct("<HHIHH")
    multiplied = file.getvalue().replace(kind.pack(338, 3, 1, 2, 0), kind.pack(338, 3, 1, 1, 0))
    assert Image.open(io.BytesIO(multiplied)).mode == "La"
    assert len(read(multiplied).images) == 1
