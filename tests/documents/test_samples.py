"""The samples that ship: each is described, small, and what its description says."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
SAMPLES = {
    path.relative_to(HERE / "samples").as_posix(): path
    for path in (HERE / "samples").rglob("*")
    if path.is_file()
}
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads((HERE / "samples.toml").read_text(encoding="utf-8"))
CATEGORIES = {
    category["slug"]
    for category in tomllib.loads(
        (HERE.parents[1] / "functions/pigeonhole/domain/taxonomy.toml").read_text(encoding="utf-8")
    )["category"]
}


def test_every_sample_is_described_and_every_description_has_its_sample() -> None:
    assert set(SAMPLES) == set(EXPECTED)


def test_all_samples_together_stay_small_enough_for_a_clone() -> None:
    assert sum(path.stat().st_size for path in SAMPLES.values()) < 600_000


def test_every_category_has_a_sample_that_must_be_sorted_into_it() -> None:
    assert {slug for entry in EXPECTED.values() for slug in entry.get("category", [])} == CATEGORIES


@pytest.mark.parametrize("entry", EXPECTED.values(), ids=EXPECTED)
def test_a_description_says_only_what_a_row_can_say(entry: dict[str, Any]) -> None:
    assert set(entry) <= {"status", "category", "error", "tier"}
    assert set(entry["status"]) <= {"done", "needs_review", "failed"}
    assert set(entry.get("category", [])) <= CATEGORIES
    assert ("error" in entry) == (entry["status"] == ["failed"])
