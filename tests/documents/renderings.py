"""A few lines of Markdown as PDF, Word, Excel or PowerPoint: the same words, the same bytes every time."""

# The makers of office files ship no types, and are not part of this repository's environment.
# mypy: disable-error-code="import-not-found, import-untyped, no-any-return"

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

import docx
import openpyxl
import pptx
import reportlab.platypus as flow
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.styles import getSampleStyleSheet

MADE = datetime(2026, 10, 20, 8, 0, 0)  # noqa: DTZ001 (zip and PDF times have no zone)
Rows = list[list[str]]


@dataclass(frozen=True, kw_only=True)
class Block:
    """One piece of a document: kind is h1, h2, p, li, note, table or break."""

    kind: str
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


def blocks(source: str) -> Iterator[Block]:
    """The pieces of a Markdown text, of which we know headings, lists, notes, tables and breaks."""
    for piece in re.split(r"\n\s*\n", source.strip()):
        if piece.startswith("|"):
            lines = [line for line in piece.splitlines() if not line.startswith("|---")]
            yield Block(kind="table", rows=tuple(tuple(c.strip() for c in r.split("|")[1:-1]) for r in lines))
        else:
            yield from (_line(line) for line in piece.splitlines())


def _line(line: str) -> Block:
    for mark, kind in (("---", "break"), ("# ", "h1"), ("## ", "h2"), ("- ", "li"), ("> ", "note")):
        if line.startswith(mark):
            return Block(kind=kind, text=line.removeprefix(mark))
    return Block(kind="p", text=line)


def plain(text: str) -> str:
    """The words without their emphasis."""
    return text.replace("**", "")


def _bold(text: str) -> str:
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", escape(text, quote=False))


def pdf(*sources: str, columns: bool = False, password: str | None = None) -> bytes:
    """One PDF of all sources, each beginning a page; with columns, `---` goes to the next column."""
    out = io.BytesIO()
    width, height = A4
    narrow = (
        flow.Frame(50, 50, 165, height - 100, id="side"),
        flow.Frame(225, 50, width - 275, height - 100, id="main"),
    )
    wide = (flow.Frame(60, 55, width - 120, height - 110, id="page"),)
    page = flow.PageTemplate(id="page", frames=list(narrow if columns else wide))
    lock = StandardEncryption(password, ownerPassword=password, strength=128) if password else None
    maker = flow.BaseDocTemplate(out, pagesize=A4, pageTemplates=[page], invariant=1, encrypt=lock)
    story = [item for source in sources for item in (*_story(source, columns=columns), flow.PageBreak())]
    maker.build(story)
    return out.getvalue()


def _story(source: str, *, columns: bool) -> Iterator[Any]:
    styles = getSampleStyleSheet()
    names = {"h1": "Title", "h2": "Heading2", "p": "BodyText", "li": "BodyText", "note": "Italic"}
    for block in blocks(source):
        if block.kind == "break":
            yield flow.FrameBreak() if columns else flow.PageBreak()
        elif block.kind == "table":
            yield from (_table(block, styles["BodyText"]), flow.Spacer(1, 10))
        else:
            bullet = "•" if block.kind == "li" else None
            yield flow.Paragraph(_bold(block.text), styles[names[block.kind]], bulletText=bullet)


def _table(block: Block, style: Any) -> Any:
    cells = [[flow.Paragraph(_bold(cell), style) for cell in row] for row in block.rows]
    lines = [
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, colors.grey),
        ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
    ]
    return flow.Table(cells, style=flow.TableStyle(lines), hAlign="LEFT")


def word(source: str) -> bytes:
    """A Word document."""
    made = docx.Document()
    made.core_properties.author = "Sample"
    for block in blocks(source):
        if block.kind == "table":
            table = made.add_table(rows=0, cols=len(block.rows[0]), style="Light Grid Accent 1")
            for row in block.rows:
                for cell, text in zip(table.add_row().cells, row, strict=True):
                    cell.text = plain(text)
        elif block.kind == "break":
            made.add_page_break()
        else:
            style = {"h1": "Title", "h2": "Heading 1", "li": "List Bullet"}.get(block.kind)
            made.add_paragraph(plain(block.text), style=style)
    return _packed(made)


def sheets(source: str) -> bytes:
    """An Excel workbook: each second-level heading begins a sheet, numbers are numbers."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for block in blocks(source):
        if block.kind == "h2":
            sheet = book.create_sheet(block.text)
            sheet.column_dimensions["A"].width = sheet.column_dimensions["C"].width = 28
        for row in block.rows or ([block.text],):
            if block.kind != "h2":
                sheet.append([_number(cell) for cell in row])
    return _packed(book)


def _number(text: str) -> str | float:
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else plain(text)


def slides(source: str) -> bytes:
    """A PowerPoint presentation: each heading begins a slide, a note goes below it."""
    show = pptx.Presentation()
    for block in blocks(source):
        if block.kind in ("h1", "h2"):
            slide = show.slides.add_slide(show.slide_layouts[0 if block.kind == "h1" else 1])
            slide.shapes.title.text = block.text
        elif block.kind == "table":
            size = (len(block.rows), len(block.rows[0]), 600000, 1900000, 7900000, 2400000)
            table = slide.shapes.add_table(*size).table
            for y, row in enumerate(block.rows):
                for x, text in enumerate(row):
                    table.cell(y, x).text = text
            slide.placeholders[1]._element.getparent().remove(slide.placeholders[1]._element)
        elif block.kind == "note":
            slide.notes_slide.notes_text_frame.text = block.text
        else:
            frame = slide.placeholders[1].text_frame
            frame.text = f"{frame.text}\n{block.text}".strip()
    return _packed(show)


def _packed(made: Any) -> bytes:
    """The same bytes whenever it is made: every time inside the zip is MADE."""
    draft, out = io.BytesIO(), io.BytesIO()
    made.save(draft)
    stamp = MADE.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with (
        zipfile.ZipFile(draft) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new,
    ):
        for name in old.namelist():
            data = old.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*", rb"\g<1>" + stamp, data)
            new.writestr(zipfile.ZipInfo(name, MADE.timetuple()[:6]), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()
