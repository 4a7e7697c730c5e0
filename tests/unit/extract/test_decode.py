"""Bytes to characters."""

from __future__ import annotations

import pytest

from pigeonhole.extract.decode import decode


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"]
)
def test_unicode_is_decoded_with_and_without_a_byte_order_mark(encoding):
    words = "Größe und Maß, ein längerer Satz: naïve façade."
    assert decode(words.encode(encoding)).lstrip("\ufeff") == words


@pytest.mark.parametrize(
    ("words", "encoding"),
    [
        ("Grüße aus Köln", "cp1252"),
        ("Déjà vu à l'école", "cp1252"),
        ("It\u2019s a short note.", "cp1252"),
        ("拝啓 時下ますますご清栄のこととお慶び申し上げます。", "iso2022_jp"),
        ("안녕하세요, 지난달 청구서를 받았습니다.", "iso2022_kr"),
        ("Привет, как дела?", "koi8_r"),
        ("Szanowni Państwo, niniejszym wypowiadam umowę. Z poważaniem, Łukasz", "cp1250"),
    ],
)
def test_a_few_words_are_decoded_in_their_encoding(words, encoding):
    assert decode(words.encode(encoding)) == words


def test_an_incomplete_last_character_changes_nothing_before_it():
    assert decode("Größe und Maß".encode()[:-1]) == "Größe und Ma\ufffd"


def test_a_declared_encoding_is_used_unless_it_is_unknown():
    assert decode(b"\xcf\xf0\xe8\xe2\xe5\xf2", "windows-1251") == "Привет"
    assert "x" in decode(b"x\xe9", "no-such-encoding")
