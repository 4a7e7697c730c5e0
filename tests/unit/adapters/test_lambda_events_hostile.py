"""Whatever stands in a message ends in what it asks for or in why it cannot be read: nothing raises."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pigeonhole.adapters import lambda_events
from pigeonhole.domain.document import Stage
from pigeonhole.domain.record import Record
from pigeonhole.domain.upload import Upload
from pigeonhole.jobs.job import Task
from pigeonhole.jobs.message import Message
from tests.support.builders import s3_record, sqs_event, upload

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)

BRIDGED = {
    "detail-type": "Object Created",
    "time": "2026-11-22T12:00:00Z",
    "detail": {
        "bucket": {"name": "inbox"},
        "object": {"key": "a", "size": 1, "etag": "e", "version-id": "v", "sequencer": "0A"},
    },
}
SENT = json.loads(lambda_events.task_body(Task(upload=upload())))
MODELS = [{"Records": [s3_record()]}, BRIDGED, SENT]
CHARACTERS = st.characters(exclude_categories=["Cs"])


def read(body: str) -> Message:
    (message,) = lambda_events.parse(sqs_event(body)).messages
    return message


def paths(value, before=()):
    """Where everything stands in a JSON value."""
    yield before
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield from paths(each, (*before, name))


def planted(value, path, seed):
    """The value with a seed in that place."""
    if not path:
        return seed
    grown = copy.deepcopy(value)
    spot = grown
    for name in path[:-1]:
        spot = spot[name]
    spot[path[-1]] = seed
    return grown


SPOTS = st.sampled_from([(model, path) for model in MODELS for path in paths(model)])


def settles(message: Message) -> None:
    """What is asked for can be begun on; if nothing is, the message says why."""
    for request in message.requests:
        Record.new(request.upload, 1, datetime.now(UTC))
        request.upload.document.encode()
        assert len(request.upload.key.encode()) <= 1024
        assert isinstance(request.upload.etag, str | None)
        if isinstance(request, Task):
            assert request.run >= 1
            assert request.stage in (Stage.TRIAGE, Stage.ESCALATION)
            assert read(lambda_events.task_body(request)).requests == (request,)


@given(st.text())
@example("")
@example("null")
@example("[" * 200_000)
@example('{"a":' * 200_000)
@example("1" * 5000)
@example("\ud800")
def test_any_text_as_a_body_is_read_or_said_to_be_unreadable(body):
    message = read(body)

    settles(message)
    assert message.body == body


@given(JSON)
def test_any_json_as_a_body_is_read_or_said_to_be_unreadable(content):
    message = read(json.dumps(content))

    settles(message)
    nothing_in_it = isinstance(content, dict) and content.get("Records") == []
    assert message.requests or message.unreadable or nothing_in_it


@given(SPOTS, JSON)
def test_anything_in_any_place_of_a_real_message_is_read_or_said_to_be_unreadable(spot, seed):
    model, path = spot

    settles(read(json.dumps(planted(model, path, seed))))


@given(SPOTS)
def test_a_real_message_may_lack_any_part(spot):
    model, path = spot
    whole = copy.deepcopy(model)
    inner = whole
    for name in path[:-1]:
        inner = inner[name]
    if path:
        del inner[path[-1]]

    settles(read(json.dumps(whole)))


@given(JSON)
def test_any_json_as_a_direct_event_is_read_or_said_to_be_unreadable(event):
    for message in lambda_events.parse(event).messages:
        settles(message)


@pytest.mark.parametrize(
    "record",
    [
        s3_record(key="%FF"),
        s3_record(key="\ud800"),
        s3_record(key="a" * 1025),
        s3_record(key="%F0%9F%98%80" * 257),
        s3_record(key=""),
        s3_record(key=7),
        s3_record(versionId=7),
        s3_record(sequencer=7),
        s3_record(sequencer="not hex"),
        s3_record(eTag={"e": 1}),
        s3_record("ObjectRestore:Completed"),
        s3_record() | {"eventTime": "yesterday"},
        s3_record() | {"eventTime": "2026-11-22T12:00:00"},
        s3_record() | {"eventTime": "0001-01-01T00:00:00+14:00"},
        None,
        "detail",
        ["task"],
        SENT | {"task": [1]},
        SENT | {"run": 0},
        SENT | {"run": 1e400},
        SENT | {"stage": "ended"},
        SENT | {"stage": "tomorrow"},
    ],
    ids=[
        "key is not UTF-8", "key is half a character", "key too long", "key too long in bytes", "no key",
        "key is a number", "version is a number", "sequencer is a number", "sequencer is not hex",
        "etag is an object", "another event", "no such time", "time without zone", "time before time",
        "nothing", "a word", "a list", "a hollow task", "run 0", "endless run", "a stage without tasks",
        "an unknown stage",
    ],
)  # fmt: skip
def test_what_cannot_be_true_is_unreadable_and_does_not_hide_its_neighbours(record):
    message = read(json.dumps({"Records": [record, s3_record(key="neighbour")]}))

    assert message.unreadable
    assert [request.upload.key for request in message.requests] == ["neighbour"]


@pytest.mark.parametrize("size", [-1, 10**40, 1.5, "10", [10]], ids=str)
def test_a_size_that_is_none_is_left_out(size):
    (request,) = read(json.dumps({"Records": [s3_record(size=size)]})).requests

    assert request.upload.size_bytes is None


def test_why_a_message_is_unreadable_stays_short():
    message = read(json.dumps({"Records": [{"eventName": "x" * 100_000}] * 500}))

    assert message.unreadable is not None
    assert len(message.unreadable) < 2000


UPLOADS = st.builds(
    Upload,
    bucket=st.text(CHARACTERS, min_size=1, max_size=63),
    key=st.text(CHARACTERS, min_size=1, max_size=256),
    version_id=st.text(CHARACTERS, min_size=1, max_size=40),
    sequencer=st.just("") | st.text("0123456789ABCDEF", min_size=64, max_size=64),
    uploaded_at=st.datetimes(
        min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30),  # noqa: DTZ001  hypothesis adds the zone
        timezones=st.builds(timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23))),
    ),
    size_bytes=st.none() | st.integers(0, 5 * 10**12),
    etag=st.none() | st.text(CHARACTERS, min_size=1, max_size=40),
)  # fmt: skip


@given(UPLOADS, st.integers(1, 99_999), st.sampled_from([Stage.TRIAGE, Stage.ESCALATION]), st.booleans())
def test_any_task_comes_out_of_its_queue_as_it_went_in(of, run, stage, forced):
    sent = Task(upload=of, run=run, stage=stage, forced=forced)

    assert read(lambda_events.task_body(sent)).requests == (sent,)


@given(st.sets(st.integers(0, 9)), st.integers(0, 9))
def test_exactly_the_unfinished_messages_come_again(unfinished, others):
    batch = lambda_events.parse(sqs_event(*["{}"] * (others + 10)))
    ids = [message.id for number, message in enumerate(batch.messages) if number in unfinished]

    failures = lambda_events.reply(batch, ids)["batchItemFailures"]

    assert [failure["itemIdentifier"] for failure in failures] == ids
