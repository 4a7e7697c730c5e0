"""What a document is, by its content; its name only decides between kinds of text."""

from __future__ import annotations

import re
import zipfile

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.decode import SAMPLE, decode, is_text
from pigeonhole.extract.legacy import locked
from pigeonhole.extract.magic import FOLDERS, INSIDE, MAGIC, MEMBER_ENDINGS, MEMBERS, MIMETYPES, STREAMS
from pigeonhole.extract.package import Broken, opened

HEAD = 1_024
IMAGES = frozenset({"jpeg", "png", "gif", "webp", "tiff", "bmp"})

_TEXT_NAMES = {
    **dict.fromkeys((".md", ".markdown"), "md"),
    **dict.fromkeys((".csv", ".tsv"), "csv"),
    **dict.fromkeys((".json", ".ipynb"), "json"),
    **dict.fromkeys((".xml", ".svg"), "xml"),
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    ".eml": "eml",
    ".mbox": "mbox",
}
_TEXTS = (*_TEXT_NAMES, ".txt", ".log")
_WORDS = 0.8
_HTML = re.compile(
    r"(?:\s|<!--.*?-->)*+"
    r"<(?:!doctype\s+html|html|head|body|title|meta|p|div|h[1-6]|table|center|font|ul|ol|script)\b"
    r"|(?:\s|<!--.*?-->|<\?xml[^>]*>)*+<(?:!doctype\s+html|html)\b",
    re.IGNORECASE | re.DOTALL,
)
_MAIL = re.compile(r"(?:(?:From |>From ).*\n)?(?:[A-Za-z][\w-]*:.*(?:\r?\n[ \t].*)*\r?\n){2,}", re.ASCII)
_LENGTH = re.compile(r"\A\d{1,9} *\r?\n(?=[A-Za-z-]{2,40}:)")  # which Apple Mail puts before a message
_MAIL_FIELDS = re.compile(
    r"^(?:received|return-path|message-id|mime-version|from|to|subject|date|delivered-to|content-type|x-[\w-]+):",
    re.IGNORECASE | re.MULTILINE,
)
_XML = re.compile(r"\s*(?:<\?xml|<!DOCTYPE\s+(?!html)|<svg\b|<[\w.-]+:[\w.-]+\s+xmlns)", re.IGNORECASE)
_FLAT = re.compile(
    r"<office:document\s[^>]*?office:mimetype=[\"']([\w./-]+)|"
    r"<\?mso-application\s+progid=.(?:Word.Document|Excel.Sheet)|<w:wordDocument\s|"
    r"<(?:ss:)?Workbook\s[^>]*?urn:schemas-microsoft-com:office:spreadsheet"
)
_JSON = re.compile(r"\s*[\[{][\s\"\[{\]}\d-]")


def kind(data: bytes, name: str) -> str:
    """The kind in the table, or a plain name of what is not read; DocumentError `encrypted` or `empty`."""
    if not data:
        raise DocumentError("empty", "0 bytes")
    found = _by_magic(data) or _text_kind(data, _suffix(name))
    if found == "encrypted":
        raise DocumentError("encrypted", "an Office document with a password")
    return found


def _suffix(name: str) -> str:
    _, dot, ending = name.rpartition("/")[2].rpartition(".")
    return f"{dot}{ending.lower()}"


def _by_magic(data: bytes) -> str | None:
    for magic, found in MAGIC:
        if data.startswith(magic):
            return found if found in IMAGES or found == "rtf" else _unless_text(data, found)
    start = data.find(b"%PDF-", 0, HEAD)
    if start == 0 or (b" obj" in data[: 2 * HEAD] and (start > 0 or b"%%EOF" in data[-HEAD:])):
        return "pdf"
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _package(data)
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _compound(data)
    if data.startswith(b"BM") and data[6:10] == bytes(4):
        return "bmp"
    if data.startswith(b"RIFF"):
        return "webp" if data[8:12] == b"WEBP" else _unless_text(data, "sound or film")
    return next((_unless_text(data, found) for at, sign, found in INSIDE if data.startswith(sign, at)), None)


def _unless_text(data: bytes, found: str) -> str | None:
    """Words may begin like a program does: `MZ` and `ID3` are initials too."""
    sample = data[:SAMPLE]
    return None if is_text(decode(sample), len(sample)) else found


def _package(data: bytes) -> str:
    try:
        return _packed(opened(data))
    except Broken as error:
        raise DocumentError("corrupt", f"a broken ZIP package: {error}") from error


def _packed(package: zipfile.ZipFile) -> str:
    names = package.namelist()
    if "mimetype" in names and package.getinfo("mimetype").file_size < HEAD:
        mime = package.read("mimetype").decode("ascii", "replace").strip().removesuffix("-template")
        if mime in MIMETYPES or mime.startswith(("application/vnd.", "application/x-", "image/")):
            return MIMETYPES.get(mime, mime)
    if "[Content_Types].xml" in names:
        for start, found in FOLDERS:
            if any(name.startswith(start) for name in names):
                return found
    if "content.xml" in names and "META-INF/manifest.xml" in names:
        return "odt"
    known = set(names)
    return next((found for member, found in MEMBERS if member in known), "") or next(
        (found for end, found in MEMBER_ENDINGS if any(name.endswith(end) for name in names)), "zip"
    )


def _compound(data: bytes) -> str:
    import olefile  # type: ignore[import-untyped,unused-ignore]

    try:
        with olefile.OleFileIO(data) as compound:
            top = {str(names[0]).lower() for names in compound.listdir(streams=True, storages=True)}
            if locked(compound):
                return "encrypted"
    except MemoryError:
        raise
    except Exception as error:  # olefile raises whatever struct and indexing raise on hostile bytes
        raise DocumentError("corrupt", f"a broken compound file: {error}") from error
    return next((found for stream, found in STREAMS if stream.lower() in top), "compound file")


def _text_kind(data: bytes, suffix: str) -> str:
    sample = data[:SAMPLE]
    head = decode(sample)
    if not is_text(head, len(sample)) and not (suffix in _TEXTS and _is_padded_text(head)):
        return "unknown binary data"
    if _HTML.match(head):
        return "html"
    if suffix == ".rtf" and head.lstrip().startswith("{\\"):
        return "rtf"
    named = _TEXT_NAMES.get(suffix)
    return _refined(named or _looks(head) or "txt", head, data[-HEAD:])


def _is_padded_text(head: str) -> bool:
    """Whether it is text but for zero bytes, which some programs fill their fields or lines with."""
    words = head.replace("\0", "")
    return len(words) >= len(head) * _WORDS and is_text(words, len(words))


def _looks(head: str) -> str | None:
    head = _LENGTH.sub("", head)
    if head.startswith("From ") and _MAIL.match(head):
        return "mbox"
    fields = _MAIL.match(head)
    found = set(_MAIL_FIELDS.findall(fields.group().lower())) if fields else set()
    if len(found) >= 3 or {"mime-version:", "content-type:"} <= found:
        return "eml"
    if _XML.match(head):
        return "xml"
    return "json" if _JSON.match(head) else None


def _refined(found: str, head: str, tail: bytes) -> str:
    """An Office document in one XML file names its program; a notebook is JSON, and says so at either end."""
    if found == "xml" and (sign := _FLAT.search(head[: 4 * HEAD])):
        return MIMETYPES.get(sign[1].removesuffix("-template"), "xml") if sign[1] else "office_2003_xml"
    if found == "json" and '"cells"' in head and ('"nbformat"' in head or b'"nbformat"' in tail):
        return "ipynb"
    return found
