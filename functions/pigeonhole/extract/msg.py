"""Outlook messages: who wrote what to whom, and whatever is attached, messages inside included."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import html, lzfu, rtf
from pigeonhole.extract.decode import code_page, decode
from pigeonhole.extract.nested import attached
from pigeonhole.extract.parts import ATTACHED, NOT_READ, Facts, Part, Source

if TYPE_CHECKING:
    from olefile import OleFileIO  # type: ignore[import-untyped,unused-ignore]

Storage = tuple[str, ...]

SUBJECT, BODY, BODY_HTML, BODY_RTF = "0037", "1000", "1013", "1009"
SENDER_NAME, SENDER_SMTP, SENDER_MAIL, SENT_FOR = "0C1A", "5D01", "0C1F", "0042"
TO, CC = "0E04", "0E03"
LONG_NAME, SHORT_NAME, LABEL, DATA = "3707", "3704", "3001", "3701"
SENT, DELIVERED, CODEPAGE, MESSAGE_CODEPAGE = 0x0039, 0x0E06, 0x3FDE, 0x3FFD
SMTP, MAIL, ROLE = "39FE", "3003", 0x0C15
_ATTACHED, _RECIPIENT = "__attach_version1.0_", "__recip_version1.0_"
_TIME = 0x40
MOST_RECIPIENTS = 100  # to look each up takes time by the square of how many there are
_HEADS = (32, 24, 8)
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


def read(source: Source) -> Iterator[Part]:
    """The message, then its attachments."""
    import olefile  # type: ignore[import-untyped,unused-ignore]

    try:
        ole = olefile.OleFileIO(source.data)
    except MemoryError:
        raise
    except Exception as error:  # olefile raises whatever struct and indexing raise on hostile bytes
        raise DocumentError("corrupt", f"a broken compound file: {error}") from error
    with ole:
        message = Message(ole, ())
        yield Facts(title=message.text(SUBJECT), author=message.sender, created=message.date)
        yield from _message(source, message, 0)


def _message(source: Source, message: Message, depth: int) -> Iterator[Part]:
    shown = {
        "Subject": message.text(SUBJECT),
        "From": message.sender,
        "To": message.people(TO, 1),
        "Cc": message.people(CC, 2),
        "Date": message.date,
    }
    yield "\n".join(f"{name}: {value}" for name, value in shown.items() if value)
    yield from message.body(source.limits.chars)
    for storage in message.attachments():
        yield from _attachment(source, Message(message.ole, storage, message), depth)


def _attachment(source: Source, holder: Message, depth: int) -> Iterator[Part]:
    name = holder.text(LONG_NAME) or holder.text(SHORT_NAME) or holder.text(LABEL) or "attachment"
    data = holder.stream(f"__substg1.0_{DATA}0102")
    inside = (*holder.storage, f"__substg1.0_{DATA}000D")
    if data is not None:
        yield from attached(source, name, data)
    elif depth >= source.limits.depth or not source.budget.take("members"):
        yield Facts(cut="depth")
    elif holder.ole.exists([*inside, "__properties_version1.0"]):
        yield f"{ATTACHED}{name}]"
        yield from _message(source, Message(holder.ole, inside), depth + 1)
    else:
        yield f"{NOT_READ}{name}: unsupported_type]"
        yield Facts(failed=1)


class Message:
    """The properties of a message or attachment: streams in its storage, and a table of the small ones."""

    def __init__(self, ole: OleFileIO[Any], storage: Storage, around: Message | None = None) -> None:
        self.ole = ole
        self.storage = storage
        self._small = dict(self._table())
        inherited = around.codepage if around else 0
        self.codepage: int = self._small.get(MESSAGE_CODEPAGE) or self._small.get(CODEPAGE) or inherited

    def attachments(self) -> list[Storage]:
        """The storages of what is attached."""
        return self._storages(_ATTACHED)

    def people(self, listed: str, role: int) -> str | None:
        """Those of one role by name and address; else as the message lists them."""
        storages = self._storages(_RECIPIENT)
        if len(storages) > MOST_RECIPIENTS and (names := self.text(listed)):
            return names
        found = (Message(self.ole, storage, self) for storage in storages)
        shown = [one.name for one in found if one.role == role and one.name]
        return "; ".join(shown) or self.text(listed)

    @property
    def role(self) -> int:
        """Of a recipient: 1 To, 2 Cc, 3 Bcc."""
        return self._small.get(ROLE, 0)

    @property
    def name(self) -> str | None:
        """Of a recipient: name and address, as far as stated."""
        return _named(self.text(LABEL), self.text(SMTP) or self.text(MAIL))

    def _storages(self, beginning: str) -> list[Storage]:
        depth = len(self.storage)
        found = dict.fromkeys(
            tuple(path[: depth + 1])
            for path in self.ole.listdir()
            if tuple(path[:depth]) == self.storage and len(path) > depth + 1
        )
        return [storage for storage in found if storage[-1].startswith(beginning)]

    def stream(self, name: str) -> bytes | None:
        """A stream's bytes, or None where there is none or it is broken."""
        path = [*self.storage, name]
        try:
            if not self.ole.exists(path) or self.ole.get_type(path) != 2:
                return None
            with self.ole.openstream(path) as stream:
                data: bytes = stream.read()
                return data
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001  hostile bytes: a property that cannot be read is not there
            return None

    def text(self, tag: str) -> str | None:
        """A property as characters, Unicode or in the message's code page."""
        wide = self.stream(f"__substg1.0_{tag}001F")
        if wide is not None:
            return wide.decode("utf-16-le", "replace").strip("\0 ") or None
        narrow = self.stream(f"__substg1.0_{tag}001E")
        return self._decoded(narrow).strip("\0 ") or None if narrow else None

    @property
    def sender(self) -> str | None:
        """Name and address, as far as stated."""
        name = self.text(SENDER_NAME) or self.text(SENT_FOR)
        address = self.text(SENDER_SMTP) or self.text(SENDER_MAIL)
        return _named(name, address)

    @property
    def date(self) -> str | None:
        """When it was sent, or else delivered."""
        ticks = self._small.get(SENT) or self._small.get(DELIVERED)
        try:
            return (_EPOCH + timedelta(microseconds=ticks // 10)).isoformat() if ticks else None
        except OverflowError:
            return None

    def body(self, most: int) -> Iterator[Part]:
        """The plain text; else what the HTML or the RTF says."""
        if plain := self.text(BODY):
            yield plain
        elif page := self.stream(f"__substg1.0_{BODY_HTML}0102") or self.text(BODY_HTML):
            yield from html.inside(page)
        elif packed := self.stream(f"__substg1.0_{BODY_RTF}0102"):
            yield from rtf.Reader(lzfu.unpacked(packed, most * 8)).parts()

    def _decoded(self, data: bytes) -> str:
        return decode(data, code_page(self.codepage))

    def _table(self) -> Iterator[tuple[int, int]]:
        """The fixed-size properties; the table's head has one of three sizes, by where it stands."""
        table = self.stream("__properties_version1.0") or b""
        head = _HEADS[0] if not self.storage else _HEADS[2] if self._inside() else _HEADS[1]
        for at in range(head, len(table) - 15, 16):
            kind, tag, _, value = struct.unpack_from("<HHIQ", table, at)
            yield tag, value if kind == _TIME else value & 0xFFFFFFFF

    def _inside(self) -> bool:
        return self.storage[-1].startswith((_ATTACHED, _RECIPIENT))


def _named(name: str | None, address: str | None) -> str | None:
    shown = address if address and "@" in address and address != name else None
    return f"{name or ''} <{shown}>".strip() if shown else name
