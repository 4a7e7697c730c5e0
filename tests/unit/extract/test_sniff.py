"""Content sniffing: the bytes decide what format a document has, its name only between plain texts."""

from __future__ import annotations

import pytest

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import sniff
from tests.documents.vectors import packages
from tests.documents.vectors.compound import compound


@pytest.mark.parametrize(
    ("data", "name", "format_name"),
    [
        (b"%PDF-1.7 x", "letter.txt", "pdf"),
        (b"junk before\n%PDF-1.7\n1 0 obj", "letter.pdf", "pdf"),
        (b"A file of that kind begins with %PDF-1.7, as a rule.", "letter.txt", "txt"),
        (b"MZ is how the letters of Mia Zorn are marked.", "letter.txt", "txt"),
        (b"ID3 and ID4 are the tags of both.", "tags.txt", "txt"),
        (b"\x89PNG\r\n\x1a\n", "a.jpg", "png"),
        (b"<html><body>x", "report.xls", "html"),
        (b"<!-- hi --> <!DOCTYPE html>", "x", "html"),
        (b"<p>fragment", "x", "html"),
        (b"<?xml version='1.0'?><invoice/>", "x", "xml"),
        (b"<?xml version='1.0'?><html xmlns='x'>", "x", "html"),
        (b"From: a@b\nTo: c@d\nSubject: e\n\nf", "x", "eml"),
        (b"Name: Ada\nPlace: Oslo\n\nA note.", "x.txt", "txt"),
        (b"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n--x", "page.doc", "eml"),
        (b"1 0 obj\n<< >>\nendobj\ntrailer\n%%EOF\n", "x.txt", "pdf"),
        (b'{"a": 1}', "x", "json"),
        (b"[section]\nkey=1", "x", "txt"),
        (b"a,b\n1,2", "x.csv", "csv"),
        (b"# Title", "x.md", "md"),
        (rb"{\pard a fragment\par}", "x.rtf", "rtf"),
        (b"MZ\x90\0", "x.pdf", "Windows program"),
        (b"7z\xbc\xaf\x27\x1c", "x", "7-Zip archive"),
        (b"\0asm\1\0\0\0", "x", "WebAssembly program"),
        (b"\0\1\0\0\0\x0f\0\x80", "x", "font"),
        (b"AC1015\0\0\0\0\0\0", "x", "AutoCAD drawing"),
        (b"name".ljust(257, b"\0") + b"ustar\0", "x", "tar archive"),
        (packages.archive({"Index/Document.iwa": b"x"}), "x", "Apple Pages, Numbers or Keynote document"),
        (packages.archive({"META-INF/MANIFEST.MF": "x", "a.class": b"x"}), "x", "Java archive"),
        (packages.archive({"src/a.class": b"x", "notes.txt": "x"}), "x", "zip"),
        (packages.archive({"[Content_Types].xml": "x", "visio/document.xml": "x"}), "x", "Visio drawing"),
        (packages.archive({"mimetype": "application/vnd.sun.xml.writer", "content.xml": "x"}), "x", "odt"),
        (packages.archive({"mimetype": "application/x-krita"}), "x", "application/x-krita"),
        (compound({"VisioDocument": bytes(4_096)}), "x", "Visio drawing"),
        (bytes(range(256)) * 9, "x.txt", "unknown binary data"),
        ("Ünder".encode("utf-16"), "x", "txt"),
    ],
)
def test_content_decides_what_format_a_document_has(data, name, format_name):
    assert sniff.detect_format(data, name) == format_name


def test_an_unsupported_type_is_named(read):
    with pytest.raises(DocumentError) as exc_info:
        read(b"MZ" + bytes(99), "tool.exe")
    assert (exc_info.value.code, exc_info.value.detail) == ("unsupported_type", "Windows program")


def test_zero_bytes_between_words_do_not_make_a_text_binary(read):
    assert read(b"Item\0\tPrice\0\r\nSaw\0\t420\0\r\n" * 9, "a.csv").text.startswith("Item\tPrice\nSaw\t420")
    with pytest.raises(DocumentError, match="unknown binary data"):
        read(b"Item\0\tPrice\0\r\nSaw\0\t420\0\r\n" * 9, "a.bin")
