"""The API key: without one no document can go on, and everybody is told why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import Stubber

from pigeonhole.adapters.secrets_manager import api_key
from pigeonhole.domain.document import Defect, StopAll, TryLater
from tests.contract import moto_cloud


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
def test_a_store_that_is_busy_is_asked_later(
    stub: Stubber, code: str, status: int, expected: type[Exception]
) -> None:
    stub.add_client_error("get_secret_value", code, http_status_code=status)
    with pytest.raises(expected):
        api_key(stub.client, "arn")
