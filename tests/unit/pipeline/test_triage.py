"""The first pass over an upload: every way it can end, and what its row says then."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from pigeonhole.claude import prompt
from pigeonhole.domain.document import Stage, Tier
from pigeonhole.domain.errors import DocumentError
from pigeonhole.domain.policy import Signals
from pigeonhole.domain.record import stamp
from pigeonhole.domain.row_attributes import Status
from pigeonhole.jobs.job import Task
from tests.support.builders import CONFIG, World, breaks, created, reply, upload
from tests.support.fakes import START

TEXT = "Amount due: 12"
UPLOAD = upload()


def new_world(*answers, content: str = TEXT) -> World:
    """A world in which the upload lies in the inbox, and Claude has these answers."""
    world = World()
    world.put(UPLOAD, content)
    world.claude.answers += answers
    return world


def run(world: World) -> None:
    world.triage(created(UPLOAD))


def signals(world: World) -> dict[Tier, Signals]:
    return {tier: each.signals for tier, each in world.job(UPLOAD).replies.items()}


def test_a_certain_answer_makes_the_document_done():
    world = new_world(reply())
    world.clock.pass_by(3)
    run(world)

    row = world.row(UPLOAD)
    assert row.status is Status.DONE
    assert (row.category, row.runner_up, row.confidence) == ("invoice", "letter", Decimal("0.95"))
    assert (row.title, row.summary, row.language) == ("Invoice 7", "It asks for 12.", "en")
    assert (row.keywords, row.evidence) == (("invoice",), ("Amount due: 12",))
    assert (row.tier, row.model, row.run) == ("fast", "claude-haiku-5-5", 1)
    assert row.prompt_version == prompt.prompt_version(CONFIG.tiers[Stage.TRIAGE])
    assert row.taxonomy_version == CONFIG.taxonomy.fingerprint
    assert row.processed_at == stamp(START + timedelta(seconds=3))
    assert (row.escalation_reasons, row.review_reasons, row.error) == (None, None, None)


def test_the_row_says_what_was_read_and_where_its_text_is():
    world = new_world(reply())
    run(world)

    row = world.row(UPLOAD)
    assert (row.size_bytes, row.content_type, row.media_type) == (14, "text/plain", "text/plain")
    assert row.sha256
    assert row.etag
    assert row.text_uri
    assert world.artifacts.texts == {row.text_uri: TEXT}
    assert row.coverage
    assert (row.coverage.chars_total, row.coverage.chars_read, row.coverage.chars_sent) == (14, 14, 14)
    assert not row.coverage.truncated


def test_the_row_says_what_it_cost():
    world = new_world(reply())
    run(world)

    row = world.row(UPLOAD)
    assert row.usage
    assert row.usage.keys() == {"claude-haiku-5-5"}
    assert (row.usage["claude-haiku-5-5"].input_tokens, row.usage["claude-haiku-5-5"].output_tokens) == (
        1000,
        100,
    )
    assert row.cost_usd == Decimal("0.00015")


def test_every_signal_that_the_policy_saw_is_kept():
    world = new_world(reply(confidence=50, runner_up_confidence=45, evidence=["Amount due: 13"]))
    run(world)

    assert signals(world) == {Tier.FAST: Signals(confidence=50, margin=5, quotes_missing=1)}


def test_the_row_says_when_only_part_of_the_text_was_sent():
    world = new_world(reply(), content=TEXT + "." * 4000)
    run(world)

    coverage = world.row(UPLOAD).coverage
    assert coverage
    assert (coverage.chars_read, coverage.chars_sent, coverage.truncated) == (4014, 2697, True)


@pytest.mark.parametrize(
    ("answer", "reasons"),
    [
        (reply(confidence=84), ("low_confidence",)),
        (reply(runner_up_confidence=81), ("narrow_margin",)),
        (reply(evidence=["Amount due: 13"]), ("quote_not_found",)),
        (reply(issue="mixed_documents"), ("mixed_documents",)),
        (reply(category="contract"), ("policy_category",)),
        (reply("refusal"), ("refused",)),
        (reply("max_tokens"), ("truncated_answer",)),
        (reply(text="Certainly!"), ("invalid_answer",)),
        (reply(category="memo"), ("invalid_answer",)),
    ],
    ids=lambda given: given[0] if isinstance(given, tuple) else "",
)
def test_a_hard_case_is_handed_over_with_its_reasons(answer, reasons):
    world = new_world(answer)
    run(world)

    row = world.row(UPLOAD)
    assert (row.status, row.escalation_reasons) == (Status.ESCALATED, reasons)
    assert row.outcome_id is None
    assert row.cost_usd == Decimal("0.00015")
    assert world.handed == [Task(upload=UPLOAD, stage=Stage.ESCALATION)]


def test_an_escalated_row_shows_the_fast_answer_and_an_unusable_reply_none():
    doubtful, unusable = new_world(reply(confidence=60)), new_world(reply(text="?"))
    run(doubtful)
    run(unusable)

    assert (doubtful.row(UPLOAD).category, doubtful.row(UPLOAD).tier) == ("invoice", "fast")
    assert (unusable.row(UPLOAD).category, unusable.row(UPLOAD).tier) == (None, None)
    assert unusable.row(UPLOAD).coverage


@pytest.mark.parametrize(
    ("issue", "category"), [("unreadable", None), ("none_of_these", None), ("truncated", "invoice")]
)
def test_what_no_stronger_model_could_mend_goes_to_a_person(issue, category):
    world = new_world(reply(issue=issue, confidence=20))
    run(world)

    row = world.row(UPLOAD)
    assert (row.status, row.review_reasons, row.category) == (Status.NEEDS_REVIEW, (issue,), category)
    assert world.queues.tasks == []


def test_pages_are_looked_at_and_no_quote_is_held_against_them():
    world = new_world(reply(evidence=["stands on the picture alone"]), content="scanned")
    run(world)

    assert world.row(UPLOAD).status is Status.DONE


def test_a_hard_case_with_pages_to_look_at_says_so():
    seen, unseen = new_world(reply(confidence=20), content="cover\fscanned"), new_world(reply(confidence=20))
    run(seen)
    run(unseen)

    assert (seen.job(UPLOAD).needs_vision, unseen.job(UPLOAD).needs_vision) == (True, False)


@pytest.mark.parametrize(
    ("content", "code"), [("broken", "corrupt"), ("x" * 10_001, "too_large")], ids=["broken", "too large"]
)
def test_a_document_that_cannot_be_read_fails_without_a_call(content, code):
    world = new_world(content=content)
    run(world)

    row = world.row(UPLOAD)
    assert row.status is Status.FAILED
    assert row.error
    assert row.error.code == code
    assert row.error.next_step
    assert world.claude.requests == []


def test_a_document_that_is_gone_before_it_is_read_is_removed_without_a_call():
    world = World()
    run(world)

    assert world.row(UPLOAD).status is Status.REMOVED
    assert world.claude.requests == []
    assert world.job(UPLOAD).stage is Stage.ENDED


def test_a_version_that_is_gone_gives_way_to_the_one_that_s3_shows():
    world = World()
    shown = world.put(upload(version="v0", order=0), TEXT)
    run(world)

    row = world.row(UPLOAD)
    assert (row.version_id, row.sequencer, row.status) == ("v0", UPLOAD.sequencer, Status.PROCESSING)
    assert [each.upload.version_id for each in world.queues.tasks] == [shown.version_id]
    assert world.job(UPLOAD).superseded


def test_a_version_that_s3_shows_and_does_not_give_fails():
    world = new_world()
    breaks(world.objects, "fetch", DocumentError("gone"))
    run(world)

    row = world.row(UPLOAD)
    assert row.error
    assert (row.status, row.error.code) == (Status.FAILED, "gone")


def test_a_document_that_the_model_rejects_fails_with_all_that_is_known_of_it():
    world = new_world(DocumentError("rejected", "prompt is too long"))
    run(world)

    row = world.row(UPLOAD)
    assert row.error
    assert (row.status, row.error.code, row.error.detail) == (Status.FAILED, "rejected", "prompt is too long")
    assert row.text_uri
    assert row.coverage


def test_the_operators_limits_are_kept():
    world = new_world(reply())
    world.config = replace(CONFIG, max_bytes=13)
    run(world)

    assert world.row(UPLOAD).error
    assert world.row(UPLOAD).status is Status.FAILED
