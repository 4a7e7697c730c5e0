"""The invariant: any bytes end, within their limits, in a text with coverage or in one of our errors."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pigeonhole.domain.document import Text
from pigeonhole.domain.errors import DocumentError
from pigeonhole.extract.limits import Limits
from pigeonhole.extract.registry import FORMATS
from pigeonhole.sandbox.client import GRACE_SECONDS
from pigeonhole.sandbox.extractor import Extractor
from tests.unit.extract.mutations import SEEDS, mutated

READING_ENDS_IN = {
    "corrupt", "crashed", "empty", "encrypted", "extraction_memory", "extraction_timeout", "too_large",
    "unsupported_type",
}  # fmt: skip
LIMITS = Limits(
    wall_seconds=4, cpu_seconds=3, chars=50_000, vision_pages=2, image_px=200, memory_bytes=500 << 20
)
FUZZ = settings(deadline=None, database=None, suppress_health_check=[*HealthCheck], derandomize=False)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Extractor, Path]]:
    extractor = Extractor(LIMITS)
    yield extractor, tmp_path_factory.mktemp("fuzz") / "document"
    extractor.close()


def check_invariant(fuzzed: tuple[Extractor, Path], data: bytes, name: str) -> None:
    extractor, path = fuzzed
    path.write_bytes(data)
    start = time.monotonic()
    outcome = read_or_error_code(extractor, path, name)
    if isinstance(outcome, Text):
        check_text(outcome)
    else:
        assert outcome in READING_ENDS_IN
    assert time.monotonic() - start < 2 * LIMITS.wall_seconds + GRACE_SECONDS


def read_or_error_code(extractor: Extractor, path: Path, name: str) -> Text | str:
    try:
        return extractor.read(path, name)
    except DocumentError as error:
        return error.detail if "unknown error code" in error.detail else error.code


def check_text(text: Text) -> None:
    coverage = text.coverage
    assert text.media_type in {entry.media_type for entry in FORMATS.values()}
    assert (
        coverage.chars_read == sum(len(part) for part in text.body if isinstance(part, str)) <= LIMITS.chars
    )
    assert len(text.images) == len(coverage.pages_as_images) <= LIMITS.vision_pages
    assert all(max(image.width, image.height) <= LIMITS.image_px for image in text.images)
    assert coverage.truncated == bool(coverage.cut)
    assert coverage.chars_total == (None if coverage.truncated else coverage.chars_read)
    assert text.body
    assert text.text.isprintable() or set(text.text) - {"\0", "\ud800"} == set(text.text)


@settings(FUZZ, max_examples=400)
@given(name=st.sampled_from(sorted(SEEDS)), seed=st.integers(0, 2**32))
def test_a_damaged_document_of_any_kind_ends_well(fuzzed, name, seed):
    check_invariant(fuzzed, mutated(SEEDS[name], random.Random(seed)), name)


@settings(FUZZ, max_examples=100)
@given(
    data=st.binary(min_size=1, max_size=2_000),
    name=st.sampled_from(["x", "x.html", "x.eml", "x.csv", "x.xml"]),
)
@example(data=b"\0", name="x")
@example(data=b"PK\3\4", name="x")
@example(data=b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", name="x")
def test_any_bytes_at_all_end_well(fuzzed, data, name):
    check_invariant(fuzzed, data, name)


@settings(FUZZ, max_examples=100)
@given(
    st.text(min_size=1, max_size=2_000), st.sampled_from(["utf-8", "utf-16", "utf-32", "gb18030", "cp1252"])
)
def test_any_text_in_any_encoding_ends_well(fuzzed, words, encoding):
    check_invariant(fuzzed, words.encode(encoding, "replace"), "x.txt")
