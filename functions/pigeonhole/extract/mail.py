"""E-mail (RFC 822 and MIME): its headers, its text, and each attachment read as the document that it is."""

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
from pigeonhole.extract.interface import Metadata, NotRead, Segment, Source, truncated
from pigeonhole.extract.nested import read_attached

_SHOWN_HEADERS = ("Subject", "From", "To", "Cc", "Date")
_HTML_WINS = 5  # from so many times the text of the plain part on, the HTML is the message
# Apple Mail writes a message's length before it, and a property list behind it.
_APPLE_MAIL = re.compile(rb"(\d{1,9}) *\r?\n(?=[A-Za-z-]{2,40}:)")
LONGEST_HEADER = 20_000
MOST_LINES = 1_000_000
_SIGNATURES = frozenset(
    ("application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature")
)
# Parts that only style others, and AMP pages, which few mail programs show.
_STYLING_TYPES = frozenset(
    ("text/css", "text/javascript", "application/javascript", "application/x-javascript", "text/x-amp-html")
)


def read(source: Source) -> Iterator[Segment]:
    """The message, then its attachments; raises DocumentError `encrypted`."""
    apple_mail = _APPLE_MAIL.match(source.data)
    start, end = (apple_mail.end(), apple_mail.end() + int(apple_mail[1])) if apple_mail else (0, None)
    yield from read_message(source, source.data[start:end])


def read_message(source: Source, data: bytes) -> Iterator[Segment]:
    """One message of a document that may hold many; raises DocumentError `encrypted`."""
    fitting = truncated(data, most=MOST_LINES, separator=b"\n")
    mail = email.message_from_bytes(fitting)
    if _is_encrypted(mail):
        raise DocumentError("encrypted", "a message for one recipient's key")
    yield Metadata(title=_header(mail, "Subject"), author=_header(mail, "From"), created=_date(mail))
    headers = [(name, _header(mail, name)) for name in _SHOWN_HEADERS]
    yield "\n".join(f"{name}: {value}" for name, value in headers if value)
    leaves = list(_leaves(mail))
    yield from _body([leaf for leaf in leaves if _is_body(leaf)])
    for leaf in (leaf for leaf in leaves if not _is_body(leaf)):
        name = decode_header(leaf.get_filename() or leaf.get_content_type())
        yield from read_attached(source, name, _payload(leaf))
    if len(fitting) < len(data):
        yield NotRead(name="the rest", reason="chars", parts=0)


def _is_encrypted(mail: Message) -> bool:
    content_type, smime_type = mail.get_content_type(), str(mail.get_param("smime-type", "")).lower()
    is_sealed = content_type.endswith("pkcs7-mime") and not smime_type.startswith("signed")
    return content_type == "multipart/encrypted" or is_sealed


def _leaves(part: Message) -> Iterator[Message]:
    """The parts that have no parts; a forwarded message is one of them, to be read as a message."""
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        for subpart in _subparts(part):
            yield from _leaves(subpart)
    else:
        content_type = part.get_content_type()
        is_styling = content_type in _STYLING_TYPES and part.get_content_disposition() != "attachment"
        if not is_styling and content_type not in _SIGNATURES:
            yield part


def _header(mail: Message, name: str) -> str | None:
    """A header as a mail program shows it, also one in raw bytes, which the parser does not decode."""
    value = next((str(raw) for given, raw in mail.raw_items() if given.lower() == name.lower()), "")
    if not value.isascii():
        value = decode(value.encode("utf-8", "surrogateescape"))
    return decode_header(value) or None


def decode_header(value: object) -> str:
    """A header's encoded words (RFC 2047) decoded, in one line; as it stands where they are broken."""
    value = str(value)[:LONGEST_HEADER]
    try:
        words = str(email.header.make_header(email.header.decode_header(value)))
    except (LookupError, ValueError, email.errors.MessageError):
        words = value
    return " ".join(words.split())


def _date(mail: Message) -> str | None:
    try:
        return email.utils.parsedate_to_datetime(str(mail["Date"])).isoformat()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _body(parts: list[Message]) -> list[Segment]:
    """The plain text, unless the HTML says much more."""
    plain = "\n\n".join(_text(part) for part in parts if part.get_content_subtype() != "html").strip()
    pages = [_text(part) for part in parts if part.get_content_subtype() == "html"]
    if sum(map(len, pages)) <= _HTML_WINS * len(plain):
        return [plain]
    rich = [segment for page in pages for segment in html.read_embedded(page)]
    chars = sum(len(segment) for segment in rich if isinstance(segment, str))
    return rich if chars > _HTML_WINS * len(plain) else [plain]


def _is_body(part: Message) -> bool:
    return (
        part.get_content_maintype() == "text"
        and part.get_content_disposition() != "attachment"
        and not part.get_filename()
    )


def _subparts(part: Message) -> list[Message]:
    payload = part.get_payload()
    return (
        [subpart for subpart in payload if isinstance(subpart, Message)] if isinstance(payload, list) else []
    )


def _payload(part: Message) -> bytes:
    if part.is_multipart():
        data = b"\n\n".join(subpart.as_bytes() for subpart in _subparts(part))
        return _from_base64(data) if part.get("Content-Transfer-Encoding", "").lower() == "base64" else data
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _from_base64(data: bytes) -> bytes:
    """A forwarded message, which by the standard must not be in base64, but often is."""
    try:
        return base64.b64decode(data)
    except ValueError:
        return data


def _text(part: Message) -> str:
    return decode(_payload(part), part.get_content_charset())
