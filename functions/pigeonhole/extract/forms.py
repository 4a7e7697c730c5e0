"""What people filled into the fields of a PDF form: no part of the text of its pages."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

MOST_FIELDS = 2_000
LONGEST_VALUE = 4_000
_OFF = frozenset({"", "off"})


def opened(document: PdfDocument) -> None:
    """From here on the fields, if there are any, can be read and are drawn on page images."""
    if document.get_formtype() != 0:
        document.init_forms()


def filled(document: PdfDocument, page: PdfPage) -> Iterator[str]:
    """The fields of a page that have a value, each with its name."""
    import pypdfium2.raw as pdfium

    for at in range(min(pdfium.FPDFPage_GetAnnotCount(page), MOST_FIELDS)):
        annotation = pdfium.FPDFPage_GetAnnot(page, at)
        try:
            if pdfium.FPDFAnnot_GetSubtype(annotation) == pdfium.FPDF_ANNOT_WIDGET:
                name = _said(pdfium.FPDFAnnot_GetFormFieldAlternateName, document, annotation)
                name = name or _said(pdfium.FPDFAnnot_GetFormFieldName, document, annotation)
                value = _said(pdfium.FPDFAnnot_GetFormFieldValue, document, annotation)
                if value.lower() not in _OFF:
                    yield f"{name}: {value}"
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)


def _said(ask: Callable[..., int], document: PdfDocument, annotation: Any) -> str:
    """A string that pdfium gives in two steps: how long it is, then the characters."""
    import pypdfium2.raw as pdfium

    size = ask(document.formenv, annotation, None, 0)
    if not 2 < size <= LONGEST_VALUE * 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    ask(document.formenv, annotation, ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), size)
    return " ".join(buffer.raw.decode("utf-16-le", "replace").split("\0")[0].split())
