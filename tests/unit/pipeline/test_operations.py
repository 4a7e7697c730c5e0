"""What people may do: have a document done once more, or say themselves what it is."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from pigeonhole.domain.document import Change, DocumentError, Kind, Stage, StopAll, TryLater
from pigeonhole.domain.record import Status, stamp
from pigeonhole.jobs.job import Order
from pigeonhole.pipeline.process import escalate, triage
from pigeonhole.pipeline.upkeep import NotAllowedError, redrive, review, upload_of
from tests.support.builders import SHIFT, World, breaks, created, record, reply, upload

UPLOAD = upload()
DOCUMENT = UPLOAD.document


def world(*answers, content: str = "Amount due: 12") -> World:
    """A world in which the upload was triaged."""
    made = World()
    made.put(UPLOAD, content)
    made.analyst.answers += answers
    triage(created(UPLOAD), made.parts, SHIFT)
    made.clock.pass_by(60)
    return made


def again(made: World, *, forced: bool = False) -> None:
    redrive(made.row(UPLOAD), made.parts, forced=forced)


# Redrive.


def test_a_redrive_is_a_new_run_that_leaves_the_outcome_until_it_has_its_own():
    made = world(DocumentError("invalid_answer"), reply())
    before = made.row(UPLOAD)
    again(made)
    (order,) = made.queues.orders

    assert (order.upload.version_id, order.run, order.stage, order.forced) == ("v1", 2, Stage.TRIAGE, False)
    assert made.row(UPLOAD) == before
    triage(order, made.parts, made.shift())
    assert (made.row(UPLOAD).status, made.row(UPLOAD).run) == (Status.DONE, 2)
    assert made.row(UPLOAD).outcome_id != before.outcome_id


def test_a_redrive_whose_message_is_lost_is_sent_by_the_sweep():
    made = world(reply())
    breaks(made.queues, "send", TryLater("SQS", seconds=20))
    with pytest.raises(TryLater):
        again(made)

    assert [
        work.run for work in made.ledger.due(made.clock.now() + (made.rules.visibility[Stage.TRIAGE]), 10)
    ] == [2]


def test_a_redrive_of_what_is_under_way_sends_that_once_more():
    made = world(reply(confidence=20))
    made.queues.orders.clear()
    again(made)

    assert made.queues.orders == [Order(upload=UPLOAD, stage=Stage.ESCALATION)]
    assert list(made.ledger.works) == [(DOCUMENT, "v1", 1)]


def test_a_redrive_of_what_is_parked_sends_it_before_its_time():
    made = world(StopAll("claude", "stop"))
    again(made)

    assert made.queues.orders == [Order(upload=UPLOAD)]


def test_a_redrive_twice_is_one_run():
    made = world(reply())
    again(made)
    again(made)

    assert [each.run for each in made.queues.orders] == [2, 2]


def test_what_cannot_succeed_is_redriven_only_by_force():
    made = world(content="broken")
    with pytest.raises(NotAllowedError, match="force it"):
        again(made)
    again(made, forced=True)

    assert [(order.run, order.forced) for order in made.queues.orders] == [(2, True)]


def test_what_a_person_has_decided_is_not_redriven():
    made = world(reply())
    review(DOCUMENT, None, "somebody", made.parts)
    for forced in (False, True):
        with pytest.raises(NotAllowedError, match="a person"):
            again(made, forced=forced)


def test_what_is_removed_is_not_redriven():
    with pytest.raises(NotAllowedError, match="removed"):
        redrive(record(status=Status.REMOVED), World().parts, forced=True)


def test_a_redrive_goes_on_from_what_the_document_has_cost():
    made = world(reply(confidence=20), reply(text="?"), reply())
    escalate(made.handed[0], made.parts, made.shift())
    before = made.row(UPLOAD)
    again(made, forced=True)
    triage(made.queues.orders[-1], made.parts, made.shift())

    assert (before.cost_usd, made.row(UPLOAD).cost_usd) == (Decimal("0.00315"), Decimal("0.0033"))


def test_the_upload_of_a_row_is_the_one_that_made_it():
    full = replace(UPLOAD, etag="abc")

    assert upload_of(record(full)) == full


# Review.


@pytest.mark.parametrize(
    ("category", "expected"), [(None, "invoice"), ("letter", "letter")], ids=["accept", "change"]
)
def test_a_persons_word_is_the_outcome(category, expected):
    made = world(reply(issue="mixed_documents"))
    before = made.row(UPLOAD)
    row = review(DOCUMENT, category, "somebody", made.parts)

    assert row == made.row(UPLOAD)
    assert (row.status, row.category, row.tier) == (Status.DONE, expected, "human")
    assert (row.reviewed_by, row.reviewed_at) == ("somebody", stamp(made.clock.now()))
    assert row.outcome_id not in (None, before.outcome_id)


@pytest.mark.parametrize(
    "answers",
    [
        [reply()],
        [reply(confidence=20)],
        [reply(issue="truncated")],
        [reply(confidence=20), StopAll("claude", "stop")],
    ],
    ids=["done", "escalated", "needs review", "parked"],
)
def test_a_person_may_decide_whatever_has_an_answer(answers):
    made = world(*answers)
    for order in made.handed if len(answers) > 1 else []:
        escalate(order, made.parts, made.shift())
    review(DOCUMENT, "letter", "somebody", made.parts)

    assert (made.row(UPLOAD).status, made.row(UPLOAD).waiting) == (Status.DONE, None)
    assert (made.work(UPLOAD).stage, made.work(UPLOAD).due) == (Stage.ENDED, None)


@pytest.mark.parametrize("useless", [reply("refusal"), reply(text="no JSON"), reply("max_tokens")])
def test_a_person_may_decide_what_no_model_could(useless):
    made = world(useless, useless)
    for order in made.handed:
        escalate(order, made.parts, made.shift())
    before = made.row(UPLOAD)
    assert (before.status, before.tier, before.category) == (Status.NEEDS_REVIEW, None, None)
    with pytest.raises(NotAllowedError, match="name one"):
        review(DOCUMENT, None, "somebody", made.parts)
    review(DOCUMENT, "letter", "somebody", made.parts)

    row = made.row(UPLOAD)
    assert (row.status, row.tier, row.category) == (Status.DONE, "human", "letter")
    assert made.work(UPLOAD).stage is Stage.ENDED


def test_work_in_flight_writes_nothing_after_a_persons_word():
    made = world(reply(confidence=20))

    def meanwhile():
        review(DOCUMENT, "letter", "somebody", made.parts)
        return reply()

    made.analyst.answers += [meanwhile]
    escalate(made.handed[0], made.parts, made.shift())

    assert (made.row(UPLOAD).category, made.row(UPLOAD).tier) == ("letter", "human")


def test_a_higher_run_in_flight_writes_nothing_after_a_persons_word():
    made = world(reply())
    again(made)
    review(DOCUMENT, "letter", "somebody", made.parts)
    triage(made.queues.orders[0], made.parts, made.shift())

    assert (made.row(UPLOAD).category, made.row(UPLOAD).tier) == ("letter", "human")
    assert all(work.due is None for work in made.ledger.works.values())


def test_a_newer_upload_starts_afresh_after_a_persons_word():
    made = world(reply())
    review(DOCUMENT, "letter", "somebody", made.parts)
    newer = made.put(upload(version="v2", order=2), "Amount due: 13")
    made.analyst.answers += [reply(evidence=["Amount due: 13"])]
    triage(created(newer), made.parts, made.shift())

    row = made.row(UPLOAD)
    assert (row.version_id, row.tier, row.reviewed_by) == ("v2", "fast", None)


def test_a_persons_word_comes_back_with_the_version_that_it_was_about():
    made = world(reply(), reply())
    review(DOCUMENT, "letter", "Ann", made.parts)
    newer = made.put(upload(version="v2", order=2), "Amount due: 12")
    triage(created(newer), made.parts, made.shift())
    del made.objects.versions[newer.bucket, newer.key, newer.version_id]
    triage(Change(kind=Kind.REMOVED, upload=upload(version="v2", order=3)), made.parts, made.shift())

    row = made.row(UPLOAD)
    assert (row.version_id, row.tier, row.category, row.reviewed_by) == ("v1", "human", "letter", "Ann")


def test_a_persons_word_that_others_came_before_is_said_on_top_of_theirs():
    made = world(reply(confidence=20), reply())
    swap = made.ledger.swap

    def after_another(*swaps, tallies=()):
        made.ledger.swap = swap  # type: ignore[method-assign]
        escalate(made.handed[0], made.parts, made.shift())
        return swap(*swaps, tallies=tallies)

    made.ledger.swap = after_another  # type: ignore[method-assign]
    review(DOCUMENT, "letter", "somebody", made.parts)

    assert (made.row(UPLOAD).tier, made.row(UPLOAD).category) == ("human", "letter")


@pytest.mark.parametrize(
    ("made", "category"),
    [(World(), None), (world(content="broken"), "letter"), (world(reply()), "memo")],
    ids=["nothing there", "no answer", "no such category"],
)
def test_a_person_cannot_say_what_nobody_could_use(made, category):
    with pytest.raises(NotAllowedError):
        review(DOCUMENT, category, "somebody", made.parts)


def test_who_names_no_category_hears_which_there_are():
    with pytest.raises(NotAllowedError, match=r"'memo' is not a category .* letter"):
        review(DOCUMENT, "memo", "somebody", world(reply()).parts)


def test_an_answer_without_a_category_has_to_be_given_one():
    made = world(reply(issue="none_of_these"))
    with pytest.raises(NotAllowedError, match="name one"):
        review(DOCUMENT, None, "somebody", made.parts)
    review(DOCUMENT, "letter", "somebody", made.parts)

    assert made.row(UPLOAD).category == "letter"
