"""Every error that a document can end in has plain words and a next step."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import pigeonhole
from pigeonhole.domain.error_codes import EXPLANATIONS
from pigeonhole.domain.record import explain

SOURCES = sorted(Path(pigeonhole.__path__[0]).rglob("*.py"))


def raised() -> set[str]:
    """The codes that stand in a DocumentError anywhere in what ships."""
    calls = (node for path in SOURCES for node in ast.walk(ast.parse(path.read_text("utf-8"))))
    return {
        call.args[0].value
        for call in calls
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", "") == "DocumentError"
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def test_every_code_that_is_raised_is_explained():
    assert len(raised()) > 5
    assert raised() - EXPLANATIONS.keys() == set()


@pytest.mark.parametrize("code", sorted(EXPLANATIONS))
def test_an_explanation_is_two_plain_sentences(code):
    said = EXPLANATIONS[code]

    for sentence in (said.message, said.next_step):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert len(sentence) <= 120


@pytest.mark.parametrize(
    "code", ["encrypted", "corrupt", "empty", "unsupported_type", "too_large", "gone", "refused"]
)
def test_what_the_same_bytes_cannot_mend_is_not_retryable(code):
    assert not explain(code).retryable


def test_a_detail_is_kept_within_bounds_and_absent_when_there_is_none():
    assert explain("corrupt", "x" * 301).detail == "x" * 300
    assert explain("corrupt").detail is None
