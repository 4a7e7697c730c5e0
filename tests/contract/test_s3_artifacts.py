"""The artifacts: a text comes back until it expires, and nothing that cannot be parsed is lost."""

from __future__ import annotations

import json
import re

import pytest
from botocore.stub import Stubber

from pigeonhole.adapters.s3 import ArtifactsBucket, taxonomy_text
from pigeonhole.domain.errors import Defect, TryLater
from pigeonhole.domain.upload import Upload
from pigeonhole.jobs.message import Message
from tests.contract import moto_cloud
from tests.contract.port_harness import ArtifactsBench
from tests.support.builders import upload

TEXTS = ["", "plain", "Grüße 😀 \u0000\r\n\u2028 end", "x" * 300_000]


@pytest.mark.parametrize("text", TEXTS, ids=["empty", "plain", "odd", "long"])
def test_a_text_comes_back_as_it_was_saved(artifacts: ArtifactsBench, text: str) -> None:
    assert artifacts.port.text(artifacts.port.save_text(upload(), text)) == text


def test_half_a_character_costs_that_character_alone(artifacts: ArtifactsBench) -> None:
    saved = artifacts.port.text(artifacts.port.save_text(upload(), "before \ud83d after"))
    assert saved is not None
    assert re.fullmatch("before . after", saved)


def test_a_text_saved_again_is_the_same_object(artifacts: ArtifactsBench) -> None:
    first = artifacts.port.save_text(upload(), "first")
    assert artifacts.port.save_text(upload(), "second") == first
    assert artifacts.port.text(first) == "second"


@pytest.mark.parametrize("other", [upload("finance/b.txt"), upload(version="v2")], ids=["key", "version"])
def test_each_version_of_each_document_has_its_own_text(artifacts: ArtifactsBench, other: Upload) -> None:
    first = artifacts.port.save_text(upload(), "first")
    artifacts.port.save_text(other, "other")
    assert artifacts.port.text(first) == "first"


def test_an_expired_text_is_none(artifacts: ArtifactsBench) -> None:
    uri = artifacts.port.save_text(upload(), "text")
    artifacts.expire(uri)
    assert artifacts.port.text(uri) is None


FOREIGN = [
    "s3://other/text/a.txt",
    "s3://artifacts/unreadable/a.json",
    "s3://artifacts",
    "text/a.txt",
    "",
    "s3://",
]


@pytest.mark.parametrize("uri", FOREIGN)
def test_what_is_no_text_of_ours_is_none(artifacts: ArtifactsBench, uri: str) -> None:
    assert artifacts.port.text(uri) is None


def test_another_bucket_is_not_even_asked(aws: None) -> None:
    s3 = moto_cloud.client("s3")
    s3.put_object(Bucket=moto_cloud.INBOX, Key="text/a.txt", Body=b"somebody else's")
    assert ArtifactsBucket(s3, moto_cloud.ARTIFACTS).text(f"s3://{moto_cloud.INBOX}/text/a.txt") is None


BODIES = {"plain": "not json {", "empty": "", "odd": "Grüße 😀", "half": "\ud83d half", "nul": "\u0000"}


@pytest.mark.parametrize("name", BODIES)
def test_a_message_that_nobody_can_read_is_saved_with_the_reason(
    artifacts: ArtifactsBench, name: str
) -> None:
    uri = artifacts.port.quarantine(Message(id=name, body=BODIES[name]), "it is no JSON")
    assert uri.startswith("s3://artifacts/unreadable/")
    assert (name, BODIES[name], "it is no JSON") in artifacts.unreadable()


def test_a_text_is_stored_as_text_for_whoever_opens_it(aws: None) -> None:
    s3 = moto_cloud.client("s3")
    uri = ArtifactsBucket(s3, moto_cloud.ARTIFACTS).save_text(upload(), "Grüße")
    found = s3.get_object(Bucket=moto_cloud.ARTIFACTS, Key=uri.removeprefix("s3://artifacts/"))
    assert found["ContentType"] == "text/plain; charset=utf-8"
    assert found["Body"].read() == "Grüße".encode()


def test_an_unreadable_message_is_stored_as_json(aws: None) -> None:
    s3 = moto_cloud.client("s3")
    uri = ArtifactsBucket(s3, moto_cloud.ARTIFACTS).quarantine(Message(id="m", body="?"), "why")
    found = s3.get_object(Bucket=moto_cloud.ARTIFACTS, Key=uri.removeprefix("s3://artifacts/"))
    assert json.loads(found["Body"].read()) == {"message_id": "m", "why": "why", "body": "?"}


def test_an_operators_taxonomy_is_read_whole(aws: None) -> None:
    s3 = moto_cloud.client("s3")
    s3.put_object(Bucket=moto_cloud.ARTIFACTS, Key="own/taxonomy.toml", Body="name = 'ü'".encode())
    assert taxonomy_text(s3, f"s3://{moto_cloud.ARTIFACTS}/own/taxonomy.toml") == "name = 'ü'"
    with pytest.raises(Defect, match="NoSuchKey"):
        taxonomy_text(s3, f"s3://{moto_cloud.ARTIFACTS}/own/missing.toml")


@pytest.mark.parametrize(
    ("code", "status", "expected"), [("SlowDown", 503, TryLater), ("AccessDenied", 403, Defect)]
)
@pytest.mark.parametrize("call", ["get_object", "put_object"])
def test_a_bucket_that_says_no_is_busy_or_ours_to_mend(
    call: str, code: str, status: int, expected: type[Exception]
) -> None:
    s3 = moto_cloud.client("s3", aws_access_key_id="x", aws_secret_access_key="y")
    port = ArtifactsBucket(s3, moto_cloud.ARTIFACTS)
    with Stubber(s3) as stub:
        stub.add_client_error(call, code, http_status_code=status)
        with pytest.raises(expected):
            port.text("s3://artifacts/text/a.txt") if call == "get_object" else port.save_text(upload(), "x")
