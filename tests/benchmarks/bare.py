"""The libraries called bare, one function a kind: what the whole path is measured against."""

from __future__ import annotations

import email
import email.policy
import io
import json
import subprocess
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

from infra.dev.bootstrap import environment

Bare = Callable[[Path], str]


def pdf(path: Path) -> str:
    from pypdfium2 import PdfDocument

    document = PdfDocument(path)
    return "\n".join(page.get_textpage().get_text_range() for page in document).replace("\x02", "")


def office(path: Path) -> str:
    from office_oxide import Document

    return str(Document.open(path).to_markdown())


def sheets(path: Path) -> str:
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(path)
    rows = (row for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python())
    return "\n".join("\t".join(map(str, row)) for row in rows)


def html(path: Path) -> str:
    return _page(path.read_bytes())


def _page(data: bytes) -> str:
    from selectolax.lexbor import LexborHTMLParser

    page = LexborHTMLParser(data)
    page.strip_tags(["script", "style"])
    return page.body.text(separator="\n") if page.body else ""


def open_document(path: Path) -> str:
    with zipfile.ZipFile(path) as package:
        return "\n".join(ElementTree.fromstring(package.read("content.xml")).itertext())  # noqa: S314  in a child of its own


def epub(path: Path) -> str:
    with zipfile.ZipFile(path) as package:
        pages = [name for name in package.namelist() if name.endswith(("html", "htm"))]
        return "\n".join(_page(package.read(name)) for name in pages)


def mail(path: Path) -> str:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    body = message.get_body(("plain", "html"))
    return str(body.get_content()) if body else ""


def outlook(path: Path) -> str:
    from oxmsg import Message

    message = Message.load(str(path))
    return f"{message.subject}\n{message.body or message.html_body or ''}"


def rtf(path: Path) -> str:
    from striprtf.striprtf import rtf_to_text

    return rtf_to_text(path.read_text("latin-1"), errors="ignore")


def text(path: Path) -> str:
    import chardet

    data = path.read_bytes()
    return data.decode(chardet.detect(data)["encoding"] or "cp1252", "replace")


def image(path: Path) -> str:
    from PIL import Image

    with Image.open(path) as picture:
        flat = picture.convert("RGB")
        flat.thumbnail((1_568, 1_568))
        flat.save(io.BytesIO(), "JPEG", quality=80)
    return "image"


BARE: dict[str, tuple[str, Bare]] = {
    "pdf": ("pypdfium2", pdf),
    **dict.fromkeys(("docx", "doc", "pptx", "ppt"), ("office-oxide", office)),
    **dict.fromkeys(("xlsx", "xlsb", "xls"), ("python-calamine", sheets)),
    **dict.fromkeys(("odt", "ods", "odp"), ("ElementTree", open_document)),
    **dict.fromkeys(("jpeg", "png", "gif", "webp", "tiff", "bmp"), ("pillow", image)),
    **dict.fromkeys(("txt", "md", "csv", "json", "xml"), ("chardet", text)),
    "html": ("selectolax", html),
    "eml": ("email", mail),
    "msg": ("python-oxmsg", outlook),
    "rtf": ("striprtf", rtf),
    "epub": ("selectolax", epub),
}

_MARKITDOWN = """
import json, os, resource, sys, time
from markitdown import MarkItDown
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
converter, paths = MarkItDown(), sorted(json.load(sys.stdin), key=os.path.getsize)
for path in [paths[0], *paths]:
    start = time.process_time()
    try:
        converter.convert(path)
    except Exception:
        continue
    print(json.dumps([path, time.process_time() - start]), flush=True)
"""


@cache
def _markitdown() -> Path | None:
    """The Python that has it, installed if it is not there; None where it cannot be."""
    try:
        return environment("markitdown")
    except (OSError, subprocess.CalledProcessError):
        return None


def markitdown(paths: list[Path]) -> dict[Path, float] | None:
    """Processor seconds for each file that it reads in a minute, the smallest first; None where it is not.

    It reads the smallest one twice, for the first time to be no part of the figure.
    """
    python = _markitdown()
    if python is None:
        return None
    ran = subprocess.run(
        [python, "-I", "-c", _MARKITDOWN],
        input=json.dumps([str(path) for path in paths]),
        capture_output=True,
        text=True,
        check=False,  # the minute ends it
    )
    return {Path(path): seconds for path, seconds in map(json.loads, ran.stdout.splitlines())}
