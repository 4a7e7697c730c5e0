"""What commands print where there is nothing to do, or where it is not allowed."""

from typing import Any

import pytest
import typer

from infra.cli import local, redrive, review
from infra.cli.inputs import InputError
from infra.local import lifecycle
from infra.ops import listing, operations
from infra.ops.operations import NotAllowedError
from infra.ops.stack import Stack


class Inbox:
    """A fake of infra.ops.stack.Stack with one document."""

    def uri(self, key: str) -> str:
        return f"s3://inbox/{key}"

    def row(self, uri: str) -> dict[str, str] | None:
        return {"document": uri} if uri == "s3://inbox/there" else None


@pytest.fixture(autouse=True)
def a_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    for command in (redrive, review):
        monkeypatch.setattr(command, "find_stack", lambda *_: Inbox())
        monkeypatch.setattr(command, "operator", lambda *_, **__: _Services())


class _Services:
    def __getattr__(self, _: str) -> Any:
        return self

    def headroom(self) -> dict[str, float]:
        return {}


def test_a_review_of_an_unknown_document_is_an_error():
    with pytest.raises(InputError, match="no document s3://inbox/gone"):
        review.review("gone", accept=True)


def test_a_review_that_is_not_allowed_names_the_document_and_the_reason(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise NotAllowedError("there is no answer")

    monkeypatch.setattr(operations, "review", refuse)
    with pytest.raises(InputError, match=r"^s3://inbox/there is unchanged: there is no answer\.$"):
        review.review("there", accept=True, who="somebody")


def test_a_redrive_that_matches_no_document_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(listing, "of_statuses", lambda *_: iter(()))
    with pytest.raises(typer.Exit):
        redrive.redrive(code="crahsed")
    assert "No document matches" in capsys.readouterr().err


def test_local_up_prints_each_output_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    here = Stack(
        endpoint_url="http://127.0.0.1:1",
        region="eu-west-1",
        access_key_id="test",
        secret_access_key="test",
        claude_url=None,
        outputs={"InboxBucket": "the-inbox"},
    )
    monkeypatch.setattr(lifecycle, "up", lambda: here)
    local.up()
    assert capsys.readouterr().out.count("the-inbox") == 1
