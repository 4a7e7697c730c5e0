"""`list` shows as many documents as --limit says, if so many match."""

import json
from typing import Any

import pytest

from infra.cli import documents
from infra.cli.inputs import InputError

STATUS = {"a": "done", "b": "done", "c": "needs_review", "d": "done", "e": "needs_review"}


class FakeStack:
    """A fake of infra.ops.stack.Stack with five invoices, the newest first."""

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
    ("status", "limit", "keys"),
    [("needs_review", 1, "c"), ("needs_review", 9, "ce"), ("done", 2, "ab"), (None, 3, "abc")],
)
def test_the_limit_counts_the_documents_that_match(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: str, limit: int, keys: str
):
    monkeypatch.setattr(documents, "find_stack", lambda *_: FakeStack())
    documents.list_documents(category="invoice", status=status, limit=limit, as_json=True)
    assert "".join(json.loads(line)["key"] for line in capsys.readouterr().out.splitlines()) == keys


def test_without_a_match_a_message_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(documents, "find_stack", lambda *_: FakeStack())
    documents.list_documents(category="invoice", status="failed", limit=9, as_json=False)
    assert capsys.readouterr().err == "No document matches.\n"


def test_a_region_without_a_stack_is_an_error():
    with pytest.raises(InputError, match="--region is for --stack"):
        documents.find_stack(None, "eu-central-1")
