"""Bytes to characters: byte order marks first, then UTF-8, then what the bytes look like."""

from __future__ import annotations

import codecs
import re

SAMPLE = 1 << 16

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_FOR_DOCUMENTS = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"})
_STRANGE = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffd\ufffe\uffff]")


def decode(data: bytes, declared: str | None = None) -> str:
    """The characters of a text of any encoding; what does not fit becomes U+FFFD."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    if wide := _wide(data[:SAMPLE]):
        return data.decode(wide, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 3 and error.start > 0:
            return data.decode("utf-8", "replace")
    named = known(declared)
    return data.decode(named if named not in (None, "utf-8") else _guess(data), "replace")


def is_text(decoded: str, size: int) -> bool:
    """Whether so many bytes were characters rather than some program's bytes."""
    return len(_STRANGE.findall(decoded)) * 50 <= size


def _wide(sample: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark: zero bytes stand where the high halves of letters would."""
    zeros = [sample[at::4].count(0) * 4 >= len(sample) * 0.6 for at in range(4)]
    if len(sample) < 8 or not any(zeros):
        return None
    patterns = {
        (False, True, True, True): "utf-32-le",
        (True, True, True, False): "utf-32-be",
        (False, True, False, True): "utf-16-le",
        (True, False, True, False): "utf-16-be",
    }
    return patterns.get((zeros[0], zeros[1], zeros[2], zeros[3]))


def known(encoding: str | None) -> str | None:
    """An encoding of characters that Python has under this name."""
    try:
        "".encode(encoding or "")
        name = codecs.lookup(encoding or "").name
    except (LookupError, ValueError):
        return None
    return None if name in _NOT_FOR_DOCUMENTS else name


def _guess(data: bytes) -> str:
    from pigeonhole.extract.guess import guess

    return known(guess(_sample(data))) or "cp1252"


def _sample(data: bytes) -> bytes:
    """The beginning, and what stands around the first byte that is not ASCII."""
    if len(data) <= SAMPLE:
        return data
    first = re.search(rb"[\x80-\xff]", data)
    start = max(0, first.start() - SAMPLE // 4) if first else 0
    return data[start : start + SAMPLE]
