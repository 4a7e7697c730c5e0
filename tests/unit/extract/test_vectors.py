"""Every format, each from a small document of our own: what must be read of it, and what must not."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from pigeonhole.domain.document import Text
from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.registry import FORMATS
from pigeonhole.sandbox.extractor import Extractor
from tests.unit.extract.conftest import VECTORS

VECTOR_LIST: list[dict[str, Any]] = tomllib.loads((VECTORS.parent / "vectors.toml").read_text())["vector"]
READ = [vector for vector in VECTOR_LIST if "error" not in vector]
REFUSED = [vector for vector in VECTOR_LIST if "error" in vector]


def by_file(vectors: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("vector", vectors, ids=[vector["file"] for vector in vectors])


def text_of(extractor: Extractor, vector: dict[str, Any]) -> Text:
    return extractor.read(VECTORS / vector["file"], vector["file"])


@by_file(READ)
def test_a_vector_has_the_media_type_of_its_content(extractor, vector):
    assert text_of(extractor, vector).media_type == vector["kind"]


@by_file(READ)
def test_a_vector_gives_its_words_in_order_and_no_noise(extractor, vector):
    text, at = text_of(extractor, vector).text, 0
    for words in vector.get("include", []):
        at = text.find(words, at)
        assert at >= 0, f"{words!r} is not where it should be in {text!r}"
    assert [noise for noise in vector.get("exclude", []) if noise in text] == []


@by_file(READ)
def test_a_vector_says_what_was_read_of_it(extractor, vector):
    text = text_of(extractor, vector)
    coverage = text.coverage
    assert [image.page for image in text.images] == list(coverage.pages_as_images) == vector.get("images", [])
    assert coverage.parts_failed == vector.get("failed", 0)
    assert coverage.truncated == ("failed" in vector)
    assert coverage.chars_read == sum(len(part) for part in text.body if isinstance(part, str))
    if "pages" in vector:
        assert [coverage.pages_read, coverage.pages_total] == vector["pages"]


@by_file([vector for vector in READ if "title" in vector or "author" in vector])
def test_a_vector_states_its_title_and_author(extractor, vector):
    text = text_of(extractor, vector)
    assert text.title == vector.get("title", text.title)
    assert text.author == vector.get("author", text.author)


@by_file(REFUSED)
def test_a_vector_that_cannot_be_read_is_refused_with_its_code(extractor, vector):
    with pytest.raises(DocumentError) as exc_info:
        text_of(extractor, vector)
    assert exc_info.value.code == vector["error"]


def test_every_format_of_the_registry_has_a_vector():
    media_types = {vector["kind"] for vector in READ}
    assert {entry.media_type for entry in FORMATS.values()} - media_types == set()
