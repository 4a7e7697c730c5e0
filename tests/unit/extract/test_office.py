"""Word and PowerPoint documents: the words are there once, and nothing stands between them."""

from __future__ import annotations

import io
import zipfile

import pytest

from pigeonhole.extract import office
from tests.documents.vectors import packages
from tests.unit.extract import hostile
from tests.unit.extract.conftest import with_members


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(hostile.nested_tables(200), id="tables nested too deeply"),
        pytest.param(hostile.half_a_workbook(), id="a sheet that cannot be read"),
        pytest.param(hostile.half_a_presentation(), id="a slide that cannot be read"),
    ],
)
def test_what_the_library_leaves_out_in_silence_is_marked_as_cut(read, document):
    assert read(document).coverage.truncated


RUN = "<w:r><w:t>{}</w:t></w:r>"


RUBY = (
    f"<w:r><w:ruby><w:rubyPr/><w:rt>{RUN.format('きたじま')}</w:rt>"
    f"<w:rubyBase>{RUN.format('北島')}</w:rubyBase></w:ruby></w:r>"
)


def test_words_with_ruby_annotations_are_read_without_them(read):
    body = f"<w:p>{RUN.format('請求先は')}{RUBY}{RUN.format('製材所です')}</w:p>" * 2
    assert read(packages.docx(body, "t")).text == "請求先は北島製材所です\n\n請求先は北島製材所です"


def test_a_word_document_that_breaks_off_is_read_and_marked_as_cut(read):
    whole = packages.docx(packages.paragraph("A line of some words.") * 40, "t")
    with zipfile.ZipFile(io.BytesIO(whole)) as package:
        words = package.read("word/document.xml")
    text = read(with_members(whole, {"word/document.xml": words[: len(words) // 2]}))
    assert text.text.startswith("A line of some words.\nA line")
    assert text.coverage.cut == ("corrupt",)


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("see [our terms](https://a.example/t?x=1) now", "see our terms now"),
        ("[one](https://a.example/b_(c)), [t [2] u](mailto:a@b.example)", "one, t [2] u"),
        ("![a duck]() and ![a goose](#g)", "a duck and a goose"),
        (r"\[no link\](http://a.example) or a\[1\](2)", "[no link](http://a.example) or a[1](2)"),
    ],
)
def test_a_link_is_read_as_its_words(markdown, text):
    assert office._unescaped(markdown) == text


def test_a_word_document_with_links_reads_as_it_looks(read):
    link = '<w:hyperlink w:anchor="a"><w:r><w:t>our terms</w:t></w:r></w:hyperlink>'
    body = packages.paragraph("See |, which hold.").replace("<w:r>", f"{link}<w:r>", 2).replace(link, "", 1)
    assert read(packages.docx(body, "t")).text == "See our terms, which hold."
