"""What people put on a PDF, which is not in the text of its pages: values, notes, stamps, signatures."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

MOST_FIELDS = 2_000
LONGEST_VALUE = 1_000_000
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


def noted(page: PdfPage) -> Iterator[str]:
    """What was typed over a page or noted on it."""
    import pypdfium2.raw as pdfium

    others = (pdfium.FPDF_ANNOT_WIDGET, pdfium.FPDF_ANNOT_LINK, pdfium.FPDF_ANNOT_POPUP)
    for at in range(min(pdfium.FPDFPage_GetAnnotCount(page), MOST_FIELDS)):
        annotation = pdfium.FPDFPage_GetAnnot(page, at)
        try:
            if pdfium.FPDFAnnot_GetSubtype(annotation) not in others:
                yield _read(pdfium.FPDFAnnot_GetStringValue, annotation, b"Contents")
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)


def stamped(
    document: PdfDocument, page: PdfPage, number: int, text: Callable[[PdfPage], str]
) -> Iterator[str]:
    """What the stamps and signatures on a page show; of its annotations it has no others after this."""
    import pypdfium2.raw as pdfium

    count = min(pdfium.FPDFPage_GetAnnotCount(page), MOST_FIELDS)
    stamps = {at for at in range(count) if _is_stamp(document, page, at)}
    if not stamps:
        return
    for at in reversed(range(count)):
        if at not in stamps:
            pdfium.FPDFPage_RemoveAnnot(page, at)
    before = set(text(page).splitlines())
    if pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY) == pdfium.FLATTEN_SUCCESS:
        with closing(document[number - 1]) as drawn:
            yield from (line for line in text(drawn).splitlines() if line not in before)


def _is_stamp(document: PdfDocument, page: PdfPage, at: int) -> bool:
    import pypdfium2.raw as pdfium

    annotation = pdfium.FPDFPage_GetAnnot(page, at)
    try:
        kind = pdfium.FPDFAnnot_GetSubtype(annotation)
        signature = pdfium.FPDF_FORMFIELD_SIGNATURE
        return kind == pdfium.FPDF_ANNOT_STAMP or bool(
            kind == pdfium.FPDF_ANNOT_WIDGET
            and document.formenv
            and pdfium.FPDFAnnot_GetFormFieldType(document.formenv, annotation) == signature
        )
    finally:
        pdfium.FPDFPage_CloseAnnot(annotation)


def _said(ask: Callable[..., int], document: PdfDocument, annotation: Any) -> str:
    return _read(ask, document.formenv, annotation)


def _read(ask: Callable[..., int], *of: Any) -> str:
    """A string that pdfium gives in two steps: how long it is, then the characters."""
    import pypdfium2.raw as pdfium

    size = ask(*of, None, 0)
    if not 2 < size <= LONGEST_VALUE * 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    ask(*of, ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), size)
    return " ".join(buffer.raw.decode("utf-16-le", "replace").split("\0")[0].split())
