"""What the text of a PDF's pages does not have: form values, notes, stamps, signatures."""

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


def load_form_fields(document: PdfDocument) -> None:
    """Load the form, if there is one: only then can its fields be read, and are drawn on page images."""
    if document.get_formtype() != 0:
        document.init_forms()


def form_values(document: PdfDocument, page: PdfPage) -> Iterator[str]:
    """The form fields of a page that have a value, as `name: value`."""
    import pypdfium2.raw as pdfium

    for at in range(min(pdfium.FPDFPage_GetAnnotCount(page), MOST_FIELDS)):
        annotation = pdfium.FPDFPage_GetAnnot(page, at)
        try:
            if pdfium.FPDFAnnot_GetSubtype(annotation) == pdfium.FPDF_ANNOT_WIDGET:
                name = _form_string(pdfium.FPDFAnnot_GetFormFieldAlternateName, document, annotation)
                name = name or _form_string(pdfium.FPDFAnnot_GetFormFieldName, document, annotation)
                value = _form_string(pdfium.FPDFAnnot_GetFormFieldValue, document, annotation)
                if value.lower() not in _OFF:
                    yield f"{name}: {value}"
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)


def notes(page: PdfPage) -> Iterator[str]:
    """The text of a page's annotations: what was typed over it or noted on it."""
    import pypdfium2.raw as pdfium

    others = (pdfium.FPDF_ANNOT_WIDGET, pdfium.FPDF_ANNOT_LINK, pdfium.FPDF_ANNOT_POPUP)
    for at in range(min(pdfium.FPDFPage_GetAnnotCount(page), MOST_FIELDS)):
        annotation = pdfium.FPDFPage_GetAnnot(page, at)
        try:
            if pdfium.FPDFAnnot_GetSubtype(annotation) not in others:
                yield _string(pdfium.FPDFAnnot_GetStringValue, annotation, b"Contents")
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)


def stamp_lines(
    document: PdfDocument, page: PdfPage, number: int, text: Callable[[PdfPage], str]
) -> Iterator[str]:
    """The lines that a page's stamps and signatures show; `text` reads a page.

    They are drawn into the page, and all its other annotations removed first: call it last for a page.
    """
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
        with closing(document[number - 1]) as flattened:
            yield from (line for line in text(flattened).splitlines() if line not in before)


def _is_stamp(document: PdfDocument, page: PdfPage, at: int) -> bool:
    import pypdfium2.raw as pdfium

    annotation = pdfium.FPDFPage_GetAnnot(page, at)
    try:
        subtype = pdfium.FPDFAnnot_GetSubtype(annotation)
        signature = pdfium.FPDF_FORMFIELD_SIGNATURE
        return subtype == pdfium.FPDF_ANNOT_STAMP or bool(
            subtype == pdfium.FPDF_ANNOT_WIDGET
            and document.formenv
            and pdfium.FPDFAnnot_GetFormFieldType(document.formenv, annotation) == signature
        )
    finally:
        pdfium.FPDFPage_CloseAnnot(annotation)


def _form_string(getter: Callable[..., int], document: PdfDocument, annotation: Any) -> str:
    return _string(getter, document.formenv, annotation)


def _string(getter: Callable[..., int], *arguments: Any) -> str:
    """A string of pdfium, got in two calls: its size, then its characters."""
    import pypdfium2.raw as pdfium

    size = getter(*arguments, None, 0)
    if not 2 < size <= LONGEST_VALUE * 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    getter(*arguments, ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), size)
    return " ".join(buffer.raw.decode("utf-16-le", "replace").split("\0")[0].split())
