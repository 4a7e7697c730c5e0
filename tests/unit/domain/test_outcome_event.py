"""What the table's stream says, as events: one for each outcome and parking, and nothing twice."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

import pytest

from pigeonhole.domain import outcome_event
from pigeonhole.domain.outcome_event import OutcomeEvent
from pigeonhole.domain.record import Record
from pigeonhole.domain.row_attributes import Status
from pigeonhole.pipeline.publish import publish
from tests.support.builders import record, reply, stream_record, upload
from tests.support.fakes import START, FakeBus

PROCESSING = record(status=Status.PROCESSING)


def of(old: Record | None, new: Record | None) -> list[OutcomeEvent]:
    return outcome_event.parse({"Records": [stream_record("7", old, new)]})


@pytest.mark.parametrize(
    ("status", "detail_type"),
    [
        (Status.DONE, "Document Done"),
        (Status.NEEDS_REVIEW, "Document Needs Review"),
        (Status.FAILED, "Document Failed"),
        (Status.REMOVED, "Document Removed"),
        (Status.PARKED, "Document Parked"),
    ],
)
def test_each_outcome_and_each_parking_has_its_event(status, detail_type):
    row = record(status=status)
    (event,) = of(PROCESSING, row)

    assert (event.id, event.detail_type) == ("7", detail_type)
    assert (event.detail["event_id"], event.detail["status"]) == (row.outcome_id, status)


def test_an_event_says_what_the_row_says_but_for_its_quotes_and_where_its_text_is():
    row = record(evidence=("Amount due: 12",), text_uri="s3://t", title="Grüße", confidence=Decimal("0.95"))
    (event,) = of(PROCESSING, row)

    assert event.detail.keys() == row.row().keys() - {"evidence", "text_uri"} | {"event_id"}
    assert (event.detail["title"], event.detail["confidence"]) == ("Grüße", 0.95)


def test_an_event_is_json_with_numbers_as_numbers():
    row = record(
        usage={"m": {"input_tokens": 1000}},
        cost_usd=Decimal("0.00015"),
        keywords=(),
        coverage={"truncated": True},
        size_bytes=2**40,
    )
    (event,) = of(None, row)
    detail = json.loads(json.dumps(event.detail))

    assert (detail["cost_usd"], detail["size_bytes"], detail["keywords"]) == (0.00015, 2**40, [])
    assert (detail["usage"]["m"]["input_tokens"], detail["coverage"]["truncated"]) == (1000, True)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (None, PROCESSING),
        (PROCESSING, record(status=Status.ESCALATED)),
        (record(), record().model_copy(update={"sequencer": "F" * 64})),
        (record(), PROCESSING.model_copy(update={"outcome_id": "left over"})),
        (record(), None),
    ],
    ids=["begun", "escalated", "a newer sequencer", "processing again", "row expired"],
)
def test_what_is_no_outcome_is_not_published(old, new):
    assert of(old, new) == []


def test_another_outcome_of_the_same_status_is_published():
    later = record().to(Status.DONE, START + timedelta(seconds=1), tier="human")

    (event,) = of(record(), later)
    assert event.detail["event_id"] == later.outcome_id


def test_the_events_of_a_batch_come_in_its_order():
    rows = [record(run=run) for run in (1, 2, 3)]
    changes = [(None, rows[0]), (rows[0], PROCESSING), (PROCESSING, rows[1]), (rows[1], rows[2])]
    batch = [stream_record(str(number), old, new) for number, (old, new) in enumerate(changes)]

    assert [each.id for each in outcome_event.parse({"Records": batch})] == ["0", "2", "3"]


def test_what_was_not_taken_is_named():
    bus = FakeBus(refuses={"b"})
    events = [OutcomeEvent(id=name, detail_type="Document Done", detail={}) for name in "abc"]

    assert publish(events, bus) == ["b"]
    assert [each.id for each in bus.published] == ["a", "c"]
    assert publish([], bus) == []


def test_an_event_does_not_show_what_a_document_says_when_it_is_printed():
    (event,) = of(None, record(upload(), title=reply().text[:20]))

    assert "evidence" not in repr(event)
    assert reply().text[:20] not in repr(event)
