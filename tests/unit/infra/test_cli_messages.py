"""What commands say where there is nothing to do, or nothing that may be done."""

from typing import Any

import pytest
import typer

from infra.cli import local, redrive, review
from infra.cli.inputs import InputError
from infra.local import lifecycle
from infra.ops import listing
from infra.ops.stack import Stack


class Inbox:
    """infra.ops.stack.Stack, as far as these look at it: one document."""

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


def test_a_review_of_what_is_not_there_says_so():
    with pytest.raises(InputError, match="no document s3://inbox/gone"):
        review.review("gone", accept=True)


def test_a_review_that_may_not_be_names_its_document(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise NotAllowedError("there is no answer")

    monkeypatch.setattr(upkeep, "review", refuse)
    with pytest.raises(InputError, match=r"^s3://inbox/there is unchanged: there is no answer\.$"):
        review.review("there", accept=True, who="somebody")


def test_a_redrive_that_fits_no_document_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(listing, "of_statuses", lambda *_: iter(()))
    with pytest.raises(typer.Exit):
        redrive.redrive(code="crahsed")
    assert "No document matches" in capsys.readouterr().err


def test_a_stack_that_came_up_is_described_once(
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
