"""The second opinion: the strong model reads the document itself, and nobody is asked a third time."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pigeonhole.domain.document import Tier
from pigeonhole.domain.errors import DocumentError
from pigeonhole.domain.policy import Signals
from pigeonhole.domain.row_attributes import Status
from tests.support.builders import World, breaks, created, reply, upload

TEXT = "Amount due: 12"
UPLOAD = upload()
DOUBTFUL = reply(confidence=60, title="A first guess")


def new_world(*answers, first=DOUBTFUL, content: str = TEXT) -> World:
    """A world in which triage has handed the upload over, and Claude has these answers."""
    world = World()
    world.put(UPLOAD, content)
    world.claude.answers += [first]
    world.triage(created(UPLOAD))
    world.claude.answers += answers
    world.claude.requests.clear()
    return world


def run(world: World) -> None:
    world.escalate(world.handed[0])


def signals(world: World) -> dict[Tier, Signals]:
    return {tier: each.signals for tier, each in world.job(UPLOAD).replies.items()}


def test_the_strong_answer_replaces_the_fast_one():
    world = new_world(reply(category="letter", runner_up="none", confidence=90, title="A letter"))
    run(world)

    row = world.row(UPLOAD)
    assert (row.status, row.category, row.runner_up, row.title) == (Status.DONE, "letter", None, "A letter")
    assert (row.tier, row.model, row.confidence) == ("strong", "claude-sonnet-5-5", Decimal("0.9"))
    assert row.escalation_reasons == ("low_confidence",)
    assert row.outcome_id


def test_the_strong_model_is_blind_to_the_fast_answer():
    world = new_world(reply())
    run(world)

    (request,) = world.claude.requests
    assert request["model"] == "claude-sonnet-5-5"
    assert TEXT in str(request["messages"])
    assert "A first guess" not in str(request)


def test_both_calls_are_on_the_bill():
    world = new_world(reply())
    run(world)

    row = world.row(UPLOAD)
    assert row.usage
    assert row.usage.keys() == {"claude-haiku-5-5", "claude-sonnet-5-5"}
    assert row.cost_usd == Decimal("0.00015") + Decimal("0.003")


def test_what_was_read_and_where_it_is_stays_on_the_row():
    world = new_world(reply(), content=TEXT + "\fpage two")
    before = world.row(UPLOAD)
    run(world)

    row = world.row(UPLOAD)
    assert (row.sha256, row.text_uri, row.media_type) == (before.sha256, before.text_uri, before.media_type)
    assert row.coverage
    assert before.coverage
    assert (row.coverage.chars_read, row.coverage.chars_total) == (22, 22)
    assert before.coverage.chars_read == row.coverage.chars_read


def test_the_signals_of_both_opinions_are_kept():
    world = new_world(reply(confidence=99))
    run(world)

    assert signals(world) == {
        Tier.FAST: Signals(confidence=60, margin=55, quotes_missing=0),
        Tier.STRONG: Signals(confidence=99, margin=94, quotes_missing=0),
    }


@pytest.mark.parametrize(
    ("answer", "reasons", "category"),
    [
        (reply(confidence=69), ("low_confidence",), "invoice"),
        (reply(evidence=["Amount due: 13"]), ("quote_not_found",), "invoice"),
        (reply(issue="mixed_documents"), ("mixed_documents",), "invoice"),
        (reply(issue="truncated"), ("truncated",), "invoice"),
        (reply(issue="unreadable"), ("unreadable",), None),
        (reply(issue="none_of_these"), ("none_of_these",), None),
    ],
    ids=lambda given: given[0] if isinstance(given, tuple) else "",
)
def test_a_strong_answer_in_doubt_goes_to_a_person(answer, reasons, category):
    world = new_world(answer)
    run(world)

    row = world.row(UPLOAD)
    assert (row.status, row.review_reasons, row.category) == (Status.NEEDS_REVIEW, reasons, category)
    assert row.tier == "strong"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (reply("refusal"), "refused"),
        (reply("max_tokens"), "truncated_answer"),
        (reply(text="Certainly!"), "invalid_answer"),
    ],
    ids=["refused", "truncated", "invalid"],
)
def test_without_a_strong_answer_a_person_decides_and_the_fast_one_stays(answer, reason):
    world = new_world(answer)
    run(world)

    row = world.row(UPLOAD)
    assert (row.status, row.review_reasons) == (Status.NEEDS_REVIEW, (reason,))
    assert (row.tier, row.category, row.title) == ("fast", "invoice", "A first guess")
    assert row.cost_usd == Decimal("0.00315")


def test_a_refusal_by_both_leaves_a_row_without_an_answer_to_a_person():
    world = new_world(reply("refusal"), first=reply("refusal"))
    run(world)

    row = world.row(UPLOAD)
    assert (row.status, row.escalation_reasons, row.review_reasons) == (
        Status.NEEDS_REVIEW,
        ("refused",),
        ("refused",),
    )
    assert (row.tier, row.category, row.title) == (None, None, None)


def test_a_document_that_the_strong_model_rejects_keeps_the_fast_answer_and_says_why():
    world = new_world(DocumentError("rejected", "too long"))
    run(world)

    row = world.row(UPLOAD)
    assert (row.status, row.review_reasons, row.tier) == (Status.NEEDS_REVIEW, ("rejected",), "fast")
    assert row.error
    assert (row.error.code, row.error.detail) == ("rejected", "too long")


def test_when_the_saved_text_has_expired_the_document_is_read_again():
    world = new_world(reply())
    world.artifacts.texts.clear()
    run(world)

    assert world.row(UPLOAD).status is Status.DONE
    assert TEXT in str(world.claude.requests[0]["messages"])


def test_when_text_and_document_are_gone_the_row_says_what_s3_shows():
    world = new_world(reply())
    world.artifacts.texts.clear()
    world.objects.versions.clear()
    run(world)

    assert world.row(UPLOAD).status is Status.REMOVED
    assert world.claude.requests == []


def test_when_the_text_has_expired_and_s3_does_not_give_the_bytes_the_fast_answer_goes_to_a_person():
    world = new_world(reply())
    world.artifacts.texts.clear()
    breaks(world.objects, "fetch", DocumentError("gone"))
    run(world)

    row = world.row(UPLOAD)
    assert (row.status, row.review_reasons, row.category) == (Status.NEEDS_REVIEW, ("gone",), "invoice")
    assert world.claude.requests == []


def test_pages_that_have_to_be_looked_at_are_looked_at_again():
    world = new_world(reply(), content="cover\fscanned")
    run(world)

    (message,) = world.claude.requests[0]["messages"]
    assert [block["type"] for block in message["content"]] == ["text", "text", "image", "text"]


def test_the_row_says_when_only_part_of_the_text_was_sent():
    world = new_world(reply(evidence=[]), content="a" * 4000)
    run(world)

    coverage = world.row(UPLOAD).coverage
    assert coverage
    assert (coverage.chars_read, coverage.chars_sent, coverage.truncated) == (4000, 2697, True)
