"""How a row grows from what was read and what was said, and what the policy gets to see (pure)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from pigeonhole.claude import answer_form, model_catalog
from pigeonhole.claude.answer_form import UnusableReplyError
from pigeonhole.claude.prompt import PROMPT_VERSION
from pigeonhole.domain import evidence
from pigeonhole.domain.document import Analysis, Coverage, DocumentError, Reply, Text, Tier
from pigeonhole.domain.policy import Signals
from pigeonhole.domain.record import Record, Status, Tokens, explain, read, tokens
from pigeonhole.domain.taxonomy import Taxonomy
from pigeonhole.money import pricing
from pigeonhole.ports import Body

# With these issues no category of the taxonomy is meant.
_NO_CATEGORY = frozenset({"unreadable", "none_of_these"})


def as_read(record: Record, body: Body, text: Text, text_uri: str | None) -> Record:
    """The row with what is known once the document is read."""
    return record.model_copy(
        update={
            "etag": body.etag or record.etag,
            "size_bytes": body.size_bytes,
            "sha256": body.sha256,
            "content_type": body.content_type and body.content_type[:200],
            "media_type": text.media_type,
            "coverage": read(text.coverage),
            "text_uri": text_uri,
        }
    )


def as_told(
    record: Record,
    tier: Tier,
    reply: Reply,
    analysis: Analysis | None,
    coverage: Coverage,
    taxonomy: Taxonomy,
) -> Record:
    """The row with an answer and its price; an unusable reply adds its price and changes no answer."""
    told = charged(record, reply)
    if analysis is None:
        return told if record.tier else told.model_copy(update={"coverage": read(coverage)})
    return told.model_copy(
        update={
            "category": None if analysis.issue in _NO_CATEGORY else analysis.category,
            "runner_up": analysis.runner_up,
            "confidence": Decimal(analysis.confidence) / 100,
            "title": analysis.title or None,
            "summary": analysis.summary or None,
            "language": analysis.language or None,
            "keywords": analysis.keywords,
            "evidence": analysis.evidence,
            "tier": str(tier),
            "model": reply.model,
            "prompt_version": PROMPT_VERSION,
            "taxonomy_version": taxonomy.fingerprint,
            "coverage": read(coverage),
        }
    )


def charged(record: Record, reply: Reply | None) -> Record:
    """The row with what a reply has cost, whatever it says."""
    return record.model_copy(update=_charged(record, reply)) if reply else record


def examine(reply: Reply, text: Text, taxonomy: Taxonomy) -> tuple[Analysis | None, Signals]:
    """The answer, if the reply holds one, and all that the policy looks at."""
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


def failed(record: Record, error: DocumentError, now: datetime) -> Record:
    """The row of a document that nothing can be said about."""
    return record.to(Status.FAILED, now, error=explain(error.code, error.detail).model_dump())


def undecided(record: Record, error: DocumentError, now: datetime) -> Record:
    """The row of a document whose second opinion failed: the fast answer stays, a person decides."""
    explained = explain(error.code, error.detail).model_dump()
    return record.to(Status.NEEDS_REVIEW, now, review_reasons=(error.code,), error=explained)


def text_of(record: Record, saved: str) -> Text:
    """A saved text with the coverage that its row states."""
    stated = record.coverage.model_dump() if record.coverage else {}
    coverage = replace(Coverage(**stated), chars_sent=0)
    return Text(media_type=record.media_type or "text/plain", body=(saved,), coverage=coverage)


def _charged(record: Record, reply: Reply) -> dict[str, Any]:
    if reply.reused:
        return {"cost_usd": record.cost_usd or Decimal(0)}
    before = (record.usage or {}).get(reply.model, Tokens())
    added = tokens(reply.usage)
    both = Tokens(**{kind: getattr(before, kind) + getattr(added, kind) for kind in Tokens.model_fields})
    cost = pricing.cost_usd(model_catalog.model(reply.model), reply.usage)
    return {
        "usage": {**(record.usage or {}), reply.model: both},
        "cost_usd": (record.cost_usd or Decimal(0)) + cost,
    }
