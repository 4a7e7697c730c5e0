"""The first pass again: duplicates, leases, crashes and newer uploads cost nothing and lose nothing."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest

from pigeonhole.domain import policy
from pigeonhole.domain.document import Defect, Stage, StopAll, TryLater
from pigeonhole.domain.record import Status
from pigeonhole.guards import row_updates
from pigeonhole.guards.lease import Shift
from pigeonhole.jobs.job import Order, WorkAloneError
from pigeonhole.pipeline.process import triage
from pigeonhole.pipeline.upkeep import sweep
from tests.support.builders import (
    DEADLINE,
    SHIFT,
    World,
    breaks,
    created,
    ends,
    keeps,
    reply,
    reserves,
    takes,
    upload,
)
from tests.support.fakes import START

TEXT = "Amount due: 12"
UPLOAD = upload()
ORDER = Order(upload=UPLOAD)
BUSY = TryLater("DynamoDB", seconds=2)


def world(*answers) -> World:
    """A world in which the upload lies in the inbox, and Claude has these answers."""
    made = World()
    made.put(UPLOAD, TEXT)
    made.analyst.answers += answers
    return made


def run(made: World, shift: Shift = SHIFT) -> None:
    triage(created(UPLOAD), made.parts, shift)


def test_a_second_event_about_the_same_upload_is_a_no_op():
    made = world(reply())
    run(made)
    before = made.row(UPLOAD), made.work(UPLOAD)
    run(made)

    assert (made.row(UPLOAD), made.work(UPLOAD)) == before
    assert len(made.analyst.requests) == 1


def test_a_second_event_about_an_escalated_upload_is_a_no_op():
    made = world(reply(confidence=20))
    run(made)
    run(made)

    assert len(made.handed) == 1
    assert len(made.analyst.requests) == 1


def test_while_somebody_else_is_at_it_the_event_waits_until_their_lease_has_ended():
    made = world()
    made.claimed(ORDER, made.shift(75))

    with pytest.raises(TryLater) as told:
        run(made)

    assert 80 <= told.value.seconds <= 82


def test_a_lease_lasts_a_little_longer_than_the_invocation():
    made = world()
    made.claimed(ORDER, SHIFT)

    assert made.work(UPLOAD).lease_until == DEADLINE + timedelta(seconds=5)


def test_work_that_was_left_behind_is_taken_over_alone_when_its_lease_has_ended():
    made = world(reply())
    made.claimed(ORDER, SHIFT)
    made.clock.pass_by(106)
    with pytest.raises(WorkAloneError):
        run(made, made.shift())
    run(made, made.shift(alone=True))

    assert made.row(UPLOAD).status is Status.DONE


def test_a_document_that_crashes_us_three_times_fails_without_a_fourth_try():
    made = world(reply())
    made.claimed(ORDER)
    for _ in range(2):
        made.clock.pass_by(106)
        made.claimed(ORDER, made.shift(alone=True))
    made.clock.pass_by(106)
    run(made, made.shift(alone=True))

    row = made.row(UPLOAD)
    assert row.error
    assert (row.status, row.error.code, row.error.retryable) == (Status.FAILED, "crashed", True)
    assert made.analyst.requests == []


def test_a_reply_that_was_paid_for_is_not_asked_for_again():
    made = world(reply())
    breaks(made.ledger, "swap", BUSY, when=ends, times=2)
    with pytest.raises(TryLater):
        run(made)
    run(made)

    assert made.row(UPLOAD).status is Status.DONE
    assert made.row(UPLOAD).cost_usd == Decimal("0.00015")
    assert len(made.analyst.requests) == 1


def test_what_was_paid_for_is_on_the_bill_even_if_the_document_cannot_be_read_again():
    made = world(reply())
    breaks(made.ledger, "swap", BUSY, when=ends, times=2)
    with pytest.raises(TryLater):
        run(made)
    made.put(UPLOAD, "broken")
    run(made)

    assert made.row(UPLOAD).status is Status.FAILED
    assert made.row(UPLOAD).cost_usd == Decimal("0.00015")


def test_a_crash_between_a_reply_and_its_being_written_down_is_the_one_window_for_a_second_call():
    made = world(reply(), reply())
    breaks(made.ledger, "swap", KeyboardInterrupt(), when=keeps)
    with pytest.raises(KeyboardInterrupt):
        run(made)
    made.clock.pass_by(106)
    run(made, made.shift(alone=True))

    assert made.row(UPLOAD).status is Status.DONE
    assert len(made.analyst.requests) == 2


def test_a_busy_table_costs_neither_the_reply_nor_another_try():
    made = world(reply())
    breaks(made.ledger, "swap", BUSY, when=ends)
    run(made)

    assert made.row(UPLOAD).status is Status.DONE


@pytest.mark.parametrize("lost", [BUSY, KeyboardInterrupt()], ids=["busy", "crash"])
def test_a_hand_over_whose_message_was_lost_is_sent_again_when_it_is_due(lost):
    made = world(reply(confidence=20))
    breaks(made.queues, "send", lost)
    with suppress(KeyboardInterrupt):
        run(made)
    assert (made.row(UPLOAD).status, made.handed) == (Status.ESCALATED, [])
    made.clock.pass_by(2 * 1080)
    sweep(made.parts)

    assert [order.stage for order in made.handed] == [Stage.ESCALATION]
    assert len(made.analyst.requests) == 1


@pytest.mark.parametrize(("module", "name"), [(row_updates, "as_told"), (policy, "judge_fast")])
def test_a_mistake_of_ours_about_a_reply_does_not_lose_it(monkeypatch, module, name):
    made = world(reply())
    with monkeypatch.context() as mistaken:
        mistaken.setattr(module, name, None)
        with pytest.raises(TypeError):
            run(made)
    made.clock.pass_by(106)
    run(made, made.shift())

    assert made.row(UPLOAD).status is Status.DONE
    assert len(made.analyst.requests) == 1


def test_whoever_cannot_see_what_is_there_already_comes_again():
    made = world(BUSY, reply())
    with pytest.raises(TryLater):
        run(made)
    breaks(made.ledger, "state", BUSY)
    with pytest.raises(TryLater):
        run(made)
    run(made)

    assert made.row(UPLOAD).status is Status.DONE


@pytest.mark.parametrize(
    ("port", "method", "when"),
    [
        ("objects", "body", None),
        ("artifacts", "keep_text", None),
        ("analyst", "ask", None),
        ("ledger", "answer", None),
        ("ledger", "gate", None),
        ("ledger", "swap", takes),
        ("ledger", "swap", reserves),
        ("ledger", "swap", ends),
    ],
)
def test_whatever_is_busy_the_upload_is_given_back_and_the_next_try_succeeds(port, method, when):
    made = world(reply())
    times = 2 if when is ends else 1
    breaks(getattr(made, port), method, BUSY, when=when or (lambda *args, **kwargs: True), times=times)
    with pytest.raises(TryLater) as told:
        run(made)
    if method == "ask":
        made.analyst.answers += [reply()]
    run(made)

    assert told.value.seconds == 2
    assert made.row(UPLOAD).status is Status.DONE
    assert made.work(UPLOAD).crashes == 0


@pytest.mark.parametrize("error", [Defect("400"), ZeroDivisionError()], ids=["defect", "bug"])
@pytest.mark.parametrize(("port", "method"), [("objects", "body"), ("analyst", "ask"), ("queues", "send")])
def test_a_mistake_of_ours_is_tried_again_alone_when_its_lease_has_ended(port, method, error):
    made = world(reply(confidence=20), reply(confidence=20))
    breaks(getattr(made, port), method, error)
    with pytest.raises(type(error)):
        run(made)
    made.clock.pass_by(106)
    run(made, made.shift(alone=True))

    assert made.row(UPLOAD).status is Status.ESCALATED


@pytest.mark.parametrize(("error", "tries"), [(BUSY, 12), (Defect("too large"), 2)], ids=["busy", "defect"])
def test_what_can_never_be_written_down_is_paid_for_three_times_and_no_more(error, tries):
    made = world(*[reply()] * 5)
    breaks(made.ledger, "swap", error, when=keeps, times=5 * tries)
    for _ in range(5):
        with suppress(TryLater, Defect):
            run(made, made.shift())
        made.clock.pass_by(900)

    row = made.row(UPLOAD)
    assert row.error
    assert (row.status, row.error.code) == (Status.FAILED, "upstream")
    assert row.unsettled_usd
    assert len(made.analyst.requests) == 3


def test_while_claude_says_stop_the_document_is_parked_and_its_message_ends():
    made = world(StopAll("spend_cap", "the month's limit", until=DEADLINE + timedelta(days=8)))
    run(made)

    row = made.row(UPLOAD)
    assert row.waiting
    assert (row.status, row.waiting.reason, row.waiting.stage) == (Status.PARKED, "spend_cap", "triage")
    assert row.outcome_id
    assert made.work(UPLOAD).due == START + timedelta(minutes=15)
    assert made.work(UPLOAD).owner is None


def test_a_finish_that_was_written_though_its_answer_was_lost_stands():
    made = world(reply())
    breaks(made.ledger, "swap", BUSY, when=ends, after=True)
    run(made)
    before = made.row(UPLOAD)
    run(made)

    assert before.status is Status.DONE
    assert made.row(UPLOAD) == before
    assert len(made.analyst.requests) == 1


def test_an_upload_that_was_overtaken_before_it_began_costs_nothing():
    made = world(reply())
    newer = made.put(upload(version="v2", order=2), TEXT)
    triage(created(newer), made.parts, SHIFT)
    run(made)

    assert made.row(UPLOAD).version_id == "v2"
    assert len(made.analyst.requests) == 1
    assert made.work(UPLOAD).superseded


def test_an_upload_that_is_overtaken_while_it_is_read_does_not_touch_the_newer_row():
    made = world()
    newer = made.put(upload(version="v2", order=2), TEXT + "!")

    def meanwhile():
        triage(created(newer), made.parts, SHIFT)
        return reply(category="letter")

    made.analyst.answers += [meanwhile, reply()]
    run(made)

    row = made.row(UPLOAD)
    assert (row.version_id, row.status, row.category) == ("v2", Status.DONE, "invoice")
    assert made.work(UPLOAD).superseded


def test_a_newer_upload_takes_the_row_over_and_the_old_answer_is_gone():
    made = world(reply())
    run(made)
    newer = made.put(upload(version="v2", order=2), "broken")
    triage(created(newer), made.parts, SHIFT)

    row = made.row(UPLOAD)
    assert (row.version_id, row.status, row.category, row.cost_usd) == ("v2", Status.FAILED, None, None)


def test_an_order_of_a_stage_that_nothing_has_led_to_begins_nothing():
    made = world(reply())
    triage(Order(upload=UPLOAD, run=7, stage=Stage.ESCALATION), made.parts, SHIFT)

    assert (made.ledger.works, made.ledger.rows) == ({}, {})


def test_a_mistake_of_ours_never_counts_against_the_document():
    made = world(*[Defect("a parameter")] * 5, reply())
    for _ in range(5):
        with pytest.raises(Defect):
            run(made)
    run(made)

    assert made.row(UPLOAD).status is Status.DONE
