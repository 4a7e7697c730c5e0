"""`extract` prints the text that the functions would read of a file, as JSON lines or for a person."""

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


def extract(*arguments: str | Path) -> tuple[list[dict[str, Any]], int]:
    result = CliRunner().invoke(app, ["extract", "--json", *map(str, arguments)])
    return [json.loads(line) for line in result.stdout.splitlines()], result.exit_code


def test_each_file_of_a_folder_is_a_json_line(files):
    lines, code = extract(files)
    assert [list(line) for line in lines] == [KEYS, KEYS]
    assert (lines[0]["path"], lines[0]["ok"]) == (f"{files}/b.odt", True)
    assert (lines[0]["title"], lines[0]["text"]) == ("Plan", "Ten pallets")
    assert (lines[0]["coverage"]["chars_read"], lines[0]["error"]) == (11, None)
    assert code == 1


def test_a_file_that_cannot_be_read_says_why_and_what_to_do(files):
    (line,), code = extract(files / "c.bin")
    assert line["error"]["code"] == "unsupported_type"
    assert line["error"]["message"] == "This type of file cannot be read: unknown binary data."
    assert line["error"]["next_step"]
    assert (line["ok"], line["text"], code) == (False, None, 1)


def test_the_exit_code_is_0_if_every_file_was_read(files):
    assert extract(files / "b.odt")[1] == 0


def test_a_path_that_does_not_exist_is_a_result_with_an_error(files):
    (line,), code = extract(files / "none.pdf")
    assert (line["error"]["code"], code) == ("gone", 1)


def test_without_json_the_type_coverage_metadata_and_text_are_printed(files):
    printed = CliRunner().invoke(app, ["extract", str(files / "b.odt")]).stdout
    for expected in (
        "application/vnd.oasis.opendocument.text",
        "'chars_read': 11",
        "title: Plan",
        "Ten pallets",
    ):
        assert expected in printed
