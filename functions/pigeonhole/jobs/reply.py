"""One value for one reply, interpreted once and priced once: rows, usage, accounts and metrics use it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from pigeonhole.claude import answer_form
from pigeonhole.claude.answer_form import UnusableReplyError
from pigeonhole.claude.prompt import PreparedRequest
from pigeonhole.claude.tiers import TierConfig
from pigeonhole.domain import evidence
from pigeonhole.domain.document import Analysis, Coverage, Reply, Text, Tier, Usage
from pigeonhole.domain.policy import Signals
from pigeonhole.domain.record import Record
from pigeonhole.domain.taxonomy import Taxonomy
from pigeonhole.money import pricing
from pigeonhole.money.pricing import ReplyCost


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What a tier is asked about a text, and until when the call has to start.

    `key` is what identical requests share.
    """

    text: Text
    tier: TierConfig
    prepared: PreparedRequest
    key: str
    latest: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class InterpretedReply:
    """A reply, what it says, what the policy sees in it, and what it cost.

    `analysis` is None where the reply holds no usable answer: `signals.defect` says why. `coverage` includes
    what was sent; `sent_on` is the UTC day on which the call was sent, and the day of its usage.
    """

    tier: Tier
    reply: Reply
    analysis: Analysis | None
    signals: Signals
    cost: ReplyCost
    coverage: Coverage
    sent_on: date
    prompt_version: str
    taxonomy_version: str

    @property
    def billed_usage(self) -> Usage:
        """The tokens on this upload's bill: none where the reply was cached."""
        return Usage() if self.reply.reused else self.reply.usage


def interpret(reply: Reply, question: Question, taxonomy: Taxonomy, sent_on: date) -> InterpretedReply:
    """What a tier's reply to this question says, and what it cost at the tier's model."""
    tier, text = question.tier, question.text
    analysis, signals = _examined(reply, text, taxonomy)
    return InterpretedReply(
        tier=tier.tier,
        reply=reply,
        analysis=analysis,
        signals=signals,
        cost=pricing.reply_cost(tier.model, reply, tier.compared_with),
        coverage=_sent(text.coverage, question.prepared),
        sent_on=sent_on,
        prompt_version=question.prepared.prompt_version,
        taxonomy_version=taxonomy.fingerprint,
    )


def with_answer(row: Record, interpreted: InterpretedReply) -> Record:
    """The row with what the reply says; an unusable one changes no answer that stands."""
    analysis = interpreted.analysis
    if analysis is None:
        return row if row.tier else row.with_coverage(interpreted.coverage)
    row = row.with_answer(interpreted.tier, interpreted.reply.model, analysis, interpreted.coverage)
    return row.with_versions(interpreted.prompt_version, interpreted.taxonomy_version)


def _examined(reply: Reply, text: Text, taxonomy: Taxonomy) -> tuple[Analysis | None, Signals]:
    try:
        analysis = answer_form.interpret(reply, taxonomy)
    except UnusableReplyError as error:
        return None, Signals(defect=error.defect)
    return analysis, Signals(
        issue=analysis.issue,
        confidence=analysis.confidence,
        margin=analysis.confidence - analysis.runner_up_confidence,
        # What stands on a page that was looked at, no text can confirm.
        quotes_missing=None if text.images else evidence.missing(analysis.evidence, text.text),
        second_opinion=taxonomy.wants_second_opinion(analysis.category),
    )


def _sent(coverage: Coverage, request: PreparedRequest) -> Coverage:
    """The coverage with what was sent: text and pages that were left out do not count as looked at."""
    return replace(
        coverage,
        chars_sent=request.chars_sent,
        pages_as_images=request.pages_sent,
        truncated=coverage.truncated or request.cut,
        cut=(*coverage.cut, "budget") if request.cut else coverage.cut,
    )
