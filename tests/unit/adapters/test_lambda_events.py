"""Every form in which an object event or a task reaches a function, in our words."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import quote_plus

import pytest

from pigeonhole.adapters import lambda_events
from pigeonhole.adapters.lambda_events import UnfinishedError
from pigeonhole.domain.document import Stage
from pigeonhole.domain.upload import ObjectEvent, ObjectEventType
from pigeonhole.jobs.job import Task
from tests.support.builders import s3_record, sqs_event, upload


def only(event) -> ObjectEvent:
    """The one object event that the event's one message asks for."""
    (message,) = lambda_events.parse(event).messages
    assert message.unreadable is None
    (request,) = message.requests
    assert isinstance(request, ObjectEvent)
    return request


def bridged(detail_type: str = "Object Created", **detail):
    return {
        "source": "aws.s3",
        "detail-type": detail_type,
        "time": "2026-11-22T12:00:00Z",
        "detail": {
            "bucket": {"name": "inbox"},
            "object": {
                "key": "a b+c%20.txt",
                "size": 7,
                "etag": "e",
                "version-id": "v1",
                "sequencer": "00a",
            },
        }
        | detail,
    }


def test_a_queued_notification_says_all_that_s3_says_of_the_upload():
    event = only(sqs_event({"Records": [s3_record()]}))

    assert event.type is ObjectEventType.CREATED
    assert event.upload.document == "s3://inbox/finance/a.txt"
    assert event.upload.version_id == "v1"
    assert event.upload.sequencer == "0055AED6DCD90281E5".ljust(64, "0")
    assert event.upload.uploaded_at == datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert (event.upload.size_bytes, event.upload.etag) == (10, "e")


@pytest.mark.parametrize(
    ("name", "event_type"),
    [
        ("ObjectCreated:Put", ObjectEventType.CREATED),
        ("ObjectCreated:Post", ObjectEventType.CREATED),
        ("ObjectCreated:Copy", ObjectEventType.CREATED),
        ("ObjectCreated:CompleteMultipartUpload", ObjectEventType.CREATED),
        ("ObjectRemoved:Delete", ObjectEventType.REMOVED),
        ("ObjectRemoved:DeleteMarkerCreated", ObjectEventType.REMOVED),
        ("LifecycleExpiration:Delete", ObjectEventType.EXPIRED),
        ("LifecycleExpiration:DeleteMarkerCreated", ObjectEventType.EXPIRED),
    ],
)
def test_every_event_that_the_bucket_sends_has_its_type(name, event_type):
    assert only(sqs_event({"Records": [s3_record(name)]})).type is event_type


def test_every_record_of_every_message_is_taken_in_order():
    batch = lambda_events.parse(
        sqs_event(
            {"Records": [s3_record(key="one"), s3_record(key="two")]},
            {"Records": [s3_record(key="three")]},
        )
    )

    asked = [[request.upload.key for request in message.requests] for message in batch.messages]
    assert asked == [["one", "two"], ["three"]]
    assert [(message.id, message.receipt) for message in batch.messages] == [
        ("m1", "receipt-m1"),
        ("m2", "receipt-m2"),
    ]


def test_a_removal_may_lack_size_and_etag_and_an_expiry_its_sequencer():
    bare = s3_record("LifecycleExpiration:Delete", size=None, eTag=None, sequencer=None)
    expired = only(sqs_event({"Records": [bare]})).upload

    assert (expired.size_bytes, expired.etag, expired.sequencer) == (None, None, "")


@pytest.mark.parametrize("absent", [None, ""], ids=["left out", "empty"])
def test_an_upload_to_a_bucket_without_versions_has_the_null_version(absent):
    assert only(sqs_event({"Records": [s3_record(versionId=absent)]})).upload.version_id == "null"


def test_the_test_event_asks_for_nothing_and_is_no_mistake():
    test = {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": "2026-11-22T12:00:00Z",
        "Bucket": "inbox",
    }

    (message,) = lambda_events.parse(sqs_event(test)).messages

    assert (message.requests, message.unreadable) == ((), None)


@pytest.mark.parametrize(
    "key",
    [
        "plain.txt",
        "with spaces in it.txt",
        "1+1=2.txt",
        "100% of it %20 %2B.txt",
        "team/naïve — 請求書 😀.pdf",
        "😀" * 256,
        "a" * 1024,
        "ends with a slash/",
        "/starts/with one",
        "../../etc/passwd",
        'quotes" \\ and\nlines\t',
        "null\x00byte",
    ],
    ids=range(12),
)
def test_a_key_of_any_kind_comes_out_as_it_was_uploaded(key):
    assert only(sqs_event({"Records": [s3_record(key=quote_plus(key))]})).upload.key == key
    assert only(sqs_event({"Records": [s3_record(key=quote_plus(key, safe="/"))]})).upload.key == key


def test_eventbridge_gives_the_key_as_it_is():
    event = only(bridged())

    assert event.upload.key == "a b+c%20.txt"
    assert (event.upload.version_id, event.upload.etag, event.upload.size_bytes) == ("v1", "e", 7)
    assert event.upload.sequencer == "00A".ljust(64, "0")


@pytest.mark.parametrize(
    ("event", "event_type"),
    [
        (bridged(), ObjectEventType.CREATED),
        (bridged("Object Deleted", reason="DeleteObject"), ObjectEventType.REMOVED),
        (bridged("Object Deleted", reason="Lifecycle Expiration"), ObjectEventType.EXPIRED),
    ],
    ids=["created", "deleted", "expired"],
)
@pytest.mark.parametrize("way", ["directly", "through a queue"])
def test_eventbridge_is_understood_either_way(event, event_type, way):
    assert only(event if way == "directly" else sqs_event(event)).type is event_type


def test_s3s_own_event_is_understood_without_a_queue():
    event = {"Records": [s3_record(key="one"), s3_record(key="two")]}
    batch = lambda_events.parse(event)

    assert not batch.queued
    assert [request.upload.key for message in batch.messages for request in message.requests] == [
        "one",
        "two",
    ]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("0055AED6DCD90281E5", "0055AED6DCD90281E6"),
        ("0055AED6DCD90281E5", "0055AED6DCD90281E501"),
        ("0055aed6dcd90281e5", "0055AED6DCD90281E6"),
        ("0055AED6DCD90281F", "0055AED6DCD90281FA"),
        ("00A1", "0A"),
    ],
    ids=["same length", "longer", "small letters", "a digit more", "shorter is later"],
)
def test_sequencers_compare_as_s3_compares_them(earlier, later):
    first, second = (
        only(sqs_event({"Records": [s3_record(sequencer=each)]})).upload.sequencer
        for each in (earlier, later)
    )
    assert first < second


def test_sequencers_that_differ_in_padding_alone_are_equal():
    padded = {
        only(sqs_event({"Records": [s3_record(sequencer=each)]})).upload.sequencer
        for each in ("00AB", "00ab", "00AB00", "00AB".ljust(64, "0"))
    }
    assert len(padded) == 1


def test_a_task_comes_out_as_it_went_in():
    sent = Task(upload=upload(), run=3, stage=Stage.ESCALATION, forced=True)

    (message,) = lambda_events.parse(sqs_event(lambda_events.task_body(sent))).messages

    assert message.requests == (sent,)


def test_the_queue_is_told_by_name_what_must_come_again():
    batch = lambda_events.parse(sqs_event({"Records": []}, {"Records": []}))

    assert lambda_events.reply(batch, []) == {"batchItemFailures": []}
    assert lambda_events.reply(batch, iter(["m2"])) == {"batchItemFailures": [{"itemIdentifier": "m2"}]}


def test_outside_of_a_queue_only_an_error_says_that_something_is_unfinished():
    batch = lambda_events.parse(bridged())

    assert lambda_events.reply(batch, []) == {"batchItemFailures": []}
    with pytest.raises(UnfinishedError, match="invoke again"):
        lambda_events.reply(batch, ["direct"])


def test_the_good_records_of_a_half_readable_message_are_still_asked_for():
    body = json.dumps({"Records": [s3_record(key="good"), {"eventName": "Odd:Thing"}, s3_record(key="fine")]})

    (message,) = lambda_events.parse(sqs_event(body)).messages

    assert [request.upload.key for request in message.requests] == ["good", "fine"]
    assert message.unreadable
    assert message.body == body


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("three words long", "not JSON: "),
        ("42", "neither S3's notification nor a task of ours: "),
        ('{"Records": [{}]}', "neither S3's notification nor a task of ours: "),
    ],
    ids=["text", "number", "no-record-of-s3"],
)
def test_a_message_that_cannot_be_read_says_why_in_plain_words(body, why):
    (message,) = lambda_events.parse(sqs_event(body)).messages

    assert message.unreadable is not None
    assert message.unreadable.startswith(why)
