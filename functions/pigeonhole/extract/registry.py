"""The table of formats: sniffed kind → media type, the module whose `read` reads it, its libraries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.parts import Facts, Part, Read, Source

_HERE = "pigeonhole.extract"
_OFFICE = "application/vnd.openxmlformats-officedocument"
_OASIS = "application/vnd.oasis.opendocument"


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of document; `libraries` are what the reader will import.

    `spare` is the module to try where the first finds the document corrupt, or breaks on it.
    """

    media_type: str
    module: str
    libraries: tuple[str, ...] = ()
    spare: str | None = None

    @property
    def modules(self) -> tuple[str, ...]:
        """All that reading this kind imports."""
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
    "mbox": Format("application/mbox", "mbox", ("selectolax.lexbor", *_MAIL, *_CHARS)),
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
    "office_2003_xml": Format("application/xml", "office_2003_xml", ("pyexpat",), "plain"),
    "ipynb": Format("application/x-ipynb+json", "notebook", _CHARS, "plain"),
    "xml": Format("application/xml", "plain", _CHARS),
}
MODULES = frozenset(module for known in FORMATS.values() for module in known.modules) | {
    "pigeonhole.extract.detect_charset"
}


def read(source: Source, *, spare: bool = False) -> Iterator[Part]:
    """The parts of a document of any kind in the table, or DocumentError `unsupported_type`."""
    known = FORMATS.get(source.kind)
    if known is None:
        raise DocumentError("unsupported_type", source.kind)
    if known.spare is None:
        yield from _reader(known.module)(source)
    elif spare:
        yield from _reader(known.spare)(source)
    else:
        yield from _with_spare(source, known.module, known.spare)


def _with_spare(source: Source, first: str, spare: str) -> Iterator[Part]:
    """What the first reader says, or the spare one where the first finds it corrupt at once."""
    spoke = False
    try:
        for part in _reader(first)(source):
            spoke = spoke or not isinstance(part, Facts)
            yield part
    except DocumentError as error:
        if spoke or error.code != "corrupt":
            raise
        yield from _reader(spare)(source)


def _reader(module: str) -> Read:
    reader: Read = import_module(f"{_HERE}.{module}").read
    return reader
