"""What a function loads before its first event, and how little of it there is to read."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys

import pytest

from infra.dev.bootstrap import ROOT

FUNCTIONS = ["triage", "escalation", "dead_letter"]
# Two thirds of a cold start, and the extractors' libraries, which only their own process loads.
LATE = {
    "PIL",
    "anthropic",
    "chardet",
    "httpx2",
    "office_oxide",
    "oxmsg",
    "pypdfium2",
    "python_calamine",
    "selectolax",
    "striprtf",
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_loads_neither_claudes_sdk_nor_an_extractors_library(name: str) -> None:
    code = f"import json, sys, {name}.handler; print(json.dumps(list(sys.modules)))"
    environment = {"PYTHONPATH": str(ROOT / "functions"), "PATH": os.environ["PATH"]}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    loaded = {module.partition(".")[0] for module in json.loads(ran.stdout)}
    assert {"boto3", "pigeonhole"} <= loaded
    assert not loaded & LATE


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_handler_parses_calls_and_reports_and_that_is_all(name: str) -> None:
    tree = ast.parse((ROOT / "functions" / name / "handler.py").read_text("utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert [each.name for each in functions] == ["handle"]
    assert (functions[0].end_lineno or 0) - functions[0].lineno < 20
