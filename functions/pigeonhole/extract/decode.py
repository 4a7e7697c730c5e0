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
_ESCAPES = re.compile(rb"\x1b\$[@AB()]")
_NOT_FOR_DOCUMENTS = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"})
WESTERN = "cp1252"
_TYPOGRAPHIC = frozenset(range(0x80)) | frozenset(
    b"\x80\x85\x91\x92\x93\x94\x95\x96\x97\xa0\xa3\xa7\xa9\xab\xae\xb0\xb7\xbb\xbc\xbd\xbe"
)
# Letters of another script, or a sign that is no apostrophe, right beside a Latin letter.
_LETTER, _FOREIGN = "[A-Za-z\u00c0-\u024f]", "[\u0370-\u1dff\u2e80-\uffdc]"
_SIGN = "[\u0080-\u00bf\u00d7\u00f7\u02b0-\u036f\u2020-\u2bff]"
_ODD = re.compile(f"{_LETTER}(?:{_FOREIGN}|{_SIGN}{_LETTER})|{_FOREIGN}{_LETTER}")
_STRANGE = (*map(chr, (*range(9), *range(14, 27), *range(28, 32), 127)), "\ufffd", "\ufffe", "\uffff")


def decode(data: bytes, declared: str | None = None) -> str:
    """The characters of a text of any encoding; what does not fit becomes U+FFFD."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    if b"\0" in data and (wide := _wide(data[:SAMPLE])):
        return data.decode(wide, "replace")
    if shifted := _shifted(data, declared):
        return shifted
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 3 and error.start > 0:
            return data.decode("utf-8", "replace")
    named = known(declared)
    return data.decode(named if named not in (None, "utf-8") else _guess(data), "replace")


def is_text(decoded: str, size: int) -> bool:
    """Whether so many bytes were characters rather than some program's bytes."""
    return sum(decoded.count(sign) for sign in _STRANGE if sign in decoded) * 50 <= size


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


def _shifted(data: bytes, declared: str | None) -> str | None:
    """Text of seven bits that escapes into Japanese, Chinese or Korean, where it is that and nothing else."""
    if b"\x1b" not in data or not _ESCAPES.search(data):
        return None
    named = known(declared) or ""
    looks = "iso2022_kr" if b"\x1b$)C" in data else "iso2022_jp_2"
    try:
        return data.decode(named if named.startswith("iso2022") else looks)
    except UnicodeDecodeError:
        return None


def known(encoding: str | None) -> str | None:
    """An encoding of characters that Python has under this name."""
    try:
        "".encode(encoding or "")
        name = codecs.lookup(encoding or "").name
    except (LookupError, ValueError):
        return None
    return None if name in _NOT_FOR_DOCUMENTS else name


def code_page(number: int) -> str | None:
    """What Python calls one of Windows' code pages, where it has it."""
    named = {1200: "utf-16-le", 10000: "mac_roman", 20127: "ascii", 65001: "utf-8"}
    return known(named.get(number, f"cp{number}"))


def _guess(data: bytes) -> str:
    from pigeonhole.extract.detect_charset import guess

    sample = _sample(data)
    guessed = known(guess(sample)) or WESTERN
    return WESTERN if guessed != WESTERN and _is_western(sample, guessed) else guessed


def _is_western(sample: bytes, guessed: str) -> bool:
    """Whether few letters with accents or typographic signs led a guess astray that was made for more."""
    if not set(sample) - _TYPOGRAPHIC:
        return True
    return len(_ODD.findall(sample.decode(guessed, "replace"))) > len(
        _ODD.findall(sample.decode(WESTERN, "replace"))
    )


def _sample(data: bytes) -> bytes:
    """The beginning, and what stands around the first byte that is not ASCII."""
    if len(data) <= SAMPLE:
        return data
    first = re.search(rb"[\x80-\xff]", data)
    start = max(0, first.start() - SAMPLE // 4) if first else 0
    return data[start : start + SAMPLE]
