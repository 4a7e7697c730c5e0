"""Outlook messages."""

from __future__ import annotations

import struct

import pytest

from pigeonhole.extract import lzfu
from tests.documents.vectors import legacy
from tests.documents.vectors.compound import Tree, compound


def test_a_compressed_rtf_body_is_decompressed():
    packed = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    )
    assert lzfu.decompress(packed, 1_000) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"


@pytest.mark.parametrize(
    "packed", [b"", b"x" * 15, struct.pack("<IIII", 99, 1 << 30, 0x75465A4C, 0) + b"\xff" * 9]
)
def test_a_broken_compressed_body_ends_within_its_limit(packed):
    assert len(lzfu.decompress(packed, 100)) <= 100


def test_an_outlook_message_names_its_recipients(read):
    people: dict[str, Tree | bytes] = {
        f"__recip_version1.0_#{at:08X}": {
            "__properties_version1.0": bytes(8) + struct.pack("<HHIQ", 3, 0x0C15, 6, role),
            "__substg1.0_3001001F": name.encode("utf-16-le"),
            "__substg1.0_39FE001F": f"{name}@example.org".encode("utf-16-le"),
        }
        for at, (name, role) in enumerate([("ada", 1), ("bo", 2), ("cy", 1)])
    }
    text = read(compound({"__properties_version1.0": bytes(32), **people})).text
    assert "To: ada <ada@example.org>; cy <cy@example.org>" in text
    assert "Cc: bo <bo@example.org>" in text


def test_recipients_are_decoded_in_the_code_page_of_their_message(read):
    names = ["張毓倫".encode("big5"), b"Ada Holm"]
    message = legacy.msg("s", "Bo", "", b"{\\rtf1 x}", {}, received=names, code_page=950)
    assert "To: 張毓倫; Ada Holm" in read(message, "a.msg").text


def test_of_very_many_recipients_the_list_of_the_message_is_shown(read):
    names = [b"%d" % number for number in range(101)]
    message = legacy.msg("s", "Bo", "All of us", b"{\\rtf1 x}", {}, received=names)
    assert "To: All of us" in read(message, "a.msg").text
