"""The libraries called bare, one function a kind: what the whole path is measured against."""

from __future__ import annotations

import email
import email.policy
import io
import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

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


MARKITDOWN = Path(__file__).parents[2] / ".local" / "markitdown" / "bin" / "python"
_MARKITDOWN = """
import json, sys, time
from markitdown import MarkItDown
converter, took = MarkItDown(), {}
for path in json.load(sys.stdin):
    try:
        converter.convert(path)
        start = time.process_time()
        converter.convert(path)
        took[path] = time.process_time() - start
    except Exception:
        pass
print(json.dumps(took))
"""


def markitdown(paths: list[Path]) -> dict[Path, float]:
    """Processor seconds that it takes for each file that it reads, warm, in an environment of its own."""
    ran = subprocess.run(
        [MARKITDOWN, "-c", _MARKITDOWN],
        input=json.dumps([str(path) for path in paths]),
        capture_output=True,
        text=True,
        check=True,
    )
    took: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return {Path(path): seconds for path, seconds in took.items()}
