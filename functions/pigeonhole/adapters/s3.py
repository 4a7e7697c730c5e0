"""The two buckets: uploads are read by version id, texts and unreadable messages are written."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from pigeonhole.adapters.aws import classified, code_of
from pigeonhole.domain.document import FetchedObject
from pigeonhole.domain.error_codes import ErrorCode
from pigeonhole.domain.errors import DocumentError
from pigeonhole.domain.upload import Upload
from pigeonhole.jobs.message import Message

_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "404", "NotFound", "MethodNotAllowed", "405"})
# The document's own storage class or key is in the way; what any document would meet is ours to mend.
_SEALED = frozenset(
    {"InvalidObjectState", "KMS.DisabledException", "KMS.KMSInvalidStateException", "KMS.NotFoundException"}
)
_SEALED_MESSAGES = {"AccessDenied": "kms:", "InvalidRequest": "server side encryption"}
_CHUNK = 1 << 20


class InboxBucket:
    """The inbox bucket, as ports.ObjectStore."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    @contextmanager
    def fetch(self, upload: Upload, *, max_bytes: int) -> Iterator[FetchedObject]:
        """The version's bytes in a temporary file that ends with the context."""
        found = self._get(upload)
        size = int(found["ContentLength"])
        if size > max_bytes:
            found["Body"].close()
            raise DocumentError(ErrorCode.TOO_LARGE, f"{size} bytes; the limit is {max_bytes}")
        with tempfile.NamedTemporaryFile(prefix="upload-") as file:
            with classified():
                digest = _save(found["Body"], file)
            yield FetchedObject(
                path=Path(file.name),
                size_bytes=size,
                sha256=digest,
                content_type=found.get("ContentType"),
                etag=found.get("ETag", "").strip('"') or None,
            )

    def current(self, upload: Upload) -> Upload | None:
        """What the key shows now."""
        with classified():
            try:
                head = self._s3.head_object(Bucket=upload.bucket, Key=upload.key)
            except ClientError as error:
                if code_of(error) in _GONE:
                    return None
                raise
        return Upload(
            bucket=upload.bucket,
            key=upload.key,
            version_id=str(head.get("VersionId") or "null"),
            sequencer="",
            uploaded_at=head["LastModified"],
            size_bytes=head["ContentLength"],
            etag=head["ETag"].strip('"'),
        )

    def _get(self, upload: Upload) -> dict[str, Any]:
        with classified():
            try:
                found: dict[str, Any] = self._s3.get_object(
                    Bucket=upload.bucket, Key=upload.key, VersionId=upload.version_id
                )
            except ClientError as error:
                if code_of(error) in _GONE:
                    raise DocumentError(ErrorCode.GONE) from error
                if _is_sealed(error):
                    raise DocumentError(ErrorCode.SEALED, code_of(error)) from error
                raise
        return found


class ArtifactsBucket:
    """The artifacts bucket, as ports.ArtifactStore."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def save_text(self, upload: Upload, text: str) -> str:
        """One object an upload: written again, it is the same object."""
        name = hashlib.sha256(f"{upload.document}\n{upload.version_id}".encode()).hexdigest()
        return self._put(f"text/{name}.txt", text.encode("utf-8", "replace"), "text/plain; charset=utf-8")

    def text(self, uri: str) -> str | None:
        """None for what has expired, and for what is not ours to read."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if bucket != self._bucket or not key.startswith("text/"):
            return None
        with classified():
            try:
                body: bytes = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            except ClientError as error:
                if code_of(error) in _GONE:
                    return None
                raise
        return body.decode("utf-8", "replace")

    def quarantine(self, message: Message, why: str) -> str:
        """The message as it came, beside the reason why it could not be read."""
        name = hashlib.sha256(f"{message.id}\n{message.body}".encode("utf-8", "replace")).hexdigest()[:32]
        content = json.dumps({"message_id": message.id, "why": why, "body": message.body})
        return self._put(f"unreadable/{name}.json", content.encode(), "application/json")

    def _put(self, key: str, body: bytes, content_type: str) -> str:
        with classified():
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type)
        return f"s3://{self._bucket}/{key}"


def _is_sealed(error: ClientError) -> bool:
    code, message = code_of(error), str(error).lower()
    return code in _SEALED or (code in _SEALED_MESSAGES and _SEALED_MESSAGES[code] in message)


def taxonomy_text(s3: Any, uri: str) -> str:
    """The operator's own taxonomy file, whole."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    with classified():
        body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body.decode("utf-8")


def _save(body: StreamingBody, file: Any) -> str:
    digest = hashlib.sha256()
    for chunk in body.iter_chunks(_CHUNK):
        digest.update(chunk)
        file.write(chunk)
    file.flush()
    return digest.hexdigest()
