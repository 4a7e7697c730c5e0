"""Lambda's dicts to our words and back: every record of every message, and what cannot be parsed (pure)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

from pigeonhole.domain.document import Stage
from pigeonhole.domain.upload import ObjectEvent, ObjectEventType, Upload
from pigeonhole.jobs.job import Task
from pigeonhole.jobs.message import Batch, Message

_EVENT_TYPES = {
    "ObjectCreated": ObjectEventType.CREATED,
    "ObjectRemoved": ObjectEventType.REMOVED,
    "LifecycleExpiration": ObjectEventType.EXPIRED,
}
_SEQUENCER = re.compile("[0-9A-F]{1,64}")
_KEY_BYTES = 1024
_NAME_BYTES = 1000  # more than S3's names and ids have, and few enough for DynamoDB's keys


class UnfinishedError(RuntimeError):
    """A direct invocation left something undone: only an error makes its caller try again."""


def parse(event: Any) -> Batch:
    """A queue's batch, S3's own event, or EventBridge's; anything else is one unreadable message."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    first = records[0] if isinstance(records, list) and records else None
    if isinstance(records, list) and isinstance(first, Mapping) and first.get("eventSource") == "aws:sqs":
        return Batch(messages=tuple(map(_queued, records)), queued=True)
    return Batch(messages=(_message("direct", "", json.dumps(event)),), queued=False)


def reply(batch: Batch, unfinished: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """What Lambda is told: the messages that must come again. UnfinishedError outside of a queue."""
    ids = list(unfinished)
    if ids and not batch.queued:
        raise UnfinishedError("not everything in this event could be finished; invoke again")
    return {"batchItemFailures": [{"itemIdentifier": each} for each in ids]}


def task_body(task: Task) -> str:
    """A task as a queue's message."""
    upload = task.upload
    fields = {
        "bucket": upload.bucket,
        "key": upload.key,
        "version_id": upload.version_id,
        "sequencer": upload.sequencer,
        "uploaded_at": upload.uploaded_at.isoformat(),
        "size_bytes": upload.size_bytes,
        "etag": upload.etag,
    }
    return json.dumps(
        {"schema": 1, "task": fields, "run": task.run, "stage": task.stage, "forced": task.forced}
    )


def _queued(record: Mapping[str, Any]) -> Message:
    return _message(record["messageId"], record.get("receiptHandle", ""), record.get("body", ""))


def _message(message_id: str, receipt: str, body: str) -> Message:
    requests: list[ObjectEvent | Task] = []
    mistakes: list[str] = []
    try:
        records = list(_records(json.loads(body)))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        records, mistakes = [], [_why(error)]
    for record in records:
        try:
            requests.append(_request(record))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            mistakes.append(_why(error))
    return Message(
        id=message_id,
        receipt=receipt,
        body=body,
        requests=tuple(requests),
        unreadable="; ".join(mistakes)[:1000] or None,
    )


def _records(content: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    if content.get("Event") == "s3:TestEvent":
        return ()
    if "task" in content or "detail" in content:
        return (content,)
    records = content["Records"]
    if not isinstance(records, list):
        raise TypeError("Records is not a list")
    return records


def _request(record: Mapping[str, Any]) -> ObjectEvent | Task:
    if "task" in record:
        return _task(record)
    return _from_eventbridge(record) if "detail" in record else _from_s3(record)


def _from_s3(record: Mapping[str, Any]) -> ObjectEvent:
    """S3's own record: the key is URL-encoded; a removal may lack size and etag."""
    thing = record["s3"]["object"]
    upload = Upload(
        bucket=_text(record["s3"]["bucket"]["name"]),
        key=_text(unquote_plus(thing["key"], errors="strict"), _KEY_BYTES),
        version_id=_text(thing.get("versionId") or "null"),
        sequencer=_sequencer(thing.get("sequencer")),
        uploaded_at=_moment(record["eventTime"]),
        size_bytes=_size(thing.get("size")),
        etag=_text_if_any(thing.get("eTag")),
    )
    return ObjectEvent(type=_EVENT_TYPES[record["eventName"].partition(":")[0]], upload=upload)


def _from_eventbridge(event: Mapping[str, Any]) -> ObjectEvent:
    """EventBridge's form: the key is plain; an expiry is a deletion with that reason."""
    thing = event["detail"]["object"]
    event_type = {"Object Created": ObjectEventType.CREATED, "Object Deleted": ObjectEventType.REMOVED}[
        event["detail-type"]
    ]
    if event["detail"].get("reason") == "Lifecycle Expiration":
        event_type = ObjectEventType.EXPIRED
    upload = Upload(
        bucket=_text(event["detail"]["bucket"]["name"]),
        key=_text(thing["key"], _KEY_BYTES),
        version_id=_text(thing.get("version-id") or "null"),
        sequencer=_sequencer(thing.get("sequencer")),
        uploaded_at=_moment(event["time"]),
        size_bytes=_size(thing.get("size")),
        etag=_text_if_any(thing.get("etag")),
    )
    return ObjectEvent(type=event_type, upload=upload)


def _task(content: Mapping[str, Any]) -> Task:
    fields = content["task"]
    upload = Upload(
        bucket=_text(fields["bucket"]),
        key=_text(fields["key"], _KEY_BYTES),
        version_id=_text(fields["version_id"]),
        sequencer=_sequencer(fields["sequencer"]),
        uploaded_at=_moment(fields["uploaded_at"]),
        size_bytes=_size(fields.get("size_bytes")),
        etag=_text_if_any(fields.get("etag")),
    )
    stage = Stage(content["stage"])
    if stage is Stage.ENDED:
        raise ValueError("a task for a stage at which there is nothing to do")
    return Task(upload=upload, run=_run(content["run"]), stage=stage, forced=bool(content["forced"]))


def _text(value: object, most: int = _NAME_BYTES) -> str:
    """Half a surrogate pair is no text either: encoding it is an error."""
    if not isinstance(value, str) or not 0 < len(value.encode()) <= most:
        raise ValueError(f"expected a text of at most {most} bytes, found {value!r:.40}")
    return value


def _text_if_any(value: object) -> str | None:
    return _text(value) if value else None


def _size(value: object) -> int | None:
    return value if isinstance(value, int) and 0 <= value < 2**63 else None


def _run(value: object) -> int:
    if not isinstance(value, int) or not 1 <= value <= 99_999:
        raise ValueError(f"expected a run's number, found {value!r:.40}")
    return value


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment.astimezone(UTC)


def _sequencer(value: object) -> str:
    """Comparable as text: S3 compares after right-padding the shorter with zeros."""
    if not value:
        return ""
    digits = _text(value).upper()
    if not _SEQUENCER.fullmatch(digits):
        raise ValueError(f"not a sequencer: {value!r:.40}")
    return digits.ljust(64, "0")


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error!s:.200}"
    return f"neither S3's notification nor a task of ours: {type(error).__name__}: {error!s:.200}"
