"""A third tier, where there is one: asked before a person, counted and capped as the others."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pigeonhole.domain.document import Stage, Tier
from pigeonhole.domain.errors import DocumentError, StopAll, WaitReason
from pigeonhole.domain.row_attributes import Status
from tests.support.builders import CONFIG, World, created, record, reply, upload, with_final

UPLOAD = upload()
UNSURE = reply(confidence=20, category="letter")


def hard_case(*answers, config=None) -> World:
    """A world whose document the fast model was not sure of."""
    world = World(config=config or with_final())
    world.put(UPLOAD, "Amount due: 12")
    world.claude.answers += [reply(confidence=20), *answers]
    world.triage(created(UPLOAD))
    return world


def escalate(world: World) -> None:
    world.escalate(world.handed.pop())


@pytest.mark.parametrize(
    "answer",
    [UNSURE, reply(evidence=["not there"]), reply("refusal"), reply("max_tokens"), reply(text="{")],
    ids=["low confidence", "quote not found", "refused", "truncated", "invalid"],
)
def test_where_another_opinion_may_help_the_final_model_is_asked_before_a_person(answer):
    world = hard_case(answer, reply(category="invoice"))
    escalate(world)
    assert world.row(UPLOAD).status is Status.ESCALATED
    escalate(world)

    row = world.row(UPLOAD)
    assert (row.status, row.tier, row.model) == (Status.DONE, Tier.FINAL, "claude-opus-5-5")
    assert [each["model"] for each in world.claude.requests][-1] == "claude-opus-5-5"


@pytest.mark.parametrize("issue", ["unreadable", "none_of_these", "truncated", "mixed_documents"])
def test_what_no_model_can_settle_goes_to_a_person_at_once(issue):
    world = hard_case(reply(issue=issue))
    escalate(world)

    assert (world.row(UPLOAD).status, world.row(UPLOAD).review_reasons) == (Status.NEEDS_REVIEW, (issue,))


def test_meanwhile_the_row_is_escalated_and_shows_the_best_answer_so_far():
    world = hard_case(UNSURE)
    escalate(world)

    row = world.row(UPLOAD)
    assert (row.status, row.tier, row.category) == (Status.ESCALATED, Tier.STRONG, "letter")
    assert row.escalation_reasons == ("low_confidence",)
    assert world.queues.tasks[-1].stage is Stage.FINAL


def test_a_final_answer_in_doubt_is_left_to_a_person():
    world = hard_case(UNSURE, reply(confidence=30, category="contract"))
    escalate(world)
    escalate(world)

    row = world.row(UPLOAD)
    assert (row.status, row.tier, row.category) == (Status.NEEDS_REVIEW, Tier.FINAL, "contract")
    assert row.review_reasons == ("low_confidence",)


def test_when_the_final_call_fails_the_strong_answer_goes_to_a_person():
    world = hard_case(UNSURE, DocumentError("rejected"))
    escalate(world)
    escalate(world)

    row = world.row(UPLOAD)
    assert (row.status, row.tier, row.category) == (Status.NEEDS_REVIEW, Tier.STRONG, "letter")
    assert row.error
    assert row.error.code == "rejected"


def test_when_the_final_model_is_not_configured_any_more_the_strong_answer_goes_to_a_person():
    world = hard_case(UNSURE)
    escalate(world)
    world.config = CONFIG
    escalate(world)

    row = world.row(UPLOAD)
    assert (row.status, row.tier, row.review_reasons) == (
        Status.NEEDS_REVIEW,
        Tier.STRONG,
        ("low_confidence",),
    )
    assert len(world.claude.requests) == 2


def test_a_final_call_that_must_wait_for_claude_parks_and_goes_on():
    world = hard_case(UNSURE, StopAll(WaitReason.CLAUDE, "stop"), reply())
    escalate(world)
    escalate(world)
    assert world.row(UPLOAD).status is Status.PARKED
    world.services.guards.breaker.reset()
    world.escalate(world.job(UPLOAD).task, world.invocation())

    assert (world.row(UPLOAD).status, world.row(UPLOAD).tier) == (Status.DONE, Tier.FINAL)


def test_each_tier_is_on_the_bill_and_in_the_usage():
    world = hard_case(UNSURE, reply())
    escalate(world)
    escalate(world)

    lines = {line.tier: line.totals.usd for line in world.store.usage("2026-11-22")}
    # A thousand tokens asked and a hundred answered, at each model's price.
    assert lines == {
        Tier.FAST: Decimal("0.00015"),
        Tier.STRONG: Decimal("0.003"),
        Tier.FINAL: Decimal("0.006"),
    }
    assert world.row(UPLOAD).cost_usd == sum(lines.values())


def test_without_a_final_tier_the_strong_answer_goes_to_a_person():
    world = hard_case(UNSURE, config=CONFIG)
    escalate(world)

    assert world.row(UPLOAD).status is Status.NEEDS_REVIEW
    assert len(world.queues.tasks) == 1


def test_a_duplicate_of_the_strong_stage_is_nothing_to_do_at_the_final_one():
    world = hard_case(UNSURE)
    first = world.handed[-1]
    escalate(world)
    world.escalate(first)

    assert len(world.claude.requests) == 2
    assert world.row(UPLOAD).status is not record().status
