"""Mailboxes (mbox): each message in turn."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pigeonhole.extract import mail
from pigeonhole.extract.interface import Metadata, NotRead, Segment, Source

_MESSAGE_START = re.compile(rb"(?:\A|(?<=\n))From [^\r\n]*\r?\n(?=[A-Za-z>][\w-]*[: ])")


def read(source: Source) -> Iterator[Segment]:
    """The messages in their order, as many as the limits allow; of their metadata what was cut or failed."""
    starts = list(_MESSAGE_START.finditer(source.data))
    if not starts:
        yield from mail.read(source)
        return
    ends = [start.start() for start in starts[1:]] + [len(source.data)]
    yield Metadata(pages_total=len(starts), pages_read=0)
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1):
        if not source.quota.take("members"):
            left = len(starts) - number + 1
            yield NotRead(name=f"{left} messages", reason="members", parts=left)
            return
        segments = mail.read_message(source, source.data[start.end() : end])
        yield from (segment.counts if isinstance(segment, Metadata) else segment for segment in segments)
        yield Metadata(pages_read=number, parts_read=1)
