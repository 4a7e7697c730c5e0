"""Every error that a document can end in has plain words and a next step."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import pigeonhole
from pigeonhole.domain.error_codes import EXPLANATIONS, ErrorCode
from pigeonhole.domain.errors import DocumentError
from pigeonhole.domain.record import explain

SOURCES = sorted(Path(pigeonhole.__path__[0]).rglob("*.py"))


def raised() -> set[str]:
    """The codes that stand in a DocumentError anywhere in what ships, as texts or as members."""
    calls = (node for path in SOURCES for node in ast.walk(ast.parse(path.read_text("utf-8"))))
    codes = [
        code_of(call.args[0])
        for call in calls
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "DocumentError" and call.args
    ]
    return {code for code in codes if code}


def code_of(argument: ast.expr) -> str | None:
    if isinstance(argument, ast.Constant):
        return str(argument.value)
    is_member = isinstance(argument, ast.Attribute) and getattr(argument.value, "id", "") == "ErrorCode"
    return ErrorCode[argument.attr] if is_member and isinstance(argument, ast.Attribute) else None


def test_every_code_is_explained():
    assert EXPLANATIONS.keys() == set(ErrorCode)


def test_every_code_that_is_raised_is_one_of_ours():
    assert {"corrupt", "rejected"} <= raised()
    assert raised() <= set(ErrorCode)


def test_a_code_that_is_none_of_ours_cannot_be_raised():
    with pytest.raises(ValueError, match="'odd' is not a valid ErrorCode"):
        raise DocumentError("odd")


def test_an_error_names_its_code_and_what_was_found():
    error = DocumentError("corrupt", "it breaks off")

    assert (error.code, error.detail, str(error)) == (
        ErrorCode.CORRUPT,
        "it breaks off",
        "corrupt: it breaks off",
    )
    assert str(DocumentError(ErrorCode.GONE)) == "gone"


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
    assert not explain(DocumentError(code)).retryable


def test_a_detail_is_kept_within_bounds_and_absent_when_there_is_none():
    assert explain(DocumentError("corrupt", "x" * 301)).detail == "x" * 300
    assert explain(DocumentError("corrupt")).detail is None
