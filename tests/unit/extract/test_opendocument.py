"""OpenDocument: texts, sheets, and what they state of themselves."""

from __future__ import annotations

import io
import zipfile

from tests.documents.vectors import packages


def test_ruby_annotations_of_an_open_document_are_left_out(read):
    base, above = "<text:ruby-base>北島</text:ruby-base>", "<text:ruby-text>きたじま</text:ruby-text>"
    body = (
        f"<office:text><text:p>請求先は<text:ruby>{base}{above}</text:ruby>製材所です</text:p></office:text>"
    )
    assert read(packages.opendocument("text", body, "t")).text == "請求先は北島製材所です"


def test_broken_metadata_leave_the_text_of_an_open_document_readable(read):
    package = bytearray(packages.opendocument("text", "<text:p>Pay by 5 March</text:p>", "t"))
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        at = archive.getinfo("meta.xml").header_offset
    package[at + 45] ^= 0xFF
    assert read(bytes(package)).text == "Pay by 5 March"


def test_a_password_on_the_macros_does_not_lock_an_open_document(read):
    locked = packages.opendocument("text", "<text:p>x</text:p>", "t", locked="Basic/Standard/Module1.xml")
    assert read(locked).text == "x"


def test_text_boxes_of_an_open_sheet_are_read(read):
    box = "<draw:frame><draw:text-box><text:p>Pay by 5 March</text:p></draw:text-box></draw:frame>"
    box = f"<table:shapes>{box}</table:shapes>"
    row = "<table:table-row><table:table-cell><text:p>Total</text:p></table:table-cell></table:table-row>"
    sheet = packages.opendocument("spreadsheet", f'<table:table table:name="S">{box}{row}</table:table>', "t")
    assert read(sheet).text == "## S\nPay by 5 March\nTotal"


def test_a_flat_xml_open_document_states_its_metadata(read):
    said = "<office:meta><dc:title>Plan</dc:title></office:meta>"
    body = "<office:body><office:text><text:p>x</text:p></office:text></office:body>"
    mime = "application/vnd.oasis.opendocument.text"
    whole = f'<?xml version="1.0"?><office:document office:mimetype="{mime}">{said}{body}</office:document>'
    text = read(whole.encode(), "a.fodt")
    assert (text.title, text.text) == ("Plan", "x")
