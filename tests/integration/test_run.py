"""The command line as people use it: `run` and the local stack that stays, from outside."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.cli.inputs import find
from infra.cli.submit import RunResult, submit_and_wait
from infra.local import lifecycle
from infra.ops.stack import StackError

RUN = [sys.executable, "-I", "-m", "infra.cli", "run"]
HARD = Path(__file__).parent.parent / "documents" / "samples" / "purchasing" / "letter-of-intent.pdf"
INVOICE = b"Invoice 4711\nBill to: Example Ltd\nTotal due: 120.00 EUR, payable within 30 days\n"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*RUN, *map(str, arguments)], capture_output=True, text=True, timeout=100, check=False
    )


@pytest.mark.stack
def test_every_file_of_a_folder_gets_a_row_and_only_the_two_results_are_written(tmp_path: Path):
    folder, out = tmp_path / "mine", tmp_path / "out"
    (folder / "team a").mkdir(parents=True)
    out.mkdir()
    (folder / "team a" / "in+voice %41 é😀.txt").write_bytes(INVOICE)
    (folder / "empty.txt").write_bytes(b"")
    (out / "theirs.txt").write_text("stays")
    ended = run(folder, "--out", out)
    rows = [json.loads(line) for line in (out / "documents.jsonl").read_text().splitlines()]
    assert ended.returncode == 1, ended.stderr
    assert {(row["key"], row["status"], row.get("category")) for row in rows} == {
        ("empty.txt", "failed", None),
        ("team a/in+voice %41 é😀.txt", "done", "invoice"),
    }
    assert "There is nothing in the file" in ended.stdout
    assert "the offline Claude" in ended.stderr
    assert sorted(path.name for path in out.iterdir()) == ["documents.jsonl", "report.html", "theirs.txt"]


@pytest.mark.stack
def test_a_file_that_cannot_be_sent_is_named_and_its_neighbours_are_done(tmp_path: Path):
    (tmp_path / "good.txt").write_bytes(INVOICE)
    os.mkfifo(tmp_path / "pipe")
    ended = run(tmp_path, "--out", tmp_path / "out", "--json")
    assert ended.returncode == 3
    assert [json.loads(line)["status"] for line in ended.stdout.splitlines()] == ["done"]
    assert "pipe: it is not a regular file" in ended.stderr


@pytest.mark.stack
def test_what_would_cost_more_than_is_allowed_is_named_and_nobody_waits_for_it(tmp_path: Path):
    (tmp_path / "good.txt").write_bytes(INVOICE)
    shutil.copy(HARD, tmp_path / "hard.pdf")
    ended = run(tmp_path, "--out", tmp_path / "out", "--json", "--max-usd", "0.02")
    assert ended.returncode == 3, ended.stderr
    assert [json.loads(line)["key"] for line in ended.stdout.splitlines()] == ["good.txt"]
    assert "hard.pdf: over the cap: parked for spend_cap at escalation, until" in ended.stderr


OWN = """
[[category]]
slug = "bill"
name = "Bill"
description = "Somebody wants to be paid: an invoice."
keywords = ["invoice", "total due", "payable"]

[[category]]
slug = "other"
name = "Other"
description = "Anything else."
"""


@pytest.mark.stack
def test_categories_of_ones_own_can_be_tried(tmp_path: Path):
    (tmp_path / "good.txt").write_bytes(INVOICE)
    (tmp_path / "own.toml").write_text(OWN)
    ended = run(
        tmp_path / "good.txt", "--taxonomy", tmp_path / "own.toml", "--out", tmp_path / "out", "--json"
    )
    (row,) = map(json.loads, ended.stdout.splitlines())
    assert row["category"] == "bill", ended.stderr


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (b"[[category]\n", "own.toml: the taxonomy is not TOML"),
        (OWN.replace("bill", "1").encode(), "own.toml: the taxonomy is wrong: category.0.slug"),
        (b"\xff\xfe", "own.toml is not in UTF-8"),
    ],
)
def test_categories_that_no_function_could_start_with_are_refused(tmp_path: Path, file: bytes, said: str):
    (tmp_path / "own.toml").write_bytes(file)
    ended = run(__file__, "--taxonomy", tmp_path / "own.toml")
    assert (ended.returncode, said in ended.stderr) == (2, True), ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.stack
def test_a_key_that_is_not_taken_is_reported_and_nobody_waits_for_it(tmp_path: Path):
    (tmp_path / "good.txt").write_bytes(INVOICE)
    result, began = RunResult(), time.monotonic()
    with lifecycle.local_stack(lifecycle.StackOptions(claude_options=["authentication:rate=1"])) as found:
        submit_and_wait(found, find([tmp_path]), result, patience=90, on_progress=lambda *_: None)
    assert result.missing == {"good.txt": "Claude rejects the API key: parked for credentials at triage"}
    assert time.monotonic() - began < 60


@pytest.mark.stack
def test_an_interruption_stops_all_that_was_started(tmp_path: Path):
    (tmp_path / "good.txt").write_bytes(INVOICE)
    started = subprocess.Popen(
        [*RUN, str(tmp_path), "--out", str(tmp_path / "out")],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    )
    (tmp_path / "tmp").mkdir()
    assert started.stderr is not None
    while "Uploaded" not in started.stderr.readline():
        pass
    started.send_signal(signal.SIGINT)
    started.communicate(timeout=30)
    assert started.returncode == 130
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["/no/such/folder"], "no such file or folder"),
        (["--claude", "api"], "ANTHROPIC_API_KEY"),
        ([__file__, "--max-usd", "inf"], "amount of dollars"),
        ([__file__, "--out", __file__], "cannot go to"),
        (["--claud"], "No such option"),
    ],
    ids=["no-folder", "no-key", "no-limit", "no-out", "no-option"],
)
def test_a_mistake_of_the_user_is_said_in_a_sentence(arguments: list[str], words: str):
    ended = run(*arguments)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.stack
def test_a_stack_that_stays_can_be_found_used_and_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lifecycle, "KEPT_STACK", tmp_path / "stack")
    lifecycle.up()
    found = lifecycle.running_stack()
    try:
        uri = found.upload("team/invoice.txt", INVOICE)
        assert found.wait_row(uri)["category"] == "invoice"
    finally:
        assert lifecycle.down()
    assert list((tmp_path / "stack").iterdir() if (tmp_path / "stack").exists() else []) == []
    with pytest.raises(StackError, match="No local stack is running"):
        lifecycle.running_stack()
    assert not lifecycle.down()
