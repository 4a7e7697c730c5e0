"""E-mail: its headers, its text, and whatever is attached, read by what it is."""

from __future__ import annotations

import base64
import email
import email.errors
import email.header
import email.utils
import re
from collections.abc import Iterator
from email.message import Message

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import html
from pigeonhole.extract.decode import decode
from pigeonhole.extract.nested import attached
from pigeonhole.extract.parts import Facts, Part, Source, up_to

_SHOWN = ("Subject", "From", "To", "Cc", "Date")
_HTML_WINS = 5
# Apple Mail puts a message's length before it, and what it knows of it behind.
_APPLE_MAIL = re.compile(rb"(\d{1,9}) *\r?\n(?=[A-Za-z-]{2,40}:)")
LONGEST_HEADER = 20_000
MOST_LINES = 1_000_000
_SIGNATURES = frozenset(
    ("application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature")
)
# Parts that dress others, and pages for mail programs that nobody has.
_DRESS = frozenset(
    ("text/css", "text/javascript", "application/javascript", "application/x-javascript", "text/x-amp-html")
)


def read(source: Source) -> Iterator[Part]:
    """The message, then its attachments."""
    counted = _APPLE_MAIL.match(source.data)
    start, end = (counted.end(), counted.end() + int(counted[1])) if counted else (0, None)
    yield from message(source, source.data[start:end])


def message(source: Source, data: bytes) -> Iterator[Part]:
    """One message of a document that may hold many; DocumentError `encrypted`."""
    fitting = up_to(MOST_LINES, b"\n", data)
    mail = email.message_from_bytes(fitting)
    if _locked(mail):
        raise DocumentError("encrypted", "a message for one recipient's key")
    yield Facts(title=_header(mail, "Subject"), author=_header(mail, "From"), created=_date(mail))
    headers = [(name, _header(mail, name)) for name in _SHOWN]
    yield "\n".join(f"{name}: {value}" for name, value in headers if value)
    leaves = list(_leaves(mail))
    yield from _body([leaf for leaf in leaves if _is_body(leaf)])
    for leaf in (leaf for leaf in leaves if not _is_body(leaf)):
        yield from attached(source, shown(leaf.get_filename() or leaf.get_content_type()), _payload(leaf))
    if len(fitting) < len(data):
        yield Facts(cut="chars")


def _locked(mail: Message) -> bool:
    kind, secret = mail.get_content_type(), str(mail.get_param("smime-type", "")).lower()
    return kind == "multipart/encrypted" or (kind.endswith("pkcs7-mime") and not secret.startswith("signed"))


def _leaves(part: Message) -> Iterator[Message]:
    """What is not made of parts; a message inside is one thing, to be read as a message."""
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        for inside in _inside(part):
            yield from _leaves(inside)
    else:
        kind = part.get_content_type()
        dress = kind in _DRESS and part.get_content_disposition() != "attachment"
        if not dress and kind not in _SIGNATURES:
            yield part


def _header(message: Message, name: str) -> str | None:
    """Also one in eight bits a character, as some programs write them, which the parser would not decode."""
    value = next((str(raw) for given, raw in message.raw_items() if given.lower() == name.lower()), "")
    if not value.isascii():
        value = decode(value.encode("utf-8", "surrogateescape"))
    return shown(value) or None


def shown(value: object) -> str:
    """A header as a mail program shows it."""
    value = str(value)[:LONGEST_HEADER]
    try:
        words = str(email.header.make_header(email.header.decode_header(value)))
    except (LookupError, ValueError, email.errors.MessageError):
        words = value
    return " ".join(words.split())


def _date(message: Message) -> str | None:
    try:
        return email.utils.parsedate_to_datetime(str(message["Date"])).isoformat()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _body(parts: list[Message]) -> list[Part]:
    """The plain text, unless the HTML says much more."""
    plain = "\n\n".join(_text(part) for part in parts if part.get_content_subtype() != "html").strip()
    pages = [_text(part) for part in parts if part.get_content_subtype() == "html"]
    if sum(map(len, pages)) <= _HTML_WINS * len(plain):
        return [plain]
    rich = [part for page in pages for part in html.inside(page)]
    words = sum(len(part) for part in rich if isinstance(part, str))
    return rich if words > _HTML_WINS * len(plain) else [plain]


def _is_body(part: Message) -> bool:
    return (
        part.get_content_maintype() == "text"
        and part.get_content_disposition() != "attachment"
        and not part.get_filename()
    )


def _inside(part: Message) -> list[Message]:
    inside = part.get_payload()
    return [one for one in inside if isinstance(one, Message)] if isinstance(inside, list) else []


def _payload(part: Message) -> bytes:
    if part.is_multipart():
        whole = b"\n\n".join(inside.as_bytes() for inside in _inside(part))
        return _unpacked(whole) if part.get("Content-Transfer-Encoding", "").lower() == "base64" else whole
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _unpacked(data: bytes) -> bytes:
    """A message inside must not be in base64, but often is."""
    try:
        return base64.b64decode(data)
    except ValueError:
        return data


def _text(part: Message) -> str:
    return decode(_payload(part), part.get_content_charset())
