"""The table of formats: the name that sniffing gives → media type, reader module, the libraries it imports.

A new format is one module with a `read(source)` and one entry here, and its magic bytes in `magic`, or for
text its signs in `sniff`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import magic
from pigeonhole.extract.interface import Metadata, ReaderFunction, Segment, Source

_HERE = "pigeonhole.extract"
_OFFICE = "application/vnd.openxmlformats-officedocument"
_OASIS = "application/vnd.oasis.opendocument"


@dataclass(frozen=True, slots=True)
class Format:
    """One format: `module` reads it, `libraries` are what that module imports beside what is always there.

    `fallback` is the module to try where the first one finds the document corrupt, or breaks on it.
    `preload` is false for a rare text: its modules are imported once the first is met, not for every text.
    """

    media_type: str
    module: str
    libraries: tuple[str, ...] = ()
    fallback: str | None = None
    preload: bool = True

    @property
    def modules(self) -> tuple[str, ...]:
        """All that reading this format imports."""
        return (*self.libraries, f"{_HERE}.{self.module}")


_PILLOW = (
    "PIL.ImageOps",
    "PIL.BmpImagePlugin",
    "PIL.GifImagePlugin",
    "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin",
    "PIL.TiffImagePlugin",
    "PIL.WebPImagePlugin",
)
_CHARS = ("encodings.cp1252", "encodings.utf_16_le")
_ZIP = ("encodings.cp437", "zipfile", "pyexpat")
_OLE = ("olefile", "encodings.cp1252", "encodings.utf_16_le")
_MAIL = (
    "email.parser",
    "email.header",
    "quopri",
    "base64",
    "encodings.latin_1",
    "encodings.raw_unicode_escape",
)

FORMATS: dict[str, Format] = {
    "pdf": Format("application/pdf", "pdf", ("pypdfium2", "encodings.utf_16_le")),
    "docx": Format(f"{_OFFICE}.wordprocessingml.document", "office", ("office_oxide", *_ZIP), "ooxml"),
    "pptx": Format(f"{_OFFICE}.presentationml.presentation", "office", ("office_oxide", *_ZIP), "ooxml"),
    "xlsx": Format(f"{_OFFICE}.spreadsheetml.sheet", "sheets", ("python_calamine", *_ZIP), "office"),
    "xlsb": Format(
        "application/vnd.ms-excel.sheet.binary.macroenabled.12", "sheets", ("python_calamine", *_ZIP)
    ),
    "doc": Format("application/msword", "office", ("office_oxide", *_OLE)),
    "ppt": Format("application/vnd.ms-powerpoint", "office", ("office_oxide", *_OLE)),
    "xls": Format("application/vnd.ms-excel", "sheets", ("python_calamine", *_OLE), "office"),
    "odt": Format(f"{_OASIS}.text", "opendocument", _ZIP),
    "ods": Format(f"{_OASIS}.spreadsheet", "opendocument", _ZIP),
    "odp": Format(f"{_OASIS}.presentation", "opendocument", _ZIP),
    "rtf": Format("application/rtf", "rtf", ("encodings.cp1252",)),
    "epub": Format("application/epub+zip", "epub", ("selectolax.lexbor", *_ZIP, *_CHARS)),
    "zip": Format("application/zip", "archive", _ZIP),
    "html": Format("text/html", "html", ("selectolax.lexbor", *_CHARS)),
    "eml": Format("message/rfc822", "mail", ("selectolax.lexbor", *_MAIL, *_CHARS)),
    "mbox": Format("application/mbox", "mbox", ("selectolax.lexbor", *_MAIL, *_CHARS), preload=False),
    "msg": Format("application/vnd.ms-outlook", "msg", ("selectolax.lexbor", *_OLE, *_CHARS)),
    "jpeg": Format("image/jpeg", "image", _PILLOW),
    "png": Format("image/png", "image", _PILLOW),
    "gif": Format("image/gif", "image", _PILLOW),
    "webp": Format("image/webp", "image", _PILLOW),
    "tiff": Format("image/tiff", "image", _PILLOW),
    "bmp": Format("image/bmp", "image", _PILLOW),
    "txt": Format("text/plain", "plain", _CHARS),
    "md": Format("text/markdown", "plain", _CHARS),
    "csv": Format("text/csv", "plain", _CHARS),
    "json": Format("application/json", "plain", _CHARS),
    "office_2003_xml": Format("application/xml", "office_2003_xml", ("pyexpat",), "plain", preload=False),
    "ipynb": Format("application/x-ipynb+json", "notebook", _CHARS, "plain", preload=False),
    "xml": Format("application/xml", "plain", _CHARS),
}
# All that a fork server may be told to preload.
READER_MODULES = frozenset(module for entry in FORMATS.values() for module in entry.modules) | {
    "pigeonhole.extract.detect_charset"
}

# What a document without magic bytes may be.
_TEXTS = tuple(name for name, entry in FORMATS.items() if name not in magic.NAMES and entry.preload)


def candidates(head: bytes) -> tuple[str, ...]:
    """The formats to preload for a document that begins with `head`, which has `magic.LONGEST` bytes."""
    return tuple(name for name in dict.fromkeys(magic.candidates(head)) if name in FORMATS) or _TEXTS


def read(source: Source, *, fallback: bool = False) -> Iterator[Segment]:
    """The segments of a document, read by its format's reader, or by the second one where `fallback`.

    Raises DocumentError: `unsupported_type` for a format that the table has not, else what the reader raises.
    """
    entry = FORMATS.get(source.format_name)
    if entry is None:
        raise DocumentError("unsupported_type", source.format_name)
    if entry.fallback is None:
        yield from _reader(entry.module)(source)
    elif fallback:
        yield from _reader(entry.fallback)(source)
    else:
        yield from _read_with_fallback(source, entry.module, entry.fallback)


def _read_with_fallback(source: Source, module: str, fallback: str) -> Iterator[Segment]:
    """What the first reader yields, or the second where the first finds the document corrupt at once."""
    has_content = False
    try:
        for segment in _reader(module)(source):
            has_content = has_content or not isinstance(segment, Metadata)
            yield segment
    except DocumentError as error:
        if has_content or error.code != "corrupt":
            raise
        yield from _reader(fallback)(source)


def _reader(module: str) -> ReaderFunction:
    reader: ReaderFunction = import_module(f"{_HERE}.{module}").read
    return reader
