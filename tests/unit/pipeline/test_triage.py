"""The first pass over an upload: every way it can end, and what its row says then."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from pigeonhole.domain.document import DocumentError, Stage, Tier
from pigeonhole.domain.policy import Signals
from pigeonhole.domain.record import Status, stamp
from pigeonhole.jobs.job import Order
from pigeonhole.pipeline.process import triage
from tests.support.builders import RULES, SHIFT, World, breaks, created, reply, upload
from tests.support.fakes import START

TEXT = "Amount due: 12"
UPLOAD = upload()


def world(*answers, content: str = TEXT) -> World:
    """A world in which the upload lies in the inbox, and Claude has these answers."""
    made = World()
    made.put(UPLOAD, content)
    made.analyst.answers += answers
    return made


def run(made: World) -> None:
    triage(created(UPLOAD), made.parts, SHIFT)


def test_a_certain_answer_makes_the_document_done():
    made = world(reply())
    made.clock.pass_by(3)
    run(made)

    row = made.row(UPLOAD)
    assert row.status is Status.DONE
    assert (row.category, row.runner_up, row.confidence) == ("invoice", "letter", Decimal("0.95"))
    assert (row.title, row.summary, row.language) == ("Invoice 7", "It asks for 12.", "en")
    assert (row.keywords, row.evidence) == (("invoice",), ("Amount due: 12",))
    assert (row.tier, row.model, row.run) == ("fast", "claude-haiku-5-5", 1)
    assert (row.prompt_version, row.taxonomy_version) == ("1", RULES.taxonomy.fingerprint)
    assert row.processed_at == stamp(START + timedelta(seconds=3))
    assert (row.escalation_reasons, row.review_reasons, row.error) == (None, None, None)


def test_the_row_says_what_was_read_and_where_its_text_is():
    made = world(reply())
    run(made)

    row = made.row(UPLOAD)
    assert (row.size_bytes, row.content_type, row.media_type) == (14, "text/plain", "text/plain")
    assert row.sha256
    assert row.etag
    assert row.text_uri
    assert made.artifacts.texts == {row.text_uri: TEXT}
    assert row.coverage
    assert (row.coverage.chars_total, row.coverage.chars_read, row.coverage.chars_sent) == (14, 14, 14)
    assert not row.coverage.truncated


def test_the_row_says_what_it_cost():
    made = world(reply())
    run(made)

    row = made.row(UPLOAD)
    assert row.usage
    assert row.usage.keys() == {"claude-haiku-5-5"}
    assert (row.usage["claude-haiku-5-5"].input_tokens, row.usage["claude-haiku-5-5"].output_tokens) == (
        1000,
        100,
    )
    assert row.cost_usd == Decimal("0.00015")


def test_every_signal_that_the_policy_saw_is_kept():
    made = world(reply(confidence=50, runner_up_confidence=45, evidence=["Amount due: 13"]))
    run(made)

    assert made.work(UPLOAD).signals == {Tier.FAST: Signals(confidence=50, margin=5, quotes_missing=1)}


def test_the_row_says_when_only_part_of_the_text_was_sent():
    made = world(reply(), content=TEXT + "." * 4000)
    run(made)

    coverage = made.row(UPLOAD).coverage
    assert coverage
    assert (coverage.chars_read, coverage.chars_sent, coverage.truncated) == (4014, 2998, True)


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
    made = world(answer)
    run(made)

    row = made.row(UPLOAD)
    assert (row.status, row.escalation_reasons) == (Status.ESCALATED, reasons)
    assert row.outcome_id is None
    assert row.cost_usd == Decimal("0.00015")
    assert made.handed == [Order(upload=UPLOAD, stage=Stage.ESCALATION)]


def test_an_escalated_row_shows_the_fast_answer_and_an_unusable_reply_none():
    doubtful, unusable = world(reply(confidence=60)), world(reply(text="?"))
    run(doubtful)
    run(unusable)

    assert (doubtful.row(UPLOAD).category, doubtful.row(UPLOAD).tier) == ("invoice", "fast")
    assert (unusable.row(UPLOAD).category, unusable.row(UPLOAD).tier) == (None, None)
    assert unusable.row(UPLOAD).coverage


@pytest.mark.parametrize(
    ("issue", "category"), [("unreadable", None), ("none_of_these", None), ("truncated", "invoice")]
)
def test_what_no_stronger_reader_could_mend_goes_to_a_person(issue, category):
    made = world(reply(issue=issue, confidence=20))
    run(made)

    row = made.row(UPLOAD)
    assert (row.status, row.review_reasons, row.category) == (Status.NEEDS_REVIEW, (issue,), category)
    assert made.queues.orders == []


def test_pages_that_need_eyes_are_looked_at_and_no_quote_is_held_against_them():
    made = world(reply(evidence=["stands on the picture alone"]), content="scanned")
    run(made)

    assert made.row(UPLOAD).status is Status.DONE


def test_a_hard_case_with_pages_to_look_at_says_so():
    seen, unseen = world(reply(confidence=20), content="cover\fscanned"), world(reply(confidence=20))
    run(seen)
    run(unseen)

    assert (seen.work(UPLOAD).eyes, unseen.work(UPLOAD).eyes) == (True, False)


@pytest.mark.parametrize(
    ("content", "code"), [("broken", "corrupt"), ("x" * 10_001, "too_large")], ids=["broken", "too large"]
)
def test_a_document_that_cannot_be_read_fails_without_a_call(content, code):
    made = world(content=content)
    run(made)

    row = made.row(UPLOAD)
    assert row.status is Status.FAILED
    assert row.error
    assert row.error.code == code
    assert row.error.next_step
    assert made.analyst.requests == []


def test_a_document_that_is_gone_before_it_is_read_is_removed_without_a_call():
    made = World()
    run(made)

    assert made.row(UPLOAD).status is Status.REMOVED
    assert made.analyst.requests == []
    assert made.work(UPLOAD).stage is Stage.ENDED


def test_a_version_that_is_gone_gives_way_to_the_one_that_s3_shows():
    made = World()
    shown = made.put(upload(version="v0", order=0), TEXT)
    run(made)

    row = made.row(UPLOAD)
    assert (row.version_id, row.sequencer, row.status) == ("v0", UPLOAD.sequencer, Status.PROCESSING)
    assert [each.upload.version_id for each in made.queues.orders] == [shown.version_id]
    assert made.work(UPLOAD).superseded


def test_a_version_that_s3_shows_and_does_not_give_fails():
    made = world()
    breaks(made.objects, "body", DocumentError("gone"))
    run(made)

    row = made.row(UPLOAD)
    assert row.error
    assert (row.status, row.error.code) == (Status.FAILED, "gone")


def test_a_document_that_the_model_rejects_fails_with_all_that_is_known_of_it():
    made = world(DocumentError("rejected", "prompt is too long"))
    run(made)

    row = made.row(UPLOAD)
    assert row.error
    assert (row.status, row.error.code, row.error.detail) == (Status.FAILED, "rejected", "prompt is too long")
    assert row.text_uri
    assert row.coverage


def test_the_operators_limits_are_kept():
    made = world(reply())
    made.rules = replace(RULES, max_bytes=13)
    run(made)

    assert made.row(UPLOAD).error
    assert made.row(UPLOAD).status is Status.FAILED
