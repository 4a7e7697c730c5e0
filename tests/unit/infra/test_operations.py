"""What people may do: have a document done once more, or say themselves what it is."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from infra.ops.operations import NotAllowedError, upload_of
from pigeonhole.domain.document import Stage
from pigeonhole.domain.errors import DocumentError, StopAll, TryLater, WaitReason
from pigeonhole.domain.record import stamp
from pigeonhole.domain.row_attributes import Status
from pigeonhole.domain.upload import ObjectEvent, ObjectEventType
from pigeonhole.jobs.job import Task
from tests.support.builders import World, breaks, created, record, reply, upload

UPLOAD = upload()
DOCUMENT = UPLOAD.document


def new_world(*answers, content: str = "Amount due: 12") -> World:
    """A world in which the upload was triaged."""
    world = World()
    world.put(UPLOAD, content)
    world.claude.answers += answers
    world.triage(created(UPLOAD))
    world.clock.pass_by(60)
    return world


def again(world: World, *, forced: bool = False) -> None:
    world.redrive(world.row(UPLOAD), forced=forced)


# Redrive.


def test_a_redrive_is_a_new_run_that_leaves_the_outcome_until_it_has_its_own():
    world = new_world(DocumentError("invalid_answer"), reply())
    before = world.row(UPLOAD)
    again(world)
    (task,) = world.queues.tasks

    assert (task.upload.version_id, task.run, task.stage, task.forced) == ("v1", 2, Stage.TRIAGE, False)
    assert world.row(UPLOAD) == before
    world.triage(task, world.invocation())
    assert (world.row(UPLOAD).status, world.row(UPLOAD).run) == (Status.DONE, 2)
    assert world.row(UPLOAD).outcome_id != before.outcome_id


def test_a_redrive_whose_message_is_lost_is_sent_by_the_sweep():
    world = new_world(reply())
    breaks(world.queues, "send", TryLater("SQS", seconds=20))
    with pytest.raises(TryLater):
        again(world)

    due_at = world.clock.now() + world.config.visibility[Stage.TRIAGE]
    assert [job.task.run for job in world.store.due_jobs(due_at, 10)] == [2]


def test_a_redrive_of_an_open_job_sends_its_task_once_more():
    world = new_world(reply(confidence=20))
    world.queues.tasks.clear()
    again(world)

    assert world.queues.tasks == [Task(upload=UPLOAD, stage=Stage.ESCALATION)]
    assert list(world.store.jobs) == [(DOCUMENT, "v1", 1)]


def test_a_redrive_of_what_is_parked_sends_it_before_its_time():
    world = new_world(StopAll(WaitReason.CLAUDE, "stop"))
    again(world)

    assert world.queues.tasks == [Task(upload=UPLOAD)]


def test_a_redrive_twice_is_one_run():
    world = new_world(reply())
    again(world)
    again(world)

    assert [each.run for each in world.queues.tasks] == [2, 2]


def test_what_cannot_succeed_is_redriven_only_by_force():
    world = new_world(content="broken")
    with pytest.raises(NotAllowedError, match="force it"):
        again(world)
    again(world, forced=True)

    assert [(task.run, task.forced) for task in world.queues.tasks] == [(2, True)]


def test_what_a_person_has_decided_is_not_redriven():
    world = new_world(reply())
    world.review(DOCUMENT, None, "somebody")
    for forced in (False, True):
        with pytest.raises(NotAllowedError, match="a person"):
            again(world, forced=forced)


def test_what_is_removed_is_not_redriven():
    with pytest.raises(NotAllowedError, match="removed"):
        World().redrive(record(status=Status.REMOVED), forced=True)


def test_a_redrive_goes_on_from_what_the_document_has_cost():
    world = new_world(reply(confidence=20), reply(text="?"), reply())
    world.escalate(world.handed[0], world.invocation())
    before = world.row(UPLOAD)
    again(world, forced=True)
    world.triage(world.queues.tasks[-1], world.invocation())

    assert (before.cost_usd, world.row(UPLOAD).cost_usd) == (Decimal("0.00315"), Decimal("0.0033"))


def test_the_upload_of_a_row_is_the_one_that_made_it():
    full = replace(UPLOAD, etag="abc")

    assert upload_of(record(full)) == full


# Review.


@pytest.mark.parametrize(
    ("category", "expected"), [(None, "invoice"), ("letter", "letter")], ids=["accept", "change"]
)
def test_a_review_is_the_outcome(category, expected):
    world = new_world(reply(issue="mixed_documents"))
    before = world.row(UPLOAD)
    row = world.review(DOCUMENT, category, "somebody")

    assert row == world.row(UPLOAD)
    assert (row.status, row.category, row.tier) == (Status.DONE, expected, "human")
    assert (row.reviewed_by, row.reviewed_at) == ("somebody", stamp(world.clock.now()))
    assert row.outcome_id not in (None, before.outcome_id)


@pytest.mark.parametrize(
    "answers",
    [
        [reply()],
        [reply(confidence=20)],
        [reply(issue="truncated")],
        [reply(confidence=20), StopAll(WaitReason.CLAUDE, "stop")],
    ],
    ids=["done", "escalated", "needs review", "parked"],
)
def test_a_person_may_decide_whatever_has_an_answer(answers):
    world = new_world(*answers)
    for task in world.handed if len(answers) > 1 else []:
        world.escalate(task, world.invocation())
    world.review(DOCUMENT, "letter", "somebody")

    assert (world.row(UPLOAD).status, world.row(UPLOAD).waiting) == (Status.DONE, None)
    assert (world.job(UPLOAD).stage, world.job(UPLOAD).wake_at) == (Stage.ENDED, None)


@pytest.mark.parametrize("useless", [reply("refusal"), reply(text="no JSON"), reply("max_tokens")])
def test_a_person_may_decide_what_no_model_could(useless):
    world = new_world(useless, useless)
    for task in world.handed:
        world.escalate(task, world.invocation())
    before = world.row(UPLOAD)
    assert (before.status, before.tier, before.category) == (Status.NEEDS_REVIEW, None, None)
    with pytest.raises(NotAllowedError, match="name one"):
        world.review(DOCUMENT, None, "somebody")
    world.review(DOCUMENT, "letter", "somebody")

    row = world.row(UPLOAD)
    assert (row.status, row.tier, row.category) == (Status.DONE, "human", "letter")
    assert world.job(UPLOAD).stage is Stage.ENDED


def test_a_job_under_way_writes_nothing_after_a_review():
    world = new_world(reply(confidence=20))

    def meanwhile():
        world.review(DOCUMENT, "letter", "somebody")
        return reply()

    world.claude.answers += [meanwhile]
    world.escalate(world.handed[0], world.invocation())

    assert (world.row(UPLOAD).category, world.row(UPLOAD).tier) == ("letter", "human")


def test_a_higher_run_under_way_writes_nothing_after_a_review():
    world = new_world(reply())
    again(world)
    world.review(DOCUMENT, "letter", "somebody")
    world.triage(world.queues.tasks[0], world.invocation())

    assert (world.row(UPLOAD).category, world.row(UPLOAD).tier) == ("letter", "human")
    assert all(job.wake_at is None for job in world.store.jobs.values())


def test_a_newer_upload_starts_afresh_after_a_review():
    world = new_world(reply())
    world.review(DOCUMENT, "letter", "somebody")
    newer = world.put(upload(version="v2", order=2), "Amount due: 13")
    world.claude.answers += [reply(evidence=["Amount due: 13"])]
    world.triage(created(newer), world.invocation())

    row = world.row(UPLOAD)
    assert (row.version_id, row.tier, row.reviewed_by) == ("v2", "fast", None)


def test_a_review_comes_back_with_the_version_that_it_was_about():
    world = new_world(reply(), reply())
    world.review(DOCUMENT, "letter", "Ann")
    newer = world.put(upload(version="v2", order=2), "Amount due: 12")
    world.triage(created(newer), world.invocation())
    del world.objects.versions[newer.bucket, newer.key, newer.version_id]
    world.triage(
        ObjectEvent(type=ObjectEventType.REMOVED, upload=upload(version="v2", order=3)), world.invocation()
    )

    row = world.row(UPLOAD)
    assert (row.version_id, row.tier, row.category, row.reviewed_by) == ("v1", "human", "letter", "Ann")


def test_a_review_that_meets_a_write_conflict_is_written_after_the_other_outcome():
    world = new_world(reply(confidence=20), reply())
    commit = world.store.commit

    def after_another(*writes, usage=()):
        world.store.commit = commit  # type: ignore[method-assign]
        world.escalate(world.handed[0], world.invocation())
        return commit(*writes, usage=usage)

    world.store.commit = after_another  # type: ignore[method-assign]
    world.review(DOCUMENT, "letter", "somebody")

    assert (world.row(UPLOAD).tier, world.row(UPLOAD).category) == ("human", "letter")


@pytest.mark.parametrize(
    ("world", "category"),
    [(World(), None), (new_world(content="broken"), "letter"), (new_world(reply()), "memo")],
    ids=["nothing there", "no answer", "no such category"],
)
def test_a_review_without_an_answer_or_a_known_category_is_not_allowed(world, category):
    with pytest.raises(NotAllowedError):
        world.review(DOCUMENT, category, "somebody")


def test_an_unknown_category_is_answered_with_those_that_there_are():
    with pytest.raises(NotAllowedError, match=r"'memo' is not a category .* letter"):
        new_world(reply()).review(DOCUMENT, "memo", "somebody")


def test_an_answer_without_a_category_has_to_be_given_one():
    world = new_world(reply(issue="none_of_these"))
    with pytest.raises(NotAllowedError, match="name one"):
        world.review(DOCUMENT, None, "somebody")
    world.review(DOCUMENT, "letter", "somebody")

    assert world.row(UPLOAD).category == "letter"
