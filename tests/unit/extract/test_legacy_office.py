"""Files of the last century: words in their own bytes, and words that the library passes over."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pigeonhole.domain.errors import DocumentError
from tests.documents.vectors import legacy

LETTER = "Уважаемые коллеги, просим оплатить счёт до пятого марта.\r"
PLEASE = "Größe der Säge: übermäßig. Zahlung bis fünften März, bitte.\r"


@pytest.mark.parametrize(("text", "encoding"), [(LETTER, "cp1251"), (PLEASE, "cp1252")])
def test_the_words_of_an_old_document_are_in_the_bytes_of_its_country(read, text, encoding):
    document = read(legacy.old_doc(text.encode(encoding)), "letter.doc")
    assert document.media_type == "application/msword"
    assert document.text.split("\n\n") == text.split("\r")[:-1]


def test_a_macintosh_had_bytes_of_its_own(read):
    text = "Été fini, année finie: «à bientôt»."
    document = read(legacy.old_doc(f"{text}\r".encode("mac_roman"), macintosh=True), "lettre.doc")
    assert document.text == text


def test_an_old_document_with_a_password_says_so(read):
    with pytest.raises(DocumentError, match="encrypted"):
        read(legacy.old_doc(b"\x17\x95\xa1", locked=True), "letter.doc")


def test_lines_that_only_the_outline_has_stand_on_their_slide(read):
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


def test_a_broken_statement_of_facts_leaves_the_words_of_an_old_document(read):
    assert read(legacy.doc(["Ten pallets"], stated=BOOKED[:60]), "a.doc").text == "# Ten pallets"


def test_recipients_are_in_the_code_page_of_their_message(read):
    names = ["張毓倫".encode("big5"), b"Ada Holm"]
    message = legacy.msg("s", "Bo", "", b"{\\rtf1 x}", {}, received=names, code_page=950)
    assert "To: 張毓倫; Ada Holm" in read(message, "a.msg").text


def test_of_very_many_recipients_the_message_s_own_list_is_shown(read):
    names = [b"%d" % number for number in range(101)]
    message = legacy.msg("s", "Bo", "All of us", b"{\\rtf1 x}", {}, received=names)
    assert "To: All of us" in read(message, "a.msg").text
