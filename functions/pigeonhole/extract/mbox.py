"""Mailboxes (mbox): each message in turn."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pigeonhole.extract import mail
from pigeonhole.extract.interface import Metadata, Segment, Source

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
            yield Metadata(cut="members")
            return
        segments = mail.read_message(source, source.data[start.end() : end])
        yield from (
            segment
            for segment in segments
            if not isinstance(segment, Metadata) or segment.cut or segment.parts_failed
        )
        yield Metadata(pages_read=number)
