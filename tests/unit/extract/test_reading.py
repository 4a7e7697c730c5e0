"""The finer points of single formats: what a careful reader would keep, and what not."""

from __future__ import annotations

import base64
import io
import struct

import pytest
from pypdfium2 import PdfDocument

from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract import html, lzfu, mail, rtf, sniff
from pigeonhole.extract.decode import decode
from pigeonhole.extract.running_headers import RunningHeaders
from pigeonhole.extract.tidy import tidy
from tests.documents.vectors import packages
from tests.documents.vectors.compound import Tree, compound
from tests.documents.vectors.make import encoded, picture
from tests.documents.vectors.pdfs import pdf


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
def test_content_decides_what_a_document_is(data, name, format_name):
    assert sniff.detect_format(data, name) == format_name


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>one<p>two", "one\ntwo"),
        ("<b>in</b>side <i>a</i>\nline", "inside a line"),
        ("<h2>Head</h2>text", "## Head\ntext"),
        ("<table><tr><th>A<th>B<tr><td>1<td>2</table>", "A | B\n1 | 2"),
        ("<ul><li>one<li>two</ul>", "- one\n- two"),
        ("<p>see <img src=x alt='a duck'> here", "see a duck here"),
        ("<p>see <img src=x><img alt=''><img alt=x><img alt=> here alt=", "see here alt="),
        (
            "<table><tr><td rowspan=3>2031<td rowspan=2>Q1<td>Jan<td>5"
            "<tr><td>Feb<td>6<tr><td>Q2<td>May<td>7</table>",
            "2031 | Q1 | Jan | 5\n2031 | Q1 | Feb | 6\n2031 | Q2 | May | 7",
        ),
        ("<table><tr><td>a</td><td rowspan=2>b</td></tr><tr><td>c</td></tr></table>", "a | b\nc | b"),
        ("<pre>a\n b</pre>c", "a\nb\nc"),
        ("<style>x</style><script>y</script><template>z</template>seen", "seen"),
        ("<nav>menu</nav><p>" + "long text " * 30, ("long text " * 30).strip()),
        ('<html xmlns="x"><title/><script src="a"/><p>after these', "after these"),
        ("<details><summary>short</summary>long</details>", "short\nlong"),
        ("<nav>all there is</nav>", "all there is"),
        ("&lt;b&gt; &amp;amp; &#220;", "<b> &amp; Ü"),
        ("<script>a</script>" * 3 + "<!-- <script> -->seen<script>b</script><p>too", "seen\ntoo"),
        ("<style>a</style>" * 3 + "seen<script>b<p>c", "seen"),
        ("<p>one  \n two \xa0 <p> \n <p>three", "one two\nthree"),
        ("<div>" * 5_000 + "deep<script>hid</script> down", "deep down"),
        ("<div><i></i><br>" * 5_000 + "deep<script>hid</script> down", "deep down"),
        ("one<br>" * 5_000 + "<P>two<P>three", "\n".join(["one"] * 5_000 + ["two", "three"])),
    ],
)
def test_html_reads_as_it_shows(markup, text):
    assert html.convert(markup)[1] == text


@pytest.mark.parametrize(
    ("noisy", "clean"),
    [
        ("sig\u00adnature", "signature"),
        ("sig\u00ad\nnature", "signature"),
        ("a\x00b\x07c", "abc"),
        ("line   \r\nnext\r", "line\nnext"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("see data:image/png;base64,iVBORw0KGgoAAA== here", "see [data: image/png] here"),
        ("x " + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVph" * 9 + " y", "x [base64 left out]\n y"),
        (
            "\n".join(["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVph" * 2] * 5 + ["QUJD="]) + "\nyours",
            "[base64 left out]\n\nyours",
        ),
        ("ACGTACGTAC" * 40, "ACGTACGTAC" * 40),
        ("0123456789" * 40, "0123456789" * 40),
    ],
)
def test_noise_goes_and_words_stay(noisy, clean):
    assert tidy(noisy) == clean


def test_running_lines_stand_twice_and_go_then():
    running_headers = RunningHeaders()
    pages = [
        running_headers.remove_from(f"Header\nbody {n}\nmore\nwords\nstill\n- {n} -", n) for n in range(1, 5)
    ]
    assert ["Header" in page for page in pages] == [True, True, False, False]
    assert [f"- {n} -" in page for n, page in enumerate(pages, 1)] == [True, True, False, False]
    assert all(f"body {n}" in page for n, page in enumerate(pages, 1))


def test_amounts_at_the_foot_of_pages_are_no_page_numbers():
    running_headers = RunningHeaders()
    amounts = [1_204, 77, 310, 4_711]
    pages = [
        running_headers.remove_from(f"a\nb\nc\nd\ne\nBalance {amount}", n)
        for n, amount in enumerate(amounts, 1)
    ]
    assert all(str(amount) in page for amount, page in zip(amounts, pages, strict=True))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"]
)
def test_unicode_is_read_with_and_without_its_mark(encoding):
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
def test_a_few_words_are_read_in_their_encoding(words, encoding):
    assert decode(words.encode(encoding)) == words


def test_a_character_cut_at_the_end_spoils_nothing_before_it():
    assert decode("Größe und Maß".encode()[:-1]) == "Größe und Ma\ufffd"


def test_a_declared_encoding_is_believed_unless_it_is_unknown():
    assert decode(b"\xcf\xf0\xe8\xe2\xe5\xf2", "windows-1251") == "Привет"
    assert "x" in decode(b"x\xe9", "no-such-encoding")


def test_outlook_bodies_are_unpacked():
    packed = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    )
    assert lzfu.decompress(packed, 1_000) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"


@pytest.mark.parametrize(
    "packed", [b"", b"x" * 15, struct.pack("<IIII", 99, 1 << 30, 0x75465A4C, 0) + b"\xff" * 9]
)
def test_broken_outlook_bodies_end(packed):
    assert len(lzfu.decompress(packed, 100)) <= 100


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        (rb"{\rtf1 a{\*\unknown hidden}b}", "ab"),
        (rb"{\rtf1\uc2 \u8364??x}", "€x"),
        (rb"{\rtf1 a\v hidden\v0 b}", "ab"),
        (rb"{\rtf1 \u-10179?\u-8704?}", "\U0001f600"),
        (rb"{\rtf1 word{\footnote said below}}", "word said below"),
        (rb"{\rtf1 {\field{\*\fldinst HYPERLINK x}{\fldrslt link}}}", "link"),
        (rb"{\rtf1 a\bin4 }{}\b}", "ab"),
        (rb"{\rtf1\ansicpg932 \'82\'a0}", "あ"),
        (rb"{\rtf1 \{a\}\\\~b}", "{a}\\\u00a0b"),
        (rb"{\rtf1\trowd a\cell b\cell\row}", "a\tb\t\n"),
        (rb"{\rtf1\trowd {a\par}\cell {b\par}\cell\row}", "a\tb\t\n"),
        (rb"}}}{\rtf1 a", "a"),
        (rb"{\rtf1{\info{\title T}{\subject S}}{\*\pnseclvl1{\pntxta .}}a}", "a"),
        (rb"{\rtf1{\*\htmltag <br>}a\htmlrtf\par\htmlrtf0 b}", "a\nb"),
    ],
)
def test_rtf_reads_as_it_shows(markup, text):
    assert "".join(rtf.RtfParser(markup).passages()).removeprefix(" ") == text


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


def test_what_dresses_a_saved_page_is_no_text_of_it(read):
    page = (
        b"From: <Saved by a browser>\nSubject: A page\nDate: x\nMIME-Version: 1.0\n"
        b"Content-Type: multipart/related; boundary=X\n\n--X\nContent-Type: text/html\n\n<p>The page itself."
        b"\n--X\nContent-Type: text/css\nContent-Location: a.css\n\np { color: red }\n--X--\n"
    )
    text = read(page).text
    assert "The page itself." in text
    assert "color" not in text


def test_a_forwarded_mail_in_base64_is_read_all_the_same(read):
    inner = base64.encodebytes(b"From: ada@example.org\nSubject: The inner one\nTo: x\n\nInner words.\n")
    outer = b"From: a@b\nTo: c@d\nSubject: s\nContent-Type: multipart/mixed; boundary=X\n\n--X\n"
    packed = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + inner
    assert "Inner words." in read(outer + packed + b"--X--\n").text


@pytest.mark.parametrize(
    "content_type", ["multipart/encrypted; boundary=X", "application/pkcs7-mime; smime-type=enveloped-data"]
)
def test_a_mail_for_somebody_elses_key_is_encrypted(read, content_type):
    with pytest.raises(DocumentError) as exc_info:
        read(f"From: a@b\nTo: c@d\nSubject: s\nContent-Type: {content_type}\n\n--X\n\nMIIB\n--X--\n".encode())
    assert exc_info.value.code == "encrypted"


def test_a_logo_in_a_mail_is_not_looked_at_but_a_photo_is(read):
    logo = encoded(picture("x", (60, 20)), "PNG")
    photo = encoded(picture("A photographed letter", (1_600, 2_200)), "PNG", compress_level=0)
    text = read(packages.archive({"logo.png": logo, "photo.png": photo}))
    assert len(text.images) == 1


@pytest.mark.parametrize("name", ["=?utf-8?b?4pyT?=", "=?x?q?broken", "=?no-such?q?a?="])
def test_strange_mail_headers_are_shown_somehow(name):
    assert mail.decode_header(name)


def test_a_letter_that_breaks_off_is_read_and_says_so(read):
    text = read(rb"{\rtf1 The first half of it {\b and")
    assert text.text == "The first half of it and"
    assert (text.coverage.cut, text.coverage.parts_failed) == (("corrupt",), 1)


def test_a_message_says_to_whom_it_went(read):
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


def test_a_damaged_page_costs_only_itself(read):
    whole = pdf(
        [["first page with its words"], ["second page with its words"], ["third page with its words"]]
    )
    damaged = whole.replace(b"/Type /Page /Parent 2 0 R", b"/Type /Pxge /Parent 9 9 R", 2).replace(
        b"/Pxge", b"/Page", 1
    )
    text = read(damaged)
    assert "third page" in text.text


def test_what_a_portfolio_holds_is_read_but_data_for_programs_is_not(read):
    with PdfDocument(pdf([["The cover of it"]])) as portfolio:
        for name, words in (
            ("terms.txt", b"Terms of delivery"),
            ("invoice.xml", b"<cii>4711</cii>"),
            ("press.joboptions", b"cii"),
        ):
            portfolio.new_attachment(name).set_data(words)
        out = io.BytesIO()
        portfolio.save(out)
    text = read(out.getvalue()).text
    assert (
        text.index("The cover of it") < text.index("[attached: terms.txt]") < text.index("Terms of delivery")
    )
    assert "cii" not in text


def test_nothing_to_read_is_empty(read):
    with pytest.raises(DocumentError) as exc_info:
        read(b"")
    assert exc_info.value.code == "empty"
    with pytest.raises(DocumentError) as exc_info:
        read(pdf([[]]))
    assert exc_info.value.code == "empty"


def test_what_cannot_be_read_is_named(read):
    with pytest.raises(DocumentError) as exc_info:
        read(b"MZ" + bytes(99), "tool.exe")
    assert (exc_info.value.code, exc_info.value.detail) == ("unsupported_type", "Windows program")
