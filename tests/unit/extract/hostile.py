"""Documents that mean harm, small to keep and quick to make."""

# ruff: noqa: E501  documents and scripts read worse when broken

from __future__ import annotations

import io
import zipfile
import zlib

from tests.documents.vectors import packages
from tests.documents.vectors.pdfs import pdf

_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_HEAD = {
    1: b"<< /Type /Catalog /Pages 2 0 R >>",
    2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
}


def raw_pdf(objects: dict[int, bytes]) -> bytes:
    """A PDF of these objects, whatever they are."""
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in sorted((_HEAD | objects).items()):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out) + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        len(places) + 1,
        start,
    )


def recursive_pdf() -> bytes:
    """A page that draws a form that draws another twenty times, that draws the first twenty times."""
    form = b"<< /Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources << /XObject << /F %d 0 R >> >> /Length 80 >>\nstream\n%s\nendstream"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /XObject << /F 5 0 R >> >> >>"
    start = b"<< /Length 5 >>\nstream\n/F Do\nendstream"
    return raw_pdf({3: page, 4: start, 5: form % (6, b"/F Do " * 20), 6: form % (5, b"/F Do " * 20)})


def swelling_pdf(megabytes: int) -> bytes:
    """A page whose few bytes of content grow."""
    squeezer = zlib.compressobj(9)
    block = b"BT (x) Tj ET     " * 61_680
    data = b"".join(squeezer.compress(block) for _ in range(megabytes)) + squeezer.flush()
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R >>"
    content = b"<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(data), data)
    return raw_pdf({3: page, 4: content})


def long_pdf(pages: int) -> bytes:
    """Many pages of some text."""
    words = [f"line {line} of the page says something or other" for line in range(40)]
    return pdf([[*words[:20], f"page {number}", *words[20:]] for number in range(1, pages + 1)])


def far_cell_xlsx() -> bytes:
    """A sheet of two cells as far apart as cells can be."""
    sheet = (
        f'<worksheet xmlns="{_SHEET}"><sheetData><row r="1"><c r="A1"><v>42</v></c></row>'
        '<row r="1048576"><c r="XFD1048576"><v>7</v></c></row></sheetData></worksheet>'
    )
    return _replaced(packages.xlsx({"S": [["a"]]}, "t"), "xl/worksheets/sheet1.xml", sheet)


def nested_tables(depth: int) -> bytes:
    """A letter of tables in tables."""
    opened, shut = "<w:tbl><w:tr><w:tc>" * depth, "</w:tc></w:tr></w:tbl>" * depth
    return packages.docx(
        opened + packages.paragraph("the innermost") + shut + packages.paragraph("words"), ""
    )


def half_a_workbook(sheets: int = 2) -> bytes:
    """A workbook whose first sheet is no XML."""
    book = packages.xlsx({f"S{number}": [["a"]] for number in range(sheets)}, "t")
    return _replaced(book, "xl/worksheets/sheet1.xml", "<worksheet><sheetData><row")


def half_a_presentation() -> bytes:
    """Two slides, one of which is no XML."""
    return _replaced(packages.pptx([["a"], ["b"]], "t"), "ppt/slides/slide1.xml", "<p:sld><p:cSld")


def _replaced(package: bytes, name: str, data: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(package)) as members:
        return packages.archive(
            {old: data if old == name else members.read(old) for old in members.namelist()}
        )


def bomb(name: str, megabytes: int, others: dict[str, str] | None = None) -> bytes:
    """A ZIP with a member of spaces, large when unpacked."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for other, data in (others or {}).items():
            package.writestr(other, data)
        with package.open(name, "w", force_zip64=True) as member:
            for _ in range(megabytes):
                member.write(b" " * (1 << 20))
    return out.getvalue()


def nested_zip(depth: int) -> bytes:
    """Archives in archives, a text at every level."""
    package = packages.archive({"text.txt": "the innermost"})
    for level in range(depth):
        package = packages.archive({"inner.zip": package, "text.txt": f"level {level}"})
    return package


def laughing_odt() -> bytes:
    """A text whose entities multiply."""
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    content = f'<!DOCTYPE x [<!ENTITY a0 "ha">{entities}]><o:content xmlns:o="o">&a9;</o:content>'
    return packages.archive({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})


def nested_mail(depth: int) -> bytes:
    """A message whose parts have parts."""
    parts = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth))
    return b"From: a@b\nSubject: s\nTo: c@d\nDate: never\n" + parts
