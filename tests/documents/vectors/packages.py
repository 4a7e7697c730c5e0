"""Writes the smallest ZIP packages that are what they claim to be: Office, OpenDocument, EPUB, archives."""

# ruff: noqa: E501  markup and tables of bytes read worse when broken

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from xml.sax.saxutils import escape

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_A = "http://schemas.openxmlformats.org/drawingml/2006/main"
_P = "http://schemas.openxmlformats.org/presentationml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_ODF = "urn:oasis:names:tc:opendocument:xmlns"
_WHEN = (2031, 3, 14, 9, 26, 53)

Members = Mapping[str, str | bytes]


def archive(members: Members, *, locked: bool = False) -> bytes:
    """A ZIP; a locked one only says that it is."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, data in members.items():
            stored = name == "mimetype"
            info = zipfile.ZipInfo(name, _WHEN)
            package.writestr(info, data, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)
    return _locked(out.getvalue()) if locked else out.getvalue()


def _locked(data: bytes) -> bytes:
    changed = bytearray(data)
    for sign, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = changed.find(sign)
        while place >= 0:
            changed[place + at] |= 1
            place = changed.find(sign, place + 4)
    return bytes(changed)


def _office(kind: str, main: str, types: dict[str, str], members: Members, title: str) -> bytes:
    overrides = "".join(
        f'<Override PartName="/{name}" ContentType="{kind}"/>' for name, kind in types.items()
    )
    core = (
        f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        f' xmlns:dcterms="http://purl.org/dc/terms/"><dc:title>{title}</dc:title><dc:creator>Ada Holm</dc:creator>'
        "<dcterms:created>2031-03-14T09:26:53Z</dcterms:created></cp:coreProperties>"
    )
    return archive(
        {
            "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType='
            f'"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType='
            f'"application/xml"/><Default Extension="jpeg" ContentType="image/jpeg"/>{overrides}</Types>',
            "_rels/.rels": _relations({"r1": (f"{_R}/officeDocument", main)}),
            "docProps/core.xml": core,
            **members,
        }
    )


def _relations(targets: dict[str, tuple[str, str]]) -> str:
    lines = "".join(
        f'<Relationship Id="{at}" Type="{kind}" Target="{to}"/>' for at, (kind, to) in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{lines}</Relationships>'


def docx(body: str, title: str, *, macros: bool = False, media: Mapping[str, bytes] | None = None) -> bytes:
    """A Word document of ready-made body XML."""
    kind = (
        "ms-word.document.macroEnabled"
        if macros
        else "openxmlformats-officedocument.wordprocessingml.document"
    )
    styles = (
        f'<w:styles xmlns:w="{_W}"><w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/>'
        '<w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style></w:styles>'
    )
    pictures = {f"word/media/{name}": data for name, data in (media or {}).items()}
    members: dict[str, str | bytes] = {
        "word/document.xml": f'<w:document xmlns:w="{_W}"><w:body>{body}</w:body></w:document>',
        "word/styles.xml": styles,
        "word/_rels/document.xml.rels": _relations({"r1": (f"{_R}/styles", "styles.xml")}),
        **pictures,
    }
    types = {
        "word/document.xml": f"application/vnd.{kind}.main+xml",
        "word/styles.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml",
    }
    return _office("docx", "word/document.xml", types, members, title)


def paragraph(text: str, style: str = "") -> str:
    """A Word paragraph, its words in runs of their own where a | stands."""
    look = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    runs = "".join(f'<w:r><w:t xml:space="preserve">{escape(run)}</w:t></w:r>' for run in text.split("|"))
    return f"<w:p>{look}{runs}</w:p>"


def table(rows: list[list[str]]) -> str:
    """A Word table."""
    cells = ("".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) for row in rows)
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"


def pptx(slides: list[list[str]], title: str) -> bytes:
    """A presentation whose slides are a title and lines."""
    main = "application/vnd.openxmlformats-officedocument.presentationml"
    members: dict[str, str | bytes] = {}
    types = {"ppt/presentation.xml": f"{main}.presentation.main+xml"}
    relations = {}
    for number, lines in enumerate(slides, 1):
        shapes = "".join(_shape(at, line) for at, line in enumerate(lines))
        members[f"ppt/slides/slide{number}.xml"] = (
            f'<p:sld xmlns:p="{_P}" xmlns:a="{_A}"><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>'
        )
        types[f"ppt/slides/slide{number}.xml"] = f"{main}.slide+xml"
        relations[f"r{number}"] = (f"{_R}/slide", f"slides/slide{number}.xml")
    listed = "".join(f'<p:sldId id="{255 + n}" r:id="r{n}"/>' for n in range(1, len(slides) + 1))
    members["ppt/presentation.xml"] = (
        f'<p:presentation xmlns:p="{_P}" xmlns:r="{_R}"><p:sldIdLst>{listed}</p:sldIdLst></p:presentation>'
    )
    members["ppt/_rels/presentation.xml.rels"] = _relations(relations)
    return _office("pptx", "ppt/presentation.xml", types, members, title)


def _shape(at: int, line: str) -> str:
    role = '<p:ph type="title"/>' if at == 0 else f'<p:ph idx="{at}"/>'
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="{at + 2}" name="s{at}"/><p:cNvSpPr/><p:nvPr>{role}</p:nvPr></p:nvSpPr><p:spPr/>'
        f"<p:txBody><a:bodyPr/><a:p><a:r><a:t>{escape(line)}</a:t></a:r></a:p></p:txBody></p:sp>"
    )


def xlsx(
    sheets: dict[str, list[list[str | float]]], title: str, *, merged: str = "", note: str = ""
) -> bytes:
    """A workbook; `merged` is a range of its sheets' cells, `note` a comment on the first cell of the first."""
    main = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    members: dict[str, str | bytes] = {}
    types = {"xl/workbook.xml": f"{main}.sheet.main+xml"}
    relations = {}
    for number, rows in enumerate(sheets.values(), 1):
        data = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows)
        merge = f'<mergeCells><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
        members[f"xl/worksheets/sheet{number}.xml"] = (
            f'<worksheet xmlns="{_S}"><sheetData>{data}</sheetData>{merge}</worksheet>'
        )
        types[f"xl/worksheets/sheet{number}.xml"] = f"{main}.worksheet+xml"
        relations[f"r{number}"] = (f"{_R}/worksheet", f"worksheets/sheet{number}.xml")
    listed = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets, 1))
    members["xl/workbook.xml"] = f'<workbook xmlns="{_S}" xmlns:r="{_R}"><sheets>{listed}</sheets></workbook>'
    members["xl/_rels/workbook.xml.rels"] = _relations(relations)
    if note:
        members["xl/comments1.xml"] = (
            f'<comments xmlns="{_S}"><authors><author>Ada Holm</author></authors><commentList><comment ref="A1" '
            f'authorId="0"><text><r><t>{escape(note)}</t></r></text></comment></commentList></comments>'
        )
    return _office("xlsx", "xl/workbook.xml", types, members, title)


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f"<c><v>{value}</v></c>"


def xlsb(name: str, rows: list[list[str | float]]) -> bytes:
    """A binary workbook of one sheet."""
    kind = "application/vnd.ms-excel"
    sheet = _record(0x81) + _record(0x94, struct.pack("<IIII", 0, len(rows) - 1, 0, 2)) + _record(0x91)
    for number, row in enumerate(rows):
        sheet += _record(0x00, struct.pack("<IIHBBI", number, 0, 300, 0, 0, 0)[:17].ljust(17, b"\0"))
        sheet += b"".join(_binary_cell(at, value) for at, value in enumerate(row))
    sheet += _record(0x92) + _record(0x82)
    book = _record(0x83) + _record(0x8F)
    book += (
        _record(0x9C, struct.pack("<II", 0, 1) + _wide("r1") + _wide(name)) + _record(0x90) + _record(0x84)
    )
    members: dict[str, str | bytes] = {
        "xl/workbook.bin": book,
        "xl/worksheets/sheet1.bin": sheet,
        "xl/_rels/workbook.bin.rels": _relations({"r1": (f"{_R}/worksheet", "worksheets/sheet1.bin")}),
    }
    types = {
        "xl/workbook.bin": f"{kind}.sheet.binary.macroEnabled.main",
        "xl/worksheets/sheet1.bin": f"{kind}.worksheet",
    }
    return _office("xlsb", "xl/workbook.bin", types, members, name)


def _binary_cell(column: int, value: str | float) -> bytes:
    head = struct.pack("<II", column, 0)
    if isinstance(value, str):
        return _record(0x06, head + _wide(value))
    return _record(0x05, head + struct.pack("<d", value))


def _record(kind: int, payload: bytes = b"") -> bytes:
    number = bytes((kind,)) if kind < 0x80 else bytes((kind, 0x01))
    return (
        number
        + bytes((len(payload) | 0x80, len(payload) >> 7) if len(payload) > 127 else (len(payload),))
        + payload
    )


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def opendocument(kind: str, body: str, title: str, *, locked: str = "") -> bytes:
    """An OpenDocument file of ready-made body XML; the manifest says of one member that it is locked."""
    spaces = " ".join(
        f'xmlns:{short}="{_ODF}:{name}:1.0"'
        for short, name in (("office", "office"), ("text", "text"), ("table", "table"), ("draw", "drawing"))
    )
    meta = f'<office:document-meta {spaces} xmlns:dc="http://purl.org/dc/elements/1.1/"><office:meta>'
    meta += f"<dc:title>{title}</dc:title></office:meta></office:document-meta>"
    secret = '<manifest:encryption-data manifest:checksum="x"/>'
    entry = "".join(
        f'<manifest:file-entry manifest:full-path="{name}">{secret if name == locked else ""}</manifest:file-entry>'
        for name in ("content.xml", "Basic/Standard/Module1.xml")
    )
    return archive(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{_ODF}:manifest:1.0">{entry}</manifest:manifest>',
            "meta.xml": meta,
            "content.xml": f"<office:document-content {spaces}><office:body><office:{kind}>{body}</office:{kind}>"
            "</office:body></office:document-content>",
        }
    )


def epub(chapters: dict[str, str], title: str) -> bytes:
    """A book."""
    items = "".join(
        f'<item id="{n}" href="{name}" media-type="application/xhtml+xml"/>'
        for n, name in enumerate(chapters)
    )
    spine = "".join(f'<itemref idref="{number}"/>' for number in range(len(chapters)))
    return archive(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
            "OEBPS/book.opf": f'<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>{title}</dc:title>'
            f"<dc:creator>Ada Holm</dc:creator></metadata><manifest>{items}</manifest><spine>{spine}</spine></package>",
            **{f"OEBPS/{name}": page for name, page in chapters.items()},
        }
    )
