"""What `list` shows of a stack: so many as were asked for, if there are as many."""

import json
from typing import Any

import pytest

from infra.cli import documents
from infra.cli.inputs import InputError

STATUS = {"a": "done", "b": "done", "c": "needs_review", "d": "done", "e": "needs_review"}


class OneCategory:
    """infra.ops.stack.Stack, as far as listing looks at it: invoices, the newest first."""

    def __init__(self) -> None:
        self.outputs = {"DocumentsTable": "documents"}

    def client(self, _: str) -> Any:
        return self

    get_paginator = client

    def paginate(self, **_: Any) -> Any:
        yield {"Items": [{"document": {"S": uri}} for uri in STATUS]}

    def rows(self, uris: list[str]) -> dict[str, dict[str, str]]:
        return {uri: {"key": uri, "category": "invoice", "status": STATUS[uri]} for uri in uris}


@pytest.mark.parametrize(
    ("status", "limit", "shown"),
    [("needs_review", 1, "c"), ("needs_review", 9, "ce"), ("done", 2, "ab"), (None, 3, "abc")],
)
def test_the_limit_counts_what_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: str, limit: int, shown: str
):
    monkeypatch.setattr(documents, "find_stack", lambda *_: OneCategory())
    documents.list_documents(category="invoice", status=status, limit=limit, as_json=True)
    assert "".join(json.loads(line)["key"] for line in capsys.readouterr().out.splitlines()) == shown


def test_none_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(documents, "find_stack", lambda *_: OneCategory())
    documents.list_documents(category="invoice", status="failed", limit=9, as_json=False)
    assert capsys.readouterr().err == "No document matches.\n"


def test_a_region_without_a_stack_is_not_passed_over():
    with pytest.raises(InputError, match="--region is for --stack"):
        documents.find_stack(None, "eu-central-1")
