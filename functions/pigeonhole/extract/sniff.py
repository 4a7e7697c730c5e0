"""Content sniffing: which format a document has, by its bytes; its name only decides between plain texts."""

from __future__ import annotations

import re
import zipfile

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.decode import SAMPLE, decode, is_text
from pigeonhole.extract.legacy import is_encrypted
from pigeonhole.extract.magic import (
    BMP,
    COMPOUND,
    COMPOUND_STREAMS,
    MAGIC,
    MAGIC_AT_OFFSET,
    PACKAGE_FOLDERS,
    PACKAGE_MEMBER_ENDINGS,
    PACKAGE_MEMBERS,
    PACKAGE_MIMETYPES,
    PDF,
    RIFF,
    ZIP,
)
from pigeonhole.extract.package import ZIP_ERRORS, open_zip

HEAD_BYTES = 1_024
IMAGE_FORMATS = frozenset({"jpeg", "png", "gif", "webp", "tiff", "bmp"})

_FORMAT_BY_SUFFIX = {
    **dict.fromkeys((".md", ".markdown"), "md"),
    **dict.fromkeys((".csv", ".tsv"), "csv"),
    **dict.fromkeys((".json", ".ipynb"), "json"),
    **dict.fromkeys((".xml", ".svg"), "xml"),
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    ".eml": "eml",
    ".mbox": "mbox",
}
_TEXT_SUFFIXES = (*_FORMAT_BY_SUFFIX, ".txt", ".log")
_TEXT_SHARE = 0.8  # of the characters, in text that is padded with zero bytes
# Types of packages that we know of only as what they call themselves.
_FOREIGN_MIMETYPES = ("application/vnd.", "application/x-", "image/")
_HTML = re.compile(
    r"(?:\s|<!--.*?-->)*+"
    r"<(?:!doctype\s+html|html|head|body|title|meta|p|div|h[1-6]|table|center|font|ul|ol|script)\b"
    r"|(?:\s|<!--.*?-->|<\?xml[^>]*>)*+<(?:!doctype\s+html|html)\b",
    re.IGNORECASE | re.DOTALL,
)
_MAIL = re.compile(r"(?:(?:From |>From ).*\n)?(?:[A-Za-z][\w-]*:.*(?:\r?\n[ \t].*)*\r?\n){2,}", re.ASCII)
# Apple Mail writes a message's length before it.
_APPLE_MAIL_LENGTH = re.compile(r"\A\d{1,9} *\r?\n(?=[A-Za-z-]{2,40}:)")
_MAIL_FIELDS = re.compile(
    r"^(?:received|return-path|message-id|mime-version|from|to|subject|date|delivered-to|content-type|x-[\w-]+):",
    re.IGNORECASE | re.MULTILINE,
)
_XML = re.compile(r"\s*(?:<\?xml|<!DOCTYPE\s+(?!html)|<svg\b|<[\w.-]+:[\w.-]+\s+xmlns)", re.IGNORECASE)
_OFFICE_XML = re.compile(
    r"<office:document\s[^>]*?office:mimetype=[\"']([\w./-]+)|"
    r"<\?mso-application\s+progid=.(?:Word.Document|Excel.Sheet)|<w:wordDocument\s|"
    r"<(?:ss:)?Workbook\s[^>]*?urn:schemas-microsoft-com:office:spreadsheet"
)
_JSON = re.compile(r"\s*[\[{][\s\"\[{\]}\d-]")


def detect_format(data: bytes, name: str) -> str:
    """The document's format: a name of the registry, or a plain name of what is not read.

    `name` only decides between formats of plain text. Raises DocumentError `encrypted`, `corrupt` or `empty`.
    """
    if not data:
        raise DocumentError("empty", "0 bytes")
    found = _by_magic(data) or _text_format(data, _suffix(name))
    if found == "encrypted":
        raise DocumentError("encrypted", "an Office document with a password")
    return found


def _suffix(name: str) -> str:
    _, dot, ending = name.rpartition("/")[2].rpartition(".")
    return f"{dot}{ending.lower()}"


def _by_magic(data: bytes) -> str | None:
    for prefix, found in MAGIC:
        if data.startswith(prefix):
            return found if found in IMAGE_FORMATS or found == "rtf" else _unless_text(data, found)
    start = data.find(PDF, 0, HEAD_BYTES)
    if start == 0 or (b" obj" in data[: 2 * HEAD_BYTES] and (start > 0 or b"%%EOF" in data[-HEAD_BYTES:])):
        return "pdf"
    if data.startswith(ZIP):
        return _package_format(data)
    if data.startswith(COMPOUND):
        return _compound_format(data)
    if data.startswith(BMP) and data[6:10] == bytes(4):
        return "bmp"
    if data.startswith(RIFF):
        return "webp" if data[8:12] == b"WEBP" else _unless_text(data, "sound or film")
    return next(
        (_unless_text(data, found) for at, magic, found in MAGIC_AT_OFFSET if data.startswith(magic, at)),
        None,
    )


def _unless_text(data: bytes, found: str) -> str | None:
    """What was found, unless the document is text: `MZ` and `ID3` are people's initials too."""
    sample = data[:SAMPLE]
    return None if is_text(decode(sample), len(sample)) else found


def _package_format(data: bytes) -> str:
    try:
        return _format_by_members(open_zip(data))
    except ZIP_ERRORS as error:
        raise DocumentError("corrupt", f"a broken ZIP package: {error}") from error


def _format_by_members(package: zipfile.ZipFile) -> str:
    names = package.namelist()
    if "mimetype" in names and package.getinfo("mimetype").file_size < HEAD_BYTES:
        mimetype = package.read("mimetype").decode("ascii", "replace").strip().removesuffix("-template")
        if mimetype in PACKAGE_MIMETYPES or mimetype.startswith(_FOREIGN_MIMETYPES):
            return PACKAGE_MIMETYPES.get(mimetype, mimetype)
    if "[Content_Types].xml" in names:
        for folder, found in PACKAGE_FOLDERS:
            if any(name.startswith(folder) for name in names):
                return found
    if "content.xml" in names and "META-INF/manifest.xml" in names:
        return "odt"
    members = set(names)
    return next((found for member, found in PACKAGE_MEMBERS if member in members), "") or next(
        (found for ending, found in PACKAGE_MEMBER_ENDINGS if any(name.endswith(ending) for name in names)),
        "zip",
    )


def _compound_format(data: bytes) -> str:
    import olefile  # type: ignore[import-untyped,unused-ignore]

    try:
        with olefile.OleFileIO(data) as compound:
            top = {str(names[0]).lower() for names in compound.listdir(streams=True, storages=True)}
            if is_encrypted(compound):
                return "encrypted"
    except MemoryError:
        raise
    except Exception as error:  # olefile raises whatever struct and indexing raise on hostile bytes
        raise DocumentError("corrupt", f"a broken compound file: {error}") from error
    return next((found for stream, found in COMPOUND_STREAMS if stream.lower() in top), "compound file")


def _text_format(data: bytes, suffix: str) -> str:
    sample = data[:SAMPLE]
    head = decode(sample)
    if not is_text(head, len(sample)) and not (suffix in _TEXT_SUFFIXES and _is_padded_text(head)):
        return "unknown binary data"
    if _HTML.match(head):
        return "html"
    if suffix == ".rtf" and head.lstrip().startswith("{\\"):
        return "rtf"
    found = _FORMAT_BY_SUFFIX.get(suffix) or _text_format_by_content(head) or "txt"
    return _specific_format(found, head, data[-HEAD_BYTES:])


def _is_padded_text(head: str) -> bool:
    """Whether it is text but for zero bytes, which some programs fill their fields or lines with."""
    words = head.replace("\0", "")
    return len(words) >= len(head) * _TEXT_SHARE and is_text(words, len(words))


def _text_format_by_content(head: str) -> str | None:
    head = _APPLE_MAIL_LENGTH.sub("", head)
    if head.startswith("From ") and _MAIL.match(head):
        return "mbox"
    header = _MAIL.match(head)
    fields = set(_MAIL_FIELDS.findall(header.group().lower())) if header else set()
    if len(fields) >= 3 or {"mime-version:", "content-type:"} <= fields:
        return "eml"
    if _XML.match(head):
        return "xml"
    return "json" if _JSON.match(head) else None


def _specific_format(found: str, head: str, tail: bytes) -> str:
    """The format within XML or JSON: an Office document in one XML file names its program; a notebook is
    JSON, and says so at either end.
    """
    if found == "xml" and (office := _OFFICE_XML.search(head[: 4 * HEAD_BYTES])):
        return (
            PACKAGE_MIMETYPES.get(office[1].removesuffix("-template"), "xml")
            if office[1]
            else "office_2003_xml"
        )
    if found == "json" and '"cells"' in head and ('"nbformat"' in head or b'"nbformat"' in tail):
        return "ipynb"
    return found
