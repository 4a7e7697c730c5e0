"""Mailboxes: each message in turn."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pigeonhole.extract import mail
from pigeonhole.extract.parts import Facts, Part, Source

_START = re.compile(rb"(?:\A|(?<=\n))From [^\r\n]*\r?\n(?=[A-Za-z>][\w-]*[: ])")


def read(source: Source) -> Iterator[Part]:
    """The messages in their order, as many as the limits allow."""
    starts = list(_START.finditer(source.data))
    if not starts:
        yield from mail.read(source)
        return
    ends = [start.start() for start in starts[1:]] + [len(source.data)]
    yield Facts(pages_total=len(starts), pages_read=0)
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1):
        if not source.budget.take("members"):
            yield Facts(cut="members")
            return
        parts = mail.message(source, source.data[start.end() : end])
        yield from (part for part in parts if not isinstance(part, Facts) or part.cut or part.failed)
        yield Facts(pages_read=number)
