"""Writes small PDF files: pages of text, pages that are a picture, with and without a password."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

_PAD = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
_ID = bytes(range(16))


class Picture:
    """A page that is nothing but a JPEG."""

    def __init__(self, jpeg: bytes, width: int, height: int) -> None:
        self.jpeg, self.width, self.height = jpeg, width, height


def pdf(pages: Sequence[list[str] | Picture], *, title: str = "", user: str | None = None) -> bytes:
    """A PDF; `user` is its user password (an empty one opens for everybody), None is no encryption."""
    lock = _Lock(user) if user is not None else None
    objects: dict[int, bytes] = {3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"}
    kids = []
    for page in pages:
        at = max(objects) + 1
        objects.update(_page(page, at))
        kids.append(f"{at} 0 R")
    objects[1] = b"<< /Type /Catalog /Pages 2 0 R >>"
    objects[2] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>".encode()
    info = max(objects) + 1
    said = title.encode("latin-1")
    objects[info] = b"<< /Title <" + (lock.rc4(info, said) if lock else said).hex().encode() + b"> >>"
    return _file(objects, info, lock)


def form(lines: list[str], fields: dict[str, str], *, dynamic: bool = False) -> bytes:
    """A PDF of one page whose fields somebody filled in; a dynamic one makes its real pages itself (XFA)."""
    objects: dict[int, bytes] = {
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        **_page(lines, 4),
    }
    widgets = b"".join(b"%d 0 R " % at for at in range(7, 7 + len(fields)))
    for at, (name, value) in enumerate(fields.items(), 7):
        said = b"/T (%s) /V (%s)" % (_escaped(name), _escaped(value))
        objects[at] = b"<< /Type /Annot /Subtype /Widget /FT /Tx %s /Rect [60 500 300 520] >>" % said
    objects[4] = objects[4].replace(b"/Type /Page ", b"/Type /Page /Annots [%s] " % widgets)
    xfa = b" /XFA [(template) 5 0 R]" if dynamic else b""
    rendering = b" /NeedsRendering true" if dynamic else b""
    objects[1] = b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [%s]%s >>%s >>" % (
        widgets,
        xfa,
        rendering,
    )
    objects[2] = b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>"
    objects[6] = b"<< /Title (Form) >>"
    return _file(objects, 6, None)


def _page(page: list[str] | Picture, at: int) -> dict[int, bytes]:
    resources = f"/Font << /F1 3 0 R >> /XObject << /Im {at + 2} 0 R >>".encode()
    head = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R /Resources << %s >> >>" % (
        at + 1,
        resources,
    )
    if isinstance(page, Picture):
        drawn = b"q 595 0 0 842 0 0 cm /Im Do Q"
        size = f"/Width {page.width} /Height {page.height}".encode()
        kind = (
            b"/Type /XObject /Subtype /Image /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode "
        )
        return {at: head, at + 1: _stream(drawn), at + 2: _stream(page.jpeg, kind + size)}
    shown = b" T* ".join(b"(%s) Tj" % _escaped(line) for line in page)
    return {at: head, at + 1: _stream(b"BT /F1 12 Tf 15 TL 60 780 Td %s ET" % shown)}


def _escaped(line: str) -> bytes:
    text = line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return text.encode("cp1252")


def _stream(data: bytes, said: bytes = b"") -> bytes:
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (said, len(data), data)


def _file(objects: dict[int, bytes], info: int, lock: _Lock | None) -> bytes:
    out = bytearray(b"%PDF-1.4\n")
    places = {}
    for number, body in sorted(objects.items()):
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, lock.streams(number, body) if lock else body)
    start, size = len(out), max(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for number in range(1, size):
        out += b"%010d 00000 n \n" % places[number] if number in places else b"0000000000 65535 f \n"
    encrypt = b" /Encrypt << %s >>" % lock.said() if lock else b""
    ids = _ID.hex().encode()
    out += b"trailer << /Size %d /Root 1 0 R /Info %d 0 R /ID [<%s> <%s>]%s >>\n" % (
        size,
        info,
        ids,
        ids,
        encrypt,
    )
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % start


class _Lock:
    """The 40-bit security of PDF 1.4: no protection today, but a lock all the same."""

    def __init__(self, user: str) -> None:
        password = (user.encode() + _PAD)[:32]
        self.owner = _rc4(_md5(_PAD)[:5], password)
        self.key = _md5(password + self.owner + (0xFFFFFFFC).to_bytes(4, "little") + _ID)[:5]
        self.user = _rc4(self.key, _PAD)

    def said(self) -> bytes:
        owner, user = self.owner.hex().encode(), self.user.hex().encode()
        return b"/Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s>" % (owner, user)

    def rc4(self, number: int, data: bytes) -> bytes:
        return _rc4(_md5(self.key + number.to_bytes(3, "little") + b"\0\0")[:10], data)

    def streams(self, number: int, body: bytes) -> bytes:
        head, begin, rest = body.partition(b"\nstream\n")
        data, end, _ = rest.rpartition(b"\nendstream")
        return head + begin + self.rc4(number, data) + end if begin else body


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _rc4(key: bytes, data: bytes) -> bytes:
    state, swap = list(range(256)), 0
    for at in range(256):
        swap = (swap + state[at] + key[at % len(key)]) % 256
        state[at], state[swap] = state[swap], state[at]
    out, one, two = bytearray(), 0, 0
    for byte in data:
        one = (one + 1) % 256
        two = (two + state[one]) % 256
        state[one], state[two] = state[two], state[one]
        out.append(byte ^ state[(state[one] + state[two]) % 256])
    return bytes(out)
