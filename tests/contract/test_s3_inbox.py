"""The inbox: an upload's very bytes, and what its key shows now."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from pigeonhole.adapters.s3 import InboxBucket
from pigeonhole.domain.errors import Defect, DocumentError, TryLater
from pigeonhole.domain.upload import Upload
from tests.contract import moto_cloud
from tests.contract.port_harness import ObjectsBench, S3Inbox
from tests.support.builders import upload

KEY = "finance/a.txt"
NAMES = [
    "plain.txt",
    "with spaces and + and %20.txt",
    "Grüße/😀 数.pdf",
    "x//y/../z/.txt",
    "no-extension",
    "q?a=b&c#d;e'\"<>.txt",
    "ü" * 512,
]


@pytest.fixture
def s3_inbox(aws: None) -> S3Inbox:
    return S3Inbox(moto_cloud.client("s3"))


def fetch_error(port: Any, of: Any, max_bytes: int = 100) -> DocumentError:
    with pytest.raises(DocumentError) as error, port.fetch(of, max_bytes=max_bytes):
        pass
    return error.value


def shown(inbox: ObjectsBench, of: Upload) -> str | None:
    """The version that the upload's key shows now."""
    current = inbox.port.current(of)
    return current.version_id if current else None


@pytest.mark.parametrize("key", NAMES, ids=range(len(NAMES)))
def test_a_document_of_any_name_is_read(inbox: ObjectsBench, key: str) -> None:
    made = inbox.put(key, b"content")
    with inbox.port.fetch(made, max_bytes=100) as fetched:
        assert inbox.bytes_of(fetched) == b"content"
    assert shown(inbox, made) == made.version_id


def test_the_bytes_come_with_their_size_hash_and_type(inbox: ObjectsBench) -> None:
    content = bytes(range(256)) * 10
    made = inbox.put(KEY, content)
    with inbox.port.fetch(made, max_bytes=len(content)) as fetched:
        assert inbox.bytes_of(fetched) == content
        assert fetched.size_bytes == len(content)
        assert fetched.sha256 == hashlib.sha256(content).hexdigest()
        assert fetched.content_type == "text/plain"
        assert fetched.etag
        assert '"' not in fetched.etag


def test_an_empty_upload_is_read_too(inbox: ObjectsBench) -> None:
    with inbox.port.fetch(inbox.put(KEY, b""), max_bytes=100) as fetched:
        assert inbox.bytes_of(fetched) == b""
        assert fetched.size_bytes == 0


def test_an_older_version_is_read_although_a_newer_one_is_there(inbox: ObjectsBench) -> None:
    older, newer = inbox.put(KEY, b"older"), inbox.put(KEY, b"newer")
    with inbox.port.fetch(older, max_bytes=100) as fetched:
        assert inbox.bytes_of(fetched) == b"older"
    assert shown(inbox, older) == newer.version_id


def test_what_the_key_shows_is_an_upload_that_nothing_orders_yet(inbox: ObjectsBench) -> None:
    made = inbox.put(KEY, b"12345")
    current = inbox.port.current(replace(made, version_id="another", size_bytes=9, etag="another"))
    assert current
    assert (current.document, current.version_id, current.sequencer) == (made.document, made.version_id, "")
    assert current.size_bytes == 5
    assert current.etag != "another"
    assert current.uploaded_at.tzinfo


def test_a_version_is_read_although_its_key_was_removed(inbox: ObjectsBench) -> None:
    made = inbox.put(KEY, b"content")
    inbox.hide(made)
    with inbox.port.fetch(made, max_bytes=100) as fetched:
        assert inbox.bytes_of(fetched) == b"content"
    assert inbox.port.current(made) is None


def test_what_was_removed_and_came_again_is_there(inbox: ObjectsBench) -> None:
    inbox.hide(inbox.put(KEY, b"first"))
    again = inbox.put(KEY, b"again")
    assert shown(inbox, again) == again.version_id


def test_a_version_that_was_erased_is_gone(inbox: ObjectsBench) -> None:
    made, kept = inbox.put(KEY, b"erased"), inbox.put(KEY, b"kept")
    inbox.erase(made)
    assert fetch_error(inbox.port, made).code == "gone"
    assert shown(inbox, made) == kept.version_id


def test_a_key_that_never_was_is_gone(inbox: ObjectsBench) -> None:
    never = replace(inbox.put(KEY, b"x"), key="finance/never.txt")
    assert fetch_error(inbox.port, never).code == "gone"
    assert inbox.port.current(never) is None


def test_a_delete_marker_has_no_bytes(inbox: ObjectsBench) -> None:
    marker = inbox.hide(inbox.put(KEY, b"x"))
    assert fetch_error(inbox.port, marker).code == "gone"


def test_too_large_is_one_byte_above_the_limit(inbox: ObjectsBench) -> None:
    made = inbox.put(KEY, b"12345")
    error = fetch_error(inbox.port, made, max_bytes=4)
    assert error.code == "too_large"
    assert "5" in error.detail
    assert "4" in error.detail
    with inbox.port.fetch(made, max_bytes=5) as fetched:
        assert fetched.size_bytes == 5


def test_the_file_is_gone_after_its_use(s3_inbox: S3Inbox) -> None:
    made = s3_inbox.put(KEY, b"content")
    with s3_inbox.port.fetch(made, max_bytes=100) as fetched:
        kept = fetched.path
        assert kept.is_file()
    assert not kept.exists()


def test_the_file_is_gone_after_its_use_goes_wrong(s3_inbox: S3Inbox) -> None:
    made = s3_inbox.put(KEY, b"content")
    kept: list[Path] = []

    def use() -> None:
        with s3_inbox.port.fetch(made, max_bytes=100) as fetched:
            kept.append(fetched.path)
            raise KeyError

    with pytest.raises(KeyError):
        use()
    assert not kept[0].exists()


def test_a_bucket_without_versions_serves_its_only_one(aws: None) -> None:
    s3 = moto_cloud.client("s3")
    s3.put_object(Bucket=moto_cloud.ARTIFACTS, Key=KEY, Body=b"content")
    made = replace(upload(KEY), bucket=moto_cloud.ARTIFACTS, version_id="null")
    current = InboxBucket(s3).current(made)
    assert current
    assert current.version_id == "null"


# What S3 says, and what that means; a HEAD has no body, so its code is the bare status.
ANSWERS = {
    "missing key": ("get_object", "NoSuchKey", 404, "gone"),
    "missing version": ("get_object", "NoSuchVersion", 404, "gone"),
    "delete marker": ("get_object", "MethodNotAllowed", 405, "gone"),
    "no right to read": ("get_object", "AccessDenied", 403, Defect),
    "no right to its key": (
        "get_object",
        "AccessDenied",
        403,
        "sealed",
        "not authorized to perform: kms:Decrypt",
    ),
    "a key that S3 does not have": (
        "get_object",
        "InvalidRequest",
        400,
        "sealed",
        "The object was stored using a form of Server Side Encryption.",
    ),
    "another bad request": ("get_object", "InvalidRequest", 400, Defect),
    "an archive": ("get_object", "InvalidObjectState", 403, "sealed"),
    "a key that is switched off": ("get_object", "KMS.DisabledException", 400, "sealed"),
    "no such bucket": ("get_object", "NoSuchBucket", 404, Defect),
    "busy": ("get_object", "SlowDown", 503, TryLater),
    "broken": ("get_object", "InternalError", 500, TryLater),
    "head of a missing key": ("head_object", "404", 404, None),
    "head of a delete marker": ("head_object", "405", 405, None),
    "head without right": ("head_object", "403", 403, Defect),
    "head while busy": ("head_object", "503", 503, TryLater),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_each_answer_of_s3_means_one_thing(answer: tuple[Any, ...]) -> None:
    call, code, status, meaning, *said = answer
    s3 = moto_cloud.client("s3", aws_access_key_id="x", aws_secret_access_key="y")
    inbox = InboxBucket(s3)
    with Stubber(s3) as stub:
        stub.add_client_error(call, code, "".join(said), http_status_code=status)
        if isinstance(meaning, str):
            assert fetch_error(inbox, upload()).code == meaning
        elif meaning is None:
            assert inbox.current(upload()) is None
        else:
            with pytest.raises(meaning):
                _use(inbox, call)


def _use(inbox: InboxBucket, call: str) -> None:
    if call == "head_object":
        inbox.current(upload())
    else:
        with inbox.fetch(upload(), max_bytes=100):
            pass


def test_a_body_that_breaks_off_is_tried_later() -> None:
    class Breaking:
        def get_object(self, **request: object) -> dict[str, object]:
            return {"ContentLength": 10, "Body": StreamingBody(io.BytesIO(b"half"), 10)}

    with pytest.raises(TryLater), InboxBucket(Breaking()).fetch(upload(), max_bytes=100):
        pass
