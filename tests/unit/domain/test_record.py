"""The public row: how it may change, what its readers may rely on, and how large it can get."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pigeonhole.domain.record import Record, stamp
from pigeonhole.domain.row_attributes import OUTCOMES, Status
from pigeonhole.jobs.reply import with_answer
from tests.support.builders import upload
from tests.support.fakes import START
from tests.unit.jobs.replies import interpreted

FOLLOWS = {
    Status.PROCESSING: {"escalated", "parked", "done", "needs_review", "failed", "removed"},
    Status.ESCALATED: {"parked", "done", "needs_review", "removed"},
    Status.PARKED: {"processing", "escalated", "done", "removed"},
    Status.DONE: {"done", "removed"},
    Status.NEEDS_REVIEW: {"done", "removed"},
    Status.FAILED: {"removed"},
    Status.REMOVED: set[str](),
}


def row(status: Status = Status.PROCESSING) -> Record:
    return Record.new(upload(), 1, START).model_copy(update={"status": status})


@pytest.mark.parametrize(("before", "after"), list(product(Status, Status)), ids=str)
def test_a_status_follows_only_where_it_may(before, after):
    if after in FOLLOWS[before]:
        assert row(before).to(after, START).status is after
    else:
        with pytest.raises(ValueError, match=f"{after} cannot follow {before}"):
            row(before).to(after, START)


@pytest.mark.parametrize("status", list(Status))
def test_an_outcome_has_its_time_and_what_is_published_has_its_id(status):
    later = START + timedelta(seconds=3)
    before = row(Status.PROCESSING)
    now = before if status is Status.PROCESSING else before.to(status, later)

    assert (now.processed_at is not None) == (status in OUTCOMES)
    assert (now.outcome_id is not None) == (status in {*OUTCOMES, Status.PARKED})
    if status in OUTCOMES:
        assert now.processed_at == now.updated_at == stamp(later)


def test_what_is_published_twice_has_one_id_and_whatever_else_is_published_has_another():
    first = row().to(Status.DONE, START)
    others = [
        row().to(Status.NEEDS_REVIEW, START),
        first.to(Status.DONE, START + timedelta(seconds=1), tier="human"),
        first.to(Status.REMOVED, START),
        row().to(Status.PARKED, START),
        row().to(Status.PARKED, START + timedelta(seconds=1)),
        Record.new(upload(), 2, START).to(Status.DONE, START),
        Record.new(upload(order=2), 1, START).to(Status.DONE, START),
        Record.new(upload(version="v2"), 1, START).to(Status.DONE, START),
        Record.new(upload(key="b.txt"), 1, START).to(Status.DONE, START),
    ]

    assert (
        row().to(Status.DONE, START).outcome_id == first.with_new_outcome_id().outcome_id == first.outcome_id
    )
    assert len({each.outcome_id for each in [first, *others]}) == 1 + len(others)


def test_what_a_parked_row_waits_for_is_gone_when_it_goes_on():
    waiting = {"for": "claude", "since": stamp(START), "stage": "triage"}
    parked = row().to(Status.PARKED, START, waiting=waiting)

    assert parked.waiting
    assert parked.row()["waiting"] == waiting
    assert "waiting" not in parked.to(Status.PROCESSING, START).row()


def test_a_removed_row_is_about_its_removal_and_no_longer_about_the_upload():
    assert row().is_of(upload())
    assert not row().is_of(upload(order=2))
    assert not row().to(Status.REMOVED, START).is_of(upload())


def test_what_has_no_value_is_absent_from_the_row():
    plain = row().row()

    assert plain["schema"] == 1
    assert None not in plain.values()
    assert "category" not in plain
    assert "outcome_id" not in plain


def test_a_row_is_read_back_as_it_was_written():
    said = interpreted()
    answered = with_answer(row(), said).with_cost(said.reply.model, said.billed_usage, said.cost.usd)
    done = answered.to(Status.DONE, START).with_revision(7)

    assert done.row().keys() >= {"coverage", "usage", "cost_usd", "evidence", "revision"}
    assert Record.model_validate(done.row()) == done


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": "t" * 201},
        {"summary": "s" * 1501},
        {"keywords": ("k",) * 11},
        {"keywords": ("k" * 51,)},
        {"evidence": ("q",) * 4},
        {"evidence": ("q" * 301,)},
        {"confidence": Decimal("1.01")},
        {"confidence": Decimal("-0.01")},
        {"category": "Not A Slug"},
        {"tier": "oracle"},
        {"usage": {"m": {"thoughts": 1}}},
        {"coverage": {"chars_skimmed": 1}},
        {"processed_at": "2026-11-22T12:00:00Z"},
        {"colour": "blue"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_row_beyond_its_bounds_cannot_be_made(wrong):
    with pytest.raises(ValidationError):
        row().to(Status.DONE, START, **wrong)


@pytest.mark.parametrize(
    ("key", "team"),
    [
        ("finance/2026/a.txt", "finance"),
        ("a.txt", "-"),
        ("/a.txt", "-"),
        ("finance/", "finance"),
        ("请/a", "请"),
    ],
)
def test_the_team_is_the_first_folder(key, team):
    assert Record.new(upload(key=key), 1, START).team == team


MOMENTS = st.datetimes(
    min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30),  # noqa: DTZ001  hypothesis adds the zone
    timezones=st.just(UTC) | st.builds(timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23))),
)  # fmt: skip


@given(MOMENTS, MOMENTS)
def test_stamps_sort_as_their_moments_do(one, other):
    earlier, later = sorted([one, other])

    assert stamp(earlier) <= stamp(later)


@given(MOMENTS)
def test_a_stamp_is_in_utc_with_exactly_milliseconds(moment):
    text = stamp(moment)

    assert len(text) == len("2026-11-22T12:00:00.000Z")
    assert timedelta(0) <= moment - datetime.fromisoformat(text) < timedelta(milliseconds=1)
    Record.model_validate(row().row() | {"updated_at": text})


def test_a_stamp_tells_the_time_in_utc():
    moment = datetime(2026, 11, 22, 0, 30, 0, 999_999, tzinfo=timezone(timedelta(hours=1)))

    assert stamp(moment) == "2026-11-21T23:30:00.999Z"
