"""Claude's key: without one no document can go on; it may be replaced while containers are warm.

It is good for ten minutes, or until it is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import Stubber

from pigeonhole.adapters.lazy_claude import LazyClaude, api_key
from pigeonhole.domain.document import Reply
from pigeonhole.domain.errors import Defect, StopAll, TryLater, WaitReason
from tests.contract import moto_cloud
from tests.support.builders import reply
from tests.support.fakes import FakeClock


@pytest.fixture
def secrets(aws: None) -> Any:
    return moto_cloud.client("secretsmanager")


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(
        moto_cloud.client("secretsmanager", aws_access_key_id="x", aws_secret_access_key="y")
    ) as made:
        yield made


def test_the_key_is_the_secrets_text_without_its_margins(secrets: Any) -> None:
    arn = secrets.create_secret(Name="key", SecretString=" sk-ant-1\n")["ARN"]
    assert api_key(secrets, arn) == "sk-ant-1"


@pytest.mark.parametrize(("kind", "content"), [("SecretString", " \n"), ("SecretBinary", b"sk-ant-1")])
def test_a_secret_without_text_stops_everything(secrets: Any, kind: str, content: str | bytes) -> None:
    arn = secrets.create_secret(Name=f"no-text-{kind}", **{kind: content})["ARN"]
    with pytest.raises(StopAll) as stop:
        api_key(secrets, arn)
    assert stop.value.waiting_for == "credentials"


def test_a_secret_that_is_not_there_stops_everything(secrets: Any) -> None:
    with pytest.raises(StopAll) as stop:
        api_key(secrets, "arn:aws:secretsmanager:eu-west-1:123456789012:secret:none-AbCdEf")
    assert stop.value.waiting_for == "credentials"
    assert stop.value.until is None


def test_a_secret_about_to_be_deleted_stops_everything(secrets: Any) -> None:
    arn = secrets.create_secret(Name="dying", SecretString="sk-ant-1")["ARN"]
    secrets.delete_secret(SecretId=arn)
    with pytest.raises(StopAll, match="credentials"):
        api_key(secrets, arn)


@pytest.mark.parametrize("code", ["AccessDeniedException", "DecryptionFailure"])
def test_a_secret_that_is_not_ours_to_read_stops_everything(stub: Stubber, code: str) -> None:
    stub.add_client_error("get_secret_value", code, http_status_code=400)
    with pytest.raises(StopAll, match=code) as stop:
        api_key(stub.client, "arn")
    assert stop.value.waiting_for == "credentials"


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("InternalServiceError", 500, TryLater),
        ("ThrottlingException", 400, TryLater),
        ("ValidationException", 400, Defect),
    ],
)
def test_a_secrets_manager_that_is_busy_is_asked_later(
    stub: Stubber, code: str, status: int, expected: type[Exception]
) -> None:
    stub.add_client_error("get_secret_value", code, http_status_code=status)
    with pytest.raises(expected):
        api_key(stub.client, "arn")


class FakeSecrets:
    """A Secrets Manager with one secret, and what is found in it at each look."""

    def __init__(self, held: list[str | Exception]) -> None:
        self._held = held

    def get_secret_value(self, **_: str) -> dict[str, str]:
        found = self._held.pop(0)
        if isinstance(found, Exception):
            raise found
        return {"SecretString": found}


class Keyed:
    """A Claude that takes one key and no other."""

    def __init__(self, key: str, _: str | None) -> None:
        self._key = key

    def ask(self, request: object, *, timeout: float) -> Reply:
        if self._key != "new":
            raise StopAll(WaitReason.CREDENTIALS, "401")
        return reply()


@pytest.fixture
def keys() -> list[str | Exception]:
    """What the secret holds, at each look."""
    return []


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def claude(keys: list[str | Exception], clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> LazyClaude:
    monkeypatch.setattr("pigeonhole.adapters.anthropic_client.AnthropicClient", Keyed)
    return LazyClaude(lambda: FakeSecrets(keys), "arn", None, clock)


def asked(claude: LazyClaude) -> Reply:
    return claude.ask({}, timeout=10)


def test_a_key_that_was_replaced_is_fetched_afresh(keys: list[str | Exception], claude: LazyClaude) -> None:
    keys += ["old", "new"]
    assert asked(claude) == reply()
    assert asked(claude) == reply()
    assert keys == []


def test_a_key_that_is_refused_twice_stops_everything(
    keys: list[str | Exception], claude: LazyClaude
) -> None:
    keys += ["old", "older", "new"]
    with pytest.raises(StopAll):
        asked(claude)
    assert keys == ["new"]


def test_after_that_the_next_document_looks_again(keys: list[str | Exception], claude: LazyClaude) -> None:
    keys += ["old", "older", "new"]
    with pytest.raises(StopAll):
        asked(claude)
    assert asked(claude) == reply()


def test_for_ten_minutes_the_secret_is_not_looked_at(
    keys: list[str | Exception], claude: LazyClaude, clock: FakeClock
) -> None:
    keys += ["new", "newer"]
    asked(claude)
    clock.pass_by(599)
    assert asked(claude) == reply()
    assert keys == ["newer"]


def test_then_it_is_looked_at_once_and_good_for_as_long_again(
    keys: list[str | Exception], claude: LazyClaude, clock: FakeClock
) -> None:
    keys += ["new", "new", "newest"]
    asked(claude)
    for seconds in (600, 1, 598):
        clock.pass_by(seconds)
        assert asked(claude) == reply()
    assert keys == ["newest"]


def test_where_it_cannot_be_looked_at_the_key_that_we_have_will_do(
    keys: list[str | Exception], claude: LazyClaude, clock: FakeClock
) -> None:
    keys += ["new", TryLater("Secrets Manager", seconds=20)]
    asked(claude)
    clock.pass_by(600)
    assert asked(claude) == reply()


def test_a_key_that_was_taken_away_is_not_used_any_longer(
    keys: list[str | Exception], claude: LazyClaude, clock: FakeClock
) -> None:
    keys += ["new", StopAll(WaitReason.CREDENTIALS, "the secret is gone")]
    asked(claude)
    clock.pass_by(600)
    with pytest.raises(StopAll, match="gone"):
        asked(claude)


def test_without_any_key_a_busy_secrets_manager_is_tried_later(
    keys: list[str | Exception], claude: LazyClaude
) -> None:
    keys += [TryLater("Secrets Manager", seconds=20), "new"]
    with pytest.raises(TryLater, match="Secrets Manager"):
        asked(claude)
    assert asked(claude) == reply()
