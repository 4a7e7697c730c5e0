"""PDF: each page's text layer, or the page as an image where it is a scan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pigeonhole.domain.document import PageImage
from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import pdf_annotations
from pigeonhole.extract.image import encode
from pigeonhole.extract.nested import attached
from pigeonhole.extract.parts import Facts, Part, Source
from pigeonhole.extract.running_headers import Furniture

if TYPE_CHECKING:
    from PIL.Image import Image
    from pypdfium2 import PdfDocument, PdfPage

SCANNED = 0.5
STAMP_CHARS, STAMPED = 150, 0.8
MEANINGLESS = 0.3
ATTACHED = re.compile(
    r"\.(?:pdf|doc[xm]?|xls[xmb]?|pptx?|od[tsp]|rtf|txt|md|csv|html?|eml|msg|mbox|epub|zip)$", re.IGNORECASE
)

_LOCKED = ("password", "security scheme")
_MEANINGLESS = re.compile("[\x00-\x01\x03-\x08\x0e-\x1f\ufffd\ue000-\uf8ff]")


_TINY = b"""%PDF-1.1
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R
/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj
4 0 obj<</Length 18>>stream
BT/F 9 Tf(x)Tj ET
endstream endobj
trailer<</Root 1 0 R>>"""


def ready() -> None:
    """Have pdfium set itself up on a page of our own, once, or every child would anew."""
    from pypdfium2 import PdfDocument

    with PdfDocument(_TINY) as document:
        _text(document[0])


def read(source: Source) -> Iterator[Part]:
    """The pages in order, after what the document says of itself."""
    document = _open(source)
    yield _facts(document)
    pdf_annotations.opened(document)
    furniture = Furniture()
    for number in range(1, min(len(document), source.limits.pages) + 1):
        yield from _page(document, number, source, furniture)
    if len(document) > source.limits.pages:
        yield Facts(cut="pages")
    yield from _attached(document, source)


def _attached(document: PdfDocument, source: Source) -> Iterator[Part]:
    """The documents attached, as in a portfolio; data for programs says nothing that the pages do not."""
    from pypdfium2 import PdfiumError

    for at in range(min(document.count_attachments(), source.limits.members + 1)):
        try:
            attachment = document.get_attachment(at)
            name, data = attachment.get_name() or "attachment", bytes(attachment.get_data())
        except (PdfiumError, ValueError):
            yield Facts(cut="corrupt", failed=1)
            continue
        source.budget.unpack(len(data))
        if ATTACHED.search(name):
            for part in attached(source, name, data):
                yield Facts(cut="eye_pages") if isinstance(part, PageImage) else part


def _open(source: Source) -> PdfDocument:
    from pypdfium2 import PdfDocument, PdfiumError

    try:
        return PdfDocument(source.data)
    except PdfiumError as error:
        code = "encrypted" if any(word in str(error).lower() for word in _LOCKED) else "corrupt"
        raise DocumentError(code, str(error)) from error


def _facts(document: PdfDocument) -> Facts:
    said = document.get_metadata_dict(skip_empty=True)
    return Facts(
        pages_total=len(document),
        pages_read=0,
        title=said.get("Title"),
        author=said.get("Author"),
        created=said.get("CreationDate"),
        modified=said.get("ModDate"),
    )


def _page(document: PdfDocument, number: int, source: Source, furniture: Furniture) -> Iterator[Part]:
    from pypdfium2 import PdfiumError

    try:
        page = document[number - 1]
    except PdfiumError:
        yield Facts(cut="corrupt", failed=1)
        return
    try:
        text = _text(page)
        yield furniture.without(text, number)
        yield "\n".join(pdf_annotations.filled(document, page)) if document.formenv else ""
        yield "\n".join(filter(None, pdf_annotations.noted(page)))
        yield from _seen(page, number, source) if _needs_eyes(page, text, source.limits.scan_chars) else ()
        yield "\n".join(pdf_annotations.stamped(document, page, number, _text))
        yield Facts(pages_read=number)
    except PdfiumError:
        yield Facts(cut="corrupt", failed=1)
    finally:
        page.close()


def _text(page: PdfPage) -> str:
    textpage = page.get_textpage()
    try:
        text: str = textpage.get_text_range()
        return text.replace("\r\n", "\n")
    finally:
        textpage.close()


def _needs_eyes(page: PdfPage, text: str, scan_chars: int) -> bool:
    """Whether the text says less than the page shows: a scan, drawn letters, letters without a meaning."""
    chars = len(text.strip())
    if chars >= STAMP_CHARS:
        return len(_MEANINGLESS.findall(text)) > chars * MEANINGLESS
    covered, drawn = _covered(page)
    if chars == 0:
        return drawn
    return covered > (SCANNED if chars < scan_chars else STAMPED)


def _covered(page: PdfPage) -> tuple[float, bool]:
    """The share of the page that pictures cover, and whether anything is drawn at all."""
    import pypdfium2.raw as pdfium

    area, covered, drawn = page.get_width() * page.get_height(), 0.0, False
    for thing in page.get_objects(max_depth=4):
        drawn = drawn or thing.type != pdfium.FPDF_PAGEOBJ_TEXT
        if thing.type == pdfium.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = thing.get_bounds()
            covered += max(0.0, right - left) * max(0.0, top - bottom)
            if covered > STAMPED * area:
                break
    return covered / area if area else 0.0, drawn


def _seen(page: PdfPage, number: int, source: Source) -> Iterator[Part]:
    if not source.budget.take("eye_pages"):
        yield Facts(cut="eye_pages")
    elif image := _image(page, number, source):
        yield image


def _image(page: PdfPage, number: int, source: Source) -> PageImage | None:
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
