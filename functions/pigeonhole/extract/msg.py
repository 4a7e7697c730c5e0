"""Outlook messages (MS-OXMSG): headers, body and attachments, messages inside messages included."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import html, lzfu, rtf
from pigeonhole.extract.decode import code_page, decode
from pigeonhole.extract.interface import Attached, Metadata, NotRead, Segment, Source
from pigeonhole.extract.nested import read_attached

if TYPE_CHECKING:
    from olefile import OleFileIO  # type: ignore[import-untyped,unused-ignore]

StoragePath = tuple[str, ...]

# Property ids: those of streams as they stand in the streams' names, those of the table as numbers.
SUBJECT, BODY, BODY_HTML, BODY_RTF = "0037", "1000", "1013", "1009"
SENDER_NAME, SENDER_SMTP, SENDER_MAIL, SENT_FOR = "0C1A", "5D01", "0C1F", "0042"
TO, CC = "0E04", "0E03"
LONG_NAME, SHORT_NAME, LABEL, DATA = "3707", "3704", "3001", "3701"
SENT, DELIVERED, CODEPAGE, MESSAGE_CODEPAGE = 0x0039, 0x0E06, 0x3FDE, 0x3FFD
SMTP, MAIL, ROLE = "39FE", "3003", 0x0C15
_ATTACHED, _RECIPIENT = "__attach_version1.0_", "__recip_version1.0_"
_TIME = 0x40  # the property type of a date, which takes all eight bytes
MOST_RECIPIENTS = 100  # to look them up takes time by the square of their number
_HEADS = (32, 24, 8)  # bytes: of the message, of a message inside it, of an attachment or a recipient
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


def read(source: Source) -> Iterator[Segment]:
    """The message, then its attachments; raises DocumentError `corrupt`."""
    import olefile  # type: ignore[import-untyped,unused-ignore]

    try:
        ole = olefile.OleFileIO(source.data)
    except MemoryError:
        raise
    except Exception as error:  # olefile raises whatever struct and indexing raise on hostile bytes
        raise DocumentError("corrupt", f"a broken compound file: {error}") from error
    with ole:
        message = MsgObject(ole, ())
        yield Metadata(title=message.text(SUBJECT), author=message.sender, created=message.date)
        yield from _message(source, message, 0)


def _message(source: Source, message: MsgObject, depth: int) -> Iterator[Segment]:
    headers = {
        "Subject": message.text(SUBJECT),
        "From": message.sender,
        "To": message.recipients(TO, 1),
        "Cc": message.recipients(CC, 2),
        "Date": message.date,
    }
    yield "\n".join(f"{name}: {value}" for name, value in headers.items() if value)
    yield from message.body(source.limits.chars)
    for storage in message.attachments():
        yield from _attachment(source, MsgObject(message.ole, storage, message), depth)


def _attachment(source: Source, holder: MsgObject, depth: int) -> Iterator[Segment]:
    name = holder.text(LONG_NAME) or holder.text(SHORT_NAME) or holder.text(LABEL) or "attachment"
    data = holder.stream(f"__substg1.0_{DATA}0102")
    embedded = (*holder.storage, f"__substg1.0_{DATA}000D")
    if data is not None:
        yield from read_attached(source, name, data)
    elif depth >= source.limits.depth or not source.quota.take("members"):
        yield NotRead(name=name, reason="too_deep")
    elif holder.ole.exists([*embedded, "__properties_version1.0"]):
        yield Attached(name)
        yield from _message(source, MsgObject(holder.ole, embedded), depth + 1)
        yield Metadata(parts_read=1)
    else:
        yield NotRead(name=name, reason="unsupported_type")


class MsgObject:
    """A message, attachment or recipient: a storage with a stream for each long property, and a table of
    the short ones. `parent` lends its code page.
    """

    def __init__(self, ole: OleFileIO[Any], storage: StoragePath, parent: MsgObject | None = None) -> None:
        self.ole = ole
        self.storage = storage
        self._fixed = dict(self._table())
        inherited = parent.codepage if parent else 0
        self.codepage: int = self._fixed.get(MESSAGE_CODEPAGE) or self._fixed.get(CODEPAGE) or inherited

    def attachments(self) -> list[StoragePath]:
        """The storages of the attachments."""
        return self._storages(_ATTACHED)

    def recipients(self, tag: str, role: int) -> str | None:
        """The recipients of one role with their addresses; else the message's own line `tag`, names only."""
        storages = self._storages(_RECIPIENT)
        if len(storages) > MOST_RECIPIENTS and (listed_names := self.text(tag)):
            return listed_names
        recipients = (MsgObject(self.ole, storage, self) for storage in storages)
        names = [recipient.name for recipient in recipients if recipient.role == role and recipient.name]
        return "; ".join(names) or self.text(tag)

    @property
    def role(self) -> int:
        """Of a recipient: 1 for To, 2 for Cc, 3 for Bcc."""
        return self._fixed.get(ROLE, 0)

    @property
    def name(self) -> str | None:
        """Of a recipient: name and address, as far as stated."""
        return _name_and_address(self.text(LABEL), self.text(SMTP) or self.text(MAIL))

    def _storages(self, beginning: str) -> list[StoragePath]:
        depth = len(self.storage)
        storages = dict.fromkeys(
            tuple(path[: depth + 1])
            for path in self.ole.listdir()
            if tuple(path[:depth]) == self.storage and len(path) > depth + 1
        )
        return [storage for storage in storages if storage[-1].startswith(beginning)]

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
        """A property as text, stored in UTF-16 or in the message's code page; None where there is none."""
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
        return _name_and_address(name, address)

    @property
    def date(self) -> str | None:
        """When it was sent, or else delivered, in ISO 8601."""
        ticks = self._fixed.get(SENT) or self._fixed.get(DELIVERED)
        try:
            return (_EPOCH + timedelta(microseconds=ticks // 10)).isoformat() if ticks else None
        except OverflowError:
            return None

    def body(self, max_chars: int) -> Iterator[Segment]:
        """The plain text; else that of the HTML or the RTF, of which 8 bytes a character are unpacked."""
        if plain := self.text(BODY):
            yield plain
        elif page := self.stream(f"__substg1.0_{BODY_HTML}0102") or self.text(BODY_HTML):
            yield from html.read_embedded(page)
        elif packed := self.stream(f"__substg1.0_{BODY_RTF}0102"):
            yield from rtf.RtfParser(lzfu.decompress(packed, max_chars * 8)).passages()

    def _decoded(self, data: bytes) -> str:
        return decode(data, code_page(self.codepage))

    def _table(self) -> Iterator[tuple[int, int]]:
        """Id and value of each short property; the table's head has one of three sizes, by whose it is."""
        table = self.stream("__properties_version1.0") or b""
        head = (
            _HEADS[0] if not self.storage else _HEADS[2] if self._is_attachment_or_recipient() else _HEADS[1]
        )
        for at in range(head, len(table) - 15, 16):
            property_type, tag, _, value = struct.unpack_from("<HHIQ", table, at)
            yield tag, value if property_type == _TIME else value & 0xFFFFFFFF

    def _is_attachment_or_recipient(self) -> bool:
        return self.storage[-1].startswith((_ATTACHED, _RECIPIENT))


def _name_and_address(name: str | None, address: str | None) -> str | None:
    shown = address if address and "@" in address and address != name else None
    return f"{name or ''} <{shown}>".strip() if shown else name
