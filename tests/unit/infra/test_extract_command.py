"""`extract`: what the functions would read of a file, told as lines of JSON or to a person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.cli.__main__ import app
from tests.documents.vectors import packages

KEYS = [
    "path",
    "ok",
    "text",
    "media_type",
    "title",
    "author",
    "created",
    "modified",
    "coverage",
    "error",
    "seconds",
]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "b.odt").write_bytes(packages.opendocument("text", "<text:p>Ten pallets</text:p>", "Plan"))
    (tmp_path / "c.bin").write_bytes(bytes(range(256)))
    return tmp_path


def told(*arguments: str | Path) -> tuple[list[dict[str, Any]], int]:
    result = CliRunner().invoke(app, ["extract", "--json", *map(str, arguments)])
    return [json.loads(line) for line in result.stdout.splitlines()], result.exit_code


def test_each_file_of_a_folder_is_a_line_of_json(files):
    lines, code = told(files)
    assert [list(line) for line in lines] == [KEYS, KEYS]
    assert (lines[0]["path"], lines[0]["ok"]) == (f"{files}/b.odt", True)
    assert (lines[0]["title"], lines[0]["text"]) == ("Plan", "Ten pallets")
    assert (lines[0]["coverage"]["chars_read"], lines[0]["error"]) == (11, None)
    assert code == 1


def test_a_file_that_cannot_be_read_says_why_and_what_to_do(files):
    (line,), code = told(files / "c.bin")
    assert line["error"]["code"] == "unsupported_type"
    assert line["error"]["message"] == "This type of file cannot be read: unknown binary data."
    assert line["error"]["next_step"]
    assert (line["ok"], line["text"], code) == (False, None, 1)


def test_all_read_is_exit_code_0(files):
    assert told(files / "b.odt")[1] == 0


def test_a_path_without_a_file_is_an_answer_too(files):
    (line,), code = told(files / "none.pdf")
    assert (line["error"]["code"], code) == ("gone", 1)


def test_a_person_sees_type_coverage_facts_and_text(files):
    shown = CliRunner().invoke(app, ["extract", str(files / "b.odt")]).stdout
    for said in ("application/vnd.oasis.opendocument.text", "'chars_read': 11", "title: Plan", "Ten pallets"):
        assert said in shown
