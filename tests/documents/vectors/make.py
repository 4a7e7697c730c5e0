"""Makes the vectors: one small document of every kind, the locked ones and the odd ones.

    python -m tests.documents.vectors.make

What each must and must not give stands in vectors.toml.
"""

# ruff: noqa: E501  markup and tables of bytes read worse when broken

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

from PIL import Image, ImageDraw

from tests.documents.vectors import legacy, packages
from tests.documents.vectors.pdfs import Picture, form, pdf

HERE = Path(__file__).parent / "files"

ROWS: list[list[str | float]] = [
    ["Article", "Quantity", "Price"],
    ["Oak boards", 12.0, 48.75],
    ["Brass screws", 400.0, 9.5],
]
TEXT_ROWS = [[f"{cell:g}" if isinstance(cell, float) else cell for cell in row] for row in ROWS]
LONG = "The workshop in Übermoor buys its timber from the Nordholm sawmill, by order and in advance."
SHORT = "Payment is due within thirty days."
HEADING = "Timber order 4711"


def picture(words: str, size: tuple[int, int] = (420, 594)) -> Image.Image:
    """A page on which words are drawn."""
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).text((40, 60), words, fill="black")
    return image


def encoded(image: Image.Image, kind: str, **how: object) -> bytes:
    """The image's bytes in one of Pillow's formats."""
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def scan(words: str) -> Picture:
    """A page of a PDF that was scanned."""
    return Picture(encoded(picture(words), "JPEG"), 420, 594)


def pages(count: int) -> list[list[str] | Picture]:
    """Pages under a running header and over a page number."""
    return [
        [
            "Nordholm sawmill, price list",
            f"Chapter {n}: board of {n * 7} mm",
            LONG,
            SHORT,
            f"Page {n} of {count}",
        ]
        for n in range(1, count + 1)
    ]


def pdfs() -> dict[str, bytes]:
    """PDF of text, of scans, of both, and behind passwords."""
    words: list[list[str] | Picture] = [[HEADING, LONG, SHORT]]
    return {
        "text.pdf": pdf(pages(8), title="Price list"),
        "mixed.pdf": pdf([*words, scan("Delivery note, signed"), [SHORT]]),
        "scan.pdf": pdf([scan("Receipt 17"), scan("Receipt 18")]),
        "stamped.pdf": pdf([scan("Letter"), []]),
        "owner.pdf": pdf(words, title=HEADING, user=""),
        "locked.pdf": pdf(words, user="secret"),
        "pdf-called.txt": pdf(words),
        "form.pdf": form(["Application for a parking permit"], {"Applicant": "Ada Holm", "Plate": "NH 815"}),
    }


def office() -> dict[str, bytes]:
    """Office documents, new ones."""
    body = packages.paragraph(HEADING, "Heading1") + packages.paragraph(
        "The workshop in Über|moor buys * its_timber"
    )
    body += packages.table(TEXT_ROWS) + packages.paragraph("Pay\u00adment is due within thirty days.")
    photo = encoded(picture("A photographed letter"), "JPEG")
    slides = [[HEADING, LONG], ["Prices", SHORT, "Oak boards 48.75"]]
    return {
        "word.docx": packages.docx(body, HEADING),
        "macros.docm": packages.docx(body, HEADING, macros=True),
        "photo.docx": packages.docx("<w:p/>", "", media={"image1.jpeg": photo}),
        "slides.pptx": packages.pptx(slides, HEADING),
        "book.xlsx": packages.xlsx(
            {"Orders": ROWS, "Notes": [[LONG], [SHORT]]}, HEADING, note="Ask Nordholm for a discount"
        ),
        "merged.xlsx": packages.xlsx({"Plan": [["Oak", 1.0], ["", 2.0], ["", 3.5]]}, "Plan", merged="A1:A3"),
        "book.xlsb": packages.xlsb("Orders", ROWS),
        "locked.docx": legacy.encrypted_package(),
    }


def old() -> dict[str, bytes]:
    """Office documents, old ones, and an Outlook message."""
    rtf = rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}\f0 The workshop in \'dcbermoor\par Payment is due.\par}"
    return {
        "word.doc": legacy.doc([HEADING, LONG, SHORT]),
        "slides.ppt": legacy.ppt([[HEADING, LONG], ["Prices", SHORT]]),
        "book.xls": legacy.xls("Orders", ROWS),
        "locked.doc": legacy.doc([HEADING], locked=True),
        "locked.ppt": legacy.ppt([[HEADING]], locked=True),
        "locked.xls": legacy.xls("Orders", ROWS, locked=True),
        "letter.msg": legacy.msg(
            HEADING, "Ada Holm", "Nordholm", rtf, {"list.csv": b"Article;Price\nOak;48.75\n"}
        ),
    }


def open_documents() -> dict[str, bytes]:
    """OpenDocument and EPUB."""
    cells = "".join(
        f"<table:table-row>{''.join(f'<table:table-cell><text:p>{cell}</text:p></table:table-cell>' for cell in row)}"
        "</table:table-row>"
        for row in TEXT_ROWS
    )
    text = f'<text:h text:outline-level="1">{HEADING}</text:h><text:p>{LONG}</text:p><table:table>{cells}</table:table>'
    deleted = "<text:tracked-changes><text:p>an earlier wording</text:p></text:tracked-changes>"
    wide = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16000"/>'
    page = f"<html><head><title>One</title></head><body><h1>{HEADING}</h1><p>{LONG}</p></body></html>"
    return {
        "text.odt": packages.opendocument("text", deleted + text + f"<text:p>{SHORT}</text:p>", HEADING),
        "sheet.ods": packages.opendocument(
            "spreadsheet",
            f'<table:table table:name="Orders">{cells}{wide}</table:table-row></table:table>',
            HEADING,
        ),
        "slides.odp": packages.opendocument(
            "presentation",
            f'<draw:page draw:name="First"><text:p>{LONG}</text:p></draw:page><draw:page><text:p>{SHORT}</text:p></draw:page>',
            HEADING,
        ),
        "locked.odt": packages.opendocument("text", "", "", locked="content.xml"),
        "book.epub": packages.epub(
            {"1.xhtml": page, "2.xhtml": f"<html><body><p>{SHORT}</p></body></html>"}, HEADING
        ),
    }


def mails() -> dict[str, bytes]:
    """Messages, with an attachment, and several in a box."""
    invoice = pdf([["Invoice 815 over 48.75"]])
    blob = base64.encodebytes(invoice).decode()
    mail = (
        "From: Ada Holm <ada@example.org>\nTo: orders@example.org\nSubject: =?utf-8?q?Timber_order_4711_=C3=9Cbermoor?=\n"
        "Date: Fri, 14 Mar 2031 09:26:53 +0000\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=X\n\n"
        "--X\nContent-Type: multipart/alternative; boundary=Y\n\n--Y\nContent-Type: text/plain; charset=iso-8859-1\n"
        "Content-Transfer-Encoding: quoted-printable\n\nThe workshop in =DCbermoor =\nbuys timber.\n\n"
        "> You wrote that it was late.\n--Y\nContent-Type: text/html; charset=utf-8\n\n<p>The workshop buys timber.</p>\n"
        "--Y--\n--X\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename=invoice.pdf\n"
        f"Content-Transfer-Encoding: base64\n\n{blob}--X--\n"
    )
    plain = "From: ada@example.org\nSubject: {0}\nDate: Fri, 14 Mar 2031 09:26:53 +0000\n\nAbout {0}.\n\n"
    box = "".join(
        "From ada@example.org Fri Mar 14 09:26:53 2031\n" + plain.format(what) for what in ("oak", "brass")
    )
    return {"mail.eml": mail.encode(), "mail-called.txt": mail.encode(), "box.mbox": box.encode()}


def texts() -> dict[str, bytes]:
    """Whatever is text already, in many encodings, and HTML."""
    page = (
        '<!DOCTYPE html><html><head><meta charset="windows-1252"><title>Timber order 4711</title><style>p{color:red}'
        "</style></head><body><nav><a href=/>Home</a> <a href=/shop>Our shop</a></nav><h1>Timber order 4711</h1>"
        f"<p>The work<b>shop</b> in\nÜbermoor</p><table><tr><th>Article<th>Price<tr><td>Oak boards<td>48.75</table>"
        '<script>alert("boo")</script><img src="data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAE"><p>'
        f"{LONG}<br>{SHORT}</body></html>"
    )
    picture = {"data": {"image/png": "iVBORw0KGgo" * 60}}
    cells = [
        {"cell_type": "markdown", "source": [f"# {HEADING}\n", LONG]},
        {"cell_type": "code", "source": ["print(48.75)"], "outputs": [picture]},
    ]
    return {
        "page.html": page.encode("cp1252"),
        "html-called.xls": page.encode("cp1252"),
        "letter.rtf": (
            rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}{\f1\fcharset204 Arial;}}{\info{\title Timber order 4711}}"
            rb"{\header Nordholm sawmill}\f0 The workshop in \u220?bermoor\line buys its \b tim\b0 ber\par"
            rb"\trowd\cellx1\cellx2 Oak boards\cell 48.75\cell\row {\*\generator Nobody;}{\pict 89504e47}"
            rb"{\f1 \'cc\'ee\'f1\'ea\'e2\'e0}\par Payment is due within thirty days.\par}"
        ),
        "utf16.txt": LONG.encode("utf-16"),
        "utf16-bare.txt": f"{LONG}\n{SHORT}".encode("utf-16-le"),
        "utf32.txt": LONG.encode("utf-32"),
        "cp1252.txt": (
            f"{LONG} Größe, Maß und „Güte“, 5 € je Stück. Für Käufer größerer Mengen gilt ein Nachlaß.\n" * 3
        ).encode("cp1252"),
        "sjis.txt": (
            "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗いじめじめした所で泣いていた。"
            * 3
        ).encode("shift_jis"),
        "koi8.txt": (
            "Мастерская покупает доски на лесопилке, по заказу и заранее. Оплата в течение тридцати дней.\n"
            * 3
        ).encode("koi8-r"),
        "gb18030.txt": (
            "木工车间提前从锯木厂订购木材。货款应在三十天内支付。请注意查收附件中的发票。" * 4
        ).encode("gb18030"),
        "notes.md": f"# {HEADING}\n\n{LONG}\n\n| Article | Price |\n|---|---|\n| Oak boards | 48.75 |\n".encode(),
        "orders.csv": "\n".join(";".join(row) for row in TEXT_ROWS).encode(),
        "order.json": json.dumps(
            {"order": 4711, "place": "Übermoor", "articles": TEXT_ROWS}, ensure_ascii=False
        ).encode(),
        "order.xml": f'<?xml version="1.0"?><order number="4711"><place>Übermoor</place><note>{SHORT}</note></order>'.encode(),
        "sign.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><title>Sawmill sign</title><text>Nordholm</text></svg>',
        "order.yaml": b"order: 4711\narticles:\n  - Oak boards\n  - Brass screws\n",
        "paper.tex": b"\\documentclass{article}\n\\begin{document}\nThe workshop buys timber.\n\\end{document}\n",
        "work.ipynb": json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}).encode(),
    }


def flat() -> dict[str, bytes]:
    """Office documents of one XML file each."""
    office, excel = "urn:oasis:names:tc:opendocument:xmlns", "urn:schemas-microsoft-com:office:spreadsheet"
    cell = '<Cell><Data ss:Type="String">{}</Data></Cell>'.format
    rows = "".join(f"<Row>{''.join(map(cell, row))}</Row>" for row in TEXT_ROWS)
    blob = base64.b64encode(bytes(range(256))).decode()
    return {
        "letter.fodt": (
            f'<?xml version="1.0"?><office:document xmlns:office="{office}:office:1.0" xmlns:text="{office}:text:1.0"'
            f' xmlns:number="{office}:datastyle:1.0" office:mimetype="application/vnd.oasis.opendocument.text">'
            "<office:automatic-styles><number:text>styled</number:text></office:automatic-styles><office:body>"
            f'<office:text><text:h text:outline-level="1">{HEADING}</text:h><text:p>{LONG}</text:p>'
            f"<office:binary-data>{blob}</office:binary-data></office:text></office:body></office:document>"
        ).encode(),
        "orders-2003.xls": (
            f'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns="{excel}" xmlns:ss="{excel}">'
            f'<Styles><Style ss:ID="s"/></Styles><Worksheet ss:Name="Orders"><Table>{rows}</Table></Worksheet></Workbook>'
        ).encode(),
        "letter-2003.xml": (
            '<?xml version="1.0"?><?mso-application progid="Word.Document"?><w:wordDocument xmlns:w="w"><w:body>'
            f"{packages.paragraph(HEADING)}{packages.paragraph(LONG)}<w:binData>{blob}</w:binData>"
            f"{packages.table(TEXT_ROWS)}</w:body></w:wordDocument>"
        ).encode(),
    }


def images() -> dict[str, bytes]:
    """Images of each kind, large and small."""
    letter = picture("A photographed letter")
    two = [picture("First sheet"), picture("Second sheet")]
    return {
        "photo.jpeg": encoded(picture("A large photograph", (3_000, 2_000)), "JPEG", quality=40),
        "photo.png": encoded(letter, "PNG"),
        "photo.webp": encoded(letter, "WEBP"),
        "photo.gif": encoded(letter, "GIF"),
        "photo.bmp": encoded(letter.resize((120, 160)), "BMP"),
        "fax.tiff": encoded(two[0], "TIFF", save_all=True, append_images=two[1:], compression="tiff_lzw"),
        "clear.png": encoded(letter.convert("RGBA"), "PNG"),
    }


def archives(made: dict[str, bytes]) -> dict[str, bytes]:
    """ZIP archives of the others."""
    inner = packages.archive({"deep.txt": LONG})
    members = {"order.docx": made["word.docx"], "inner.zip": inner, "locked.pdf": made["locked.pdf"]}
    return {
        "files.zip": packages.archive({**members, "__MACOSX/._order.docx": b"\0\5\x16\7clutter"}),
        "locked.zip": packages.archive({"letter.txt": LONG}, locked=True),
    }


def main() -> None:
    """Write them all."""
    made: dict[str, bytes] = {}
    for some in (pdfs, office, old, open_documents, mails, texts, flat, images):
        made.update(some())
    made.update(archives(made))
    HERE.mkdir(exist_ok=True)
    for name, data in made.items():
        (HERE / name).write_bytes(data)


if __name__ == "__main__":
    main()
