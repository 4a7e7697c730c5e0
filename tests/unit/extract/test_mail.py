"""E-mail: its text, its headers, and what is attached or forwarded."""

from __future__ import annotations

import base64
from email.message import EmailMessage

import pytest

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import mail
from tests.unit.extract import hostile


def test_an_attachment_that_breaks_leaves_the_message_around_it_readable(read):
    mail = EmailMessage()
    mail["Subject"] = "Invoice 4711"
    mail.set_content("Our invoice is attached.")
    mail.add_attachment(hostile.far_cell_xlsx(), "application", "octet-stream", filename="invoice.xlsx")
    text = read(mail.as_bytes())
    assert text.text.split("\n\n")[-3:] == [
        "Our invoice is attached.", "[attached: invoice.xlsx]", "[not read: the rest: extraction_memory]",
    ]  # fmt: skip
    assert (text.coverage.cut, text.coverage.parts_failed) == (("extraction_memory",), 1)


def test_a_mail_with_little_plain_text_is_read_from_its_html(read):
    page = "<p>" + "The whole story is only here. " * 9
    text = read(
        b"From: a@b\nTo: c@d\nSubject: s\nContent-Type: multipart/alternative; boundary=X\n\n"
        b"--X\n\nSee HTML\n"
        b"--X\nContent-Type: text/html\n\n" + page.encode() + b"\n--X--\n"
    ).text
    assert "The whole story" in text


def test_a_forwarded_mail_is_read_as_a_mail_of_its_own(read):
    inner = b"From: ada@example.org\nTo: c@d\nSubject: The inner one\nDate: x\n\nInner words.\n"
    outer = (
        b"From: a@b\nTo: c@d\nSubject: s\nContent-Type: multipart/mixed; boundary=X\n\n--X\n\nOuter words.\n"
    )
    text = read(outer + b"--X\nContent-Type: message/rfc822\n\n" + inner + b"--X--\n").text
    assert [at >= 0 for at in map(text.find, ("Outer words.", "Subject: The inner one", "Inner words."))] == [
        True
    ] * 3


def test_style_sheets_of_a_saved_page_are_not_read(read):
    page = (
        b"From: <Saved by a browser>\nSubject: A page\nDate: x\nMIME-Version: 1.0\n"
        b"Content-Type: multipart/related; boundary=X\n\n--X\nContent-Type: text/html\n\n<p>The page itself."
        b"\n--X\nContent-Type: text/css\nContent-Location: a.css\n\np { color: red }\n--X--\n"
    )
    text = read(page).text
    assert "The page itself." in text
    assert "color" not in text


def test_a_forwarded_mail_in_base64_is_read(read):
    inner = base64.encodebytes(b"From: ada@example.org\nSubject: The inner one\nTo: x\n\nInner words.\n")
    outer = b"From: a@b\nTo: c@d\nSubject: s\nContent-Type: multipart/mixed; boundary=X\n\n--X\n"
    packed = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + inner
    assert "Inner words." in read(outer + packed + b"--X--\n").text


@pytest.mark.parametrize(
    "content_type", ["multipart/encrypted; boundary=X", "application/pkcs7-mime; smime-type=enveloped-data"]
)
def test_a_mail_encrypted_for_its_recipient_is_refused(read, content_type):
    with pytest.raises(DocumentError) as exc_info:
        read(f"From: a@b\nTo: c@d\nSubject: s\nContent-Type: {content_type}\n\n--X\n\nMIIB\n--X--\n".encode())
    assert exc_info.value.code == "encrypted"


@pytest.mark.parametrize("name", ["=?utf-8?b?4pyT?=", "=?x?q?broken", "=?no-such?q?a?="])
def test_a_malformed_header_is_still_shown(name):
    assert mail.decode_header(name)


def test_a_signature_is_not_counted_as_a_part_that_failed(read):
    mail = EmailMessage()
    mail["Subject"] = "Order 4711"
    mail.set_content("Ten pallets, please.")
    mail.add_attachment(b"0\x82\x05", "application", "pkcs7-signature", filename="smime.p7s")
    text = read(mail.as_bytes(), "order.eml")
    assert text.coverage.parts_failed == 0
    assert text.text.endswith("Ten pallets, please.")


def test_a_message_file_of_apple_mail_is_read_as_a_message(read):
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "Größe", "a@b.example", "c@d.example"
    mail.set_content("Ten pallets, please.")
    data = mail.as_bytes()
    text = read(b"%-10d\n" % len(data) + data + b"<?xml version='1.0'?><plist></plist>", "4711.emlx")
    assert text.media_type == "message/rfc822"
    assert text.title == "Größe"
    assert text.text.endswith("Ten pallets, please.")


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_headers_in_raw_eight_bit_bytes_are_decoded(read, encoding):
    mail = "From: Jörg Müller <a@b.example>\nTo: c@d.example\nSubject: Größe der Säge\n\nx"
    text = read(mail.encode(encoding), "a.eml")
    assert text.text.splitlines()[:2] == [
        "Subject: Größe der Säge",
        "From: Jörg Müller <a@b.example>",
    ]
