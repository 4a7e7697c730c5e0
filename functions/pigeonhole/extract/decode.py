"""Bytes to characters: by a byte order mark, else as UTF-8, as declared, or by what the bytes look like."""

from __future__ import annotations

import codecs
import re

SAMPLE = 1 << 16  # bytes to judge a document by

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# The sequences of ISO 2022 that begin a double-byte character set.
_ESCAPES = re.compile(rb"\x1b\$[@AB()]")
# Python has codecs that are no character encodings of documents.
_NOT_FOR_DOCUMENTS = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"})
WESTERN = "cp1252"
# In Windows-1252: ASCII, quotation marks, dashes and the like, which alone decide for no other encoding.
_TYPOGRAPHIC = frozenset(range(0x80)) | frozenset(
    b"\x80\x85\x91\x92\x93\x94\x95\x96\x97\xa0\xa3\xa7\xa9\xab\xae\xb0\xb7\xbb\xbc\xbd\xbe"
)
# What a wrong guess shows: letters of another script, or a sign that is no apostrophe, beside a Latin letter.
_LETTER, _FOREIGN = "[A-Za-z\u00c0-\u024f]", "[\u0370-\u1dff\u2e80-\uffdc]"
_SIGN = "[\u0080-\u00bf\u00d7\u00f7\u02b0-\u036f\u2020-\u2bff]"
_IMPROBABLE = re.compile(f"{_LETTER}(?:{_FOREIGN}|{_SIGN}{_LETTER})|{_FOREIGN}{_LETTER}")
_BINARY_CHARACTERS = (
    *map(chr, (*range(9), *range(14, 27), *range(28, 32), 127)),
    "\ufffd",
    "\ufffe",
    "\uffff",
)


def decode(data: bytes, declared: str | None = None) -> str:
    """The characters of a text in any encoding; bytes that do not fit it become U+FFFD.

    `declared` is the encoding that the document names: believed where the bytes do not tell themselves.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    if b"\0" in data and (wide := _unmarked_unicode(data[:SAMPLE])):
        return data.decode(wide, "replace")
    if escaped := _iso_2022(data, declared):
        return escaped
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 3 and error.start > 0:  # only the last character is incomplete
            return data.decode("utf-8", "replace")
    named = known_encoding(declared)
    return data.decode(named if named and named != "utf-8" else _guessed(data), "replace")


def is_text(decoded: str, size: int) -> bool:
    """Whether `size` bytes, decoded, are text: at most one in fifty is a character of binary data."""
    binary = sum(decoded.count(character) for character in _BINARY_CHARACTERS if character in decoded)
    return binary * 50 <= size


def _unmarked_unicode(sample: bytes) -> str | None:
    """The encoding of UTF-16 or UTF-32 without a byte order mark: zero bytes tell it."""
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


def _iso_2022(data: bytes, declared: str | None) -> str | None:
    """The text, if it is in ISO 2022: seven bits, with escape sequences into Japanese, Chinese or Korean."""
    if b"\x1b" not in data or not _ESCAPES.search(data):
        return None
    named = known_encoding(declared) or ""
    likely = "iso2022_kr" if b"\x1b$)C" in data else "iso2022_jp_2"
    try:
        return data.decode(named if named.startswith("iso2022") else likely)
    except UnicodeDecodeError:
        return None


def known_encoding(encoding: str | None) -> str | None:
    """Python's own name for an encoding; None for one that it has not, or that no document is in."""
    try:
        "".encode(encoding or "")
        name = codecs.lookup(encoding or "").name
    except (LookupError, ValueError):
        return None
    return None if name in _NOT_FOR_DOCUMENTS else name


def code_page(number: int) -> str | None:
    """Python's name for a code page of Windows; None for one that it has not."""
    names = {1200: "utf-16-le", 10000: "mac_roman", 20127: "ascii", 65001: "utf-8"}
    return known_encoding(names.get(number, f"cp{number}"))


def _guessed(data: bytes) -> str:
    from pigeonhole.extract.detect_charset import guess_encoding

    sample = _sample(data)
    guessed = known_encoding(guess_encoding(sample)) or WESTERN
    return WESTERN if guessed != WESTERN and _is_western(sample, guessed) else guessed


def _is_western(sample: bytes, guessed: str) -> bool:
    """Whether the text is Western after all: a few accents or typographic signs mislead chardet's models."""
    if not set(sample) - _TYPOGRAPHIC:
        return True
    return len(_IMPROBABLE.findall(sample.decode(guessed, "replace"))) > len(
        _IMPROBABLE.findall(sample.decode(WESTERN, "replace"))
    )


def _sample(data: bytes) -> bytes:
    """The part to guess by: around the first byte that is not ASCII, for the others tell nothing."""
    if len(data) <= SAMPLE:
        return data
    first = re.search(rb"[\x80-\xff]", data)
    start = max(0, first.start() - SAMPLE // 4) if first else 0
    return data[start : start + SAMPLE]
