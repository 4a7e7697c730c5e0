"""Word, Excel and PowerPoint files of before 2007: their encodings, passwords, metadata and outlines."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pigeonhole.domain.errors import DocumentError
from tests.documents.vectors import legacy

LETTER = "Уважаемые коллеги, просим оплатить счёт до пятого марта.\r"


PLEASE = "Größe der Säge: übermäßig. Zahlung bis fünften März, bitte.\r"


@pytest.mark.parametrize(("text", "encoding"), [(LETTER, "cp1251"), (PLEASE, "cp1252")])
def test_an_old_word_document_is_decoded_in_the_code_page_of_its_country(read, text, encoding):
    document = read(legacy.old_doc(text.encode(encoding)), "letter.doc")
    assert document.media_type == "application/msword"
    assert document.text.split("\n\n") == text.split("\r")[:-1]


def test_an_old_word_document_of_a_macintosh_is_decoded_as_mac_roman(read):
    text = "Été fini, année finie: «à bientôt»."
    document = read(legacy.old_doc(f"{text}\r".encode("mac_roman"), macintosh=True), "lettre.doc")
    assert document.text == text


def test_an_old_word_document_with_a_password_is_encrypted(read):
    with pytest.raises(DocumentError, match="encrypted"):
        read(legacy.old_doc(b"\x17\x95\xa1", locked=True), "letter.doc")


def test_lines_that_only_the_outline_has_are_added_to_their_slide(read):
    slides = [["Drawn by hand", "Rent, heat and water"], ["Plan", "Sell the old saw"]]
    text = read(legacy.ppt(slides, drawn="Drawn by hand"), "plan.ppt").text
    first, second = text.split("## Slide 2")
    assert first.rstrip().endswith("Rent, heat and water")
    assert second.endswith("Sell the old saw")
    assert (first.count("Drawn by hand"), second.count("Drawn by hand")) == (1, 1)


BOOKED = legacy.summary(
    1251, "Счёт".encode("cp1251"), "Анна".encode("cp1251"), datetime(1999, 9, 30, 1, 48, tzinfo=UTC), 3
)


@pytest.mark.parametrize(
    ("data", "name", "pages"),
    [
        (legacy.doc(["x"], stated=BOOKED), "a.doc", 3),
        (legacy.xls("S", [["x"]], stated=BOOKED), "a.xls", 1),
    ],
)
def test_old_office_files_state_title_author_dates_and_pages(read, data, name, pages):
    text = read(data, name)
    assert (text.title, text.author) == ("Счёт", "Анна")
    assert (text.created, text.modified) == ("1999-09-30T01:48:00Z", None)
    assert (text.coverage.pages_total, text.coverage.pages_read) == (pages, pages)


def test_an_old_presentation_has_as_many_pages_as_slides(read):
    assert read(legacy.ppt([["One"], ["Two"]]), "a.ppt").coverage.pages_total == 2


def test_broken_metadata_leave_the_text_of_an_old_document_readable(read):
    assert read(legacy.doc(["Ten pallets"], stated=BOOKED[:60]), "a.doc").text == "# Ten pallets"
