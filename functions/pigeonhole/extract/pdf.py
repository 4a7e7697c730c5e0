"""PDF, by pdfium: each page's text layer, and the page as an image where it is a scan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pigeonhole.domain.document import PageImage
from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import pdf_annotations
from pigeonhole.extract.image import encode
from pigeonhole.extract.interface import Metadata, NotRead, Segment, Source
from pigeonhole.extract.nested import read_attached
from pigeonhole.extract.running_headers import RunningHeaders

if TYPE_CHECKING:
    from PIL.Image import Image
    from pypdfium2 import PdfDocument, PdfPage

# Shares of a page that pictures cover: from which it is a scan, and from which one with a stamp of so many
# characters is; and the share of characters without a meaning from which the page has to be looked at.
SCAN_SHARE = 0.5
STAMP_CHARS, STAMPED_SHARE = 150, 0.8
MEANINGLESS_SHARE = 0.3
READ_ATTACHMENTS = re.compile(
    r"\.(?:pdf|doc[xm]?|xls[xmb]?|pptx?|od[tsp]|rtf|txt|md|csv|html?|eml|msg|mbox|epub|zip)$", re.IGNORECASE
)

_ENCRYPTED = ("password", "security scheme")
_MEANINGLESS = re.compile("[\x00-\x01\x03-\x08\x0e-\x1f\ufffd\ue000-\uf8ff]")

# One page with one letter.
_TINY_PDF = b"""%PDF-1.1
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R
/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj
4 0 obj<</Length 18>>stream
BT/F 9 Tf(x)Tj ET
endstream endobj
trailer<</Root 1 0 R>>"""


def warm_up() -> None:
    """Have pdfium set itself up once, on a page of our own: else every worker would do it anew."""
    from pypdfium2 import PdfDocument

    with PdfDocument(_TINY_PDF) as document:
        _text(document[0])


def read(source: Source) -> Iterator[Segment]:
    """The pages in order, after the document's metadata.

    Raises DocumentError `encrypted`, `corrupt` or `unsupported_form`.
    """
    document = _open(source)
    _refuse_dynamic_form(document)
    yield _metadata(document)
    pdf_annotations.load_form_fields(document)
    running_headers = RunningHeaders()
    for number in range(1, min(len(document), source.limits.pages) + 1):
        yield from _page(document, number, source, running_headers)
    if (left := len(document) - source.limits.pages) > 0:
        yield NotRead(name=f"{left} pages", reason="pages", parts=left)
    yield from _attachments(document, source)


def _attachments(document: PdfDocument, source: Source) -> Iterator[Segment]:
    """The documents attached, as in a portfolio, but no data for programs: it repeats what the pages say."""
    from pypdfium2 import PdfiumError

    for at in range(min(document.count_attachments(), source.limits.members + 1)):
        try:
            attachment = document.get_attachment(at)
            name, data = attachment.get_name() or "attachment", bytes(attachment.get_data())
        except (PdfiumError, ValueError):
            yield NotRead(name=f"attachment {at + 1}", reason="corrupt")
            continue
        source.quota.count_unpacked(len(data))
        if READ_ATTACHMENTS.search(name):
            for segment in read_attached(source, name, data):
                yield NotRead(name=name, reason="vision_pages") if isinstance(segment, PageImage) else segment
        else:
            yield Metadata(parts_dropped=1)


def _open(source: Source) -> PdfDocument:
    from pypdfium2 import PdfDocument, PdfiumError

    try:
        return PdfDocument(source.data)
    except PdfiumError as error:
        code = "encrypted" if any(word in str(error).lower() for word in _ENCRYPTED) else "corrupt"
        raise DocumentError(code, str(error)) from error


def _refuse_dynamic_form(document: PdfDocument) -> None:
    """Raise DocumentError `unsupported_form` where the pages only ask to wait for Adobe's program (XFA)."""
    import pypdfium2.raw as pdfium

    if document.get_formtype() == pdfium.FORMTYPE_XFA_FULL:
        raise DocumentError("unsupported_form", "a dynamic XFA form")


def _metadata(document: PdfDocument) -> Metadata:
    stated = document.get_metadata_dict(skip_empty=True)
    return Metadata(
        pages_total=len(document),
        pages_read=0,
        title=stated.get("Title"),
        author=stated.get("Author"),
        created=stated.get("CreationDate"),
        modified=stated.get("ModDate"),
    )


def _page(
    document: PdfDocument, number: int, source: Source, running_headers: RunningHeaders
) -> Iterator[Segment]:
    from pypdfium2 import PdfiumError

    try:
        page = document[number - 1]
    except PdfiumError:
        yield NotRead(name=f"page {number}", reason="corrupt")
        return
    try:
        text = _text(page)
        yield running_headers.remove_from(text, number)
        yield "\n".join(pdf_annotations.form_values(document, page)) if document.formenv else ""
        yield "\n".join(filter(None, pdf_annotations.notes(page)))
        if _needs_vision(page, text, source.limits.scan_chars):
            yield from _page_image(page, number, source)
        yield "\n".join(pdf_annotations.stamp_lines(document, page, number, _text))
        yield Metadata(pages_read=number, parts_read=1)
    except PdfiumError:
        yield NotRead(name=f"page {number}", reason="corrupt")
    finally:
        page.close()


def _text(page: PdfPage) -> str:
    textpage = page.get_textpage()
    try:
        text: str = textpage.get_text_range()
        return text.replace("\r\n", "\n")
    finally:
        textpage.close()


def _needs_vision(page: PdfPage, text: str, scan_chars: int) -> bool:
    """Whether the text has less than the page shows: a scan, drawn letters, characters without a meaning."""
    chars = len(text.strip())
    if chars >= STAMP_CHARS:
        return len(_MEANINGLESS.findall(text)) > chars * MEANINGLESS_SHARE
    covered, drawn = _picture_share(page)
    if chars == 0:
        return drawn
    return covered > (SCAN_SHARE if chars < scan_chars else STAMPED_SHARE)


def _picture_share(page: PdfPage) -> tuple[float, bool]:
    """The share of the page that pictures cover, and whether anything is drawn at all."""
    import pypdfium2.raw as pdfium

    area, covered, drawn = page.get_width() * page.get_height(), 0.0, False
    for shape in page.get_objects(max_depth=4):
        drawn = drawn or shape.type != pdfium.FPDF_PAGEOBJ_TEXT
        if shape.type == pdfium.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = shape.get_bounds()
            covered += max(0.0, right - left) * max(0.0, top - bottom)
            if covered > STAMPED_SHARE * area:
                break
    return covered / area if area else 0.0, drawn


def _page_image(page: PdfPage, number: int, source: Source) -> Iterator[Segment]:
    if not source.quota.take("vision_pages"):
        yield NotRead(name=f"page {number}", reason="vision_pages")
    elif image := _rendered(page, number, source):
        yield image


def _rendered(page: PdfPage, number: int, source: Source) -> PageImage | None:
    """The page as an image, unless it is blank."""
    edge = source.limits.image_px
    bitmap = page.render(scale=edge / max(page.get_width(), page.get_height(), 1))
    try:
        image = bitmap.to_pil()
        blank = all(low == high for low, high in _ranges(image))
        return None if blank else encode(image, number, edge, source.limits.image_bytes)
    finally:
        bitmap.close()


def _ranges(image: Image) -> list[tuple[float, float]]:
    found: Any = image.getextrema()
    return list(found) if isinstance(found[0], tuple) else [found]
