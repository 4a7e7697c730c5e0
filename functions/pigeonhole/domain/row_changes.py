"""How a row changes: typed functions, each from one row to the next (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from pigeonhole.domain.document import Analysis, Coverage, FetchedObject, Stage, Text, Tier, Upload, Usage
from pigeonhole.domain.error_codes import EXPLANATIONS
from pigeonhole.domain.errors import DocumentError, WaitReason
from pigeonhole.domain.policy import Reason
from pigeonhole.domain.record import Record, RowError, Status, Waiting, stamp

# With these issues no category of the taxonomy is meant.
_NO_CATEGORY = frozenset({Reason.UNREADABLE, Reason.NONE_OF_THESE})


def new_row(upload: Upload, run: int, now: datetime) -> Record:
    """The row of an upload that is being worked on."""
    return Record(
        document=upload.document,
        bucket=upload.bucket,
        key=upload.key,
        version_id=upload.version_id,
        sequencer=upload.sequencer,
        etag=upload.etag,
        size_bytes=upload.size_bytes,
        uploaded_at=stamp(upload.uploaded_at),
        team=upload.team,
        status=Status.PROCESSING,
        run=run,
        updated_at=stamp(now),
    )


def with_extraction(row: Record, fetched: FetchedObject, text: Text, text_uri: str | None) -> Record:
    """The row with what is known once the document is read."""
    return row.model_copy(
        update={
            "etag": fetched.etag or row.etag,
            "size_bytes": fetched.size_bytes,
            "sha256": fetched.sha256,
            "content_type": fetched.content_type and fetched.content_type[:200],
            "media_type": text.media_type,
            "coverage": text.coverage,
            "text_uri": text_uri,
        }
    )


def with_answer(row: Record, tier: Tier, model: str, analysis: Analysis, coverage: Coverage) -> Record:
    """The row with a model's answer in place of an earlier one."""
    return row.model_copy(
        update={
            "category": None if analysis.issue in _NO_CATEGORY else analysis.category,
            "runner_up": analysis.runner_up,
            "confidence": Decimal(analysis.confidence) / 100,
            "title": analysis.title or None,
            "summary": analysis.summary or None,
            "language": analysis.language or None,
            "keywords": analysis.keywords,
            "evidence": analysis.evidence,
            "tier": tier,
            "model": model,
            "coverage": coverage,
        }
    )


def with_versions(row: Record, prompt_version: str, taxonomy_version: str) -> Record:
    """The row with the instructions under which its answer was given."""
    return row.model_copy(update={"prompt_version": prompt_version, "taxonomy_version": taxonomy_version})


def with_coverage(row: Record, coverage: Coverage) -> Record:
    """The row with what was read, and what of it was sent."""
    return row.model_copy(update={"coverage": coverage})


def with_cost(row: Record, model: str, usage: Usage, usd: Decimal) -> Record:
    """The row with one more call on its bill, in US dollars."""
    before = row.usage or {}
    used = {**before, model: before.get(model, Usage()) + usage} if usage != Usage() else row.usage
    return row.model_copy(update={"usage": used, "cost_usd": (row.cost_usd or Decimal(0)) + usd})


def with_unsettled(row: Record, more_usd: Decimal) -> Record:
    """The row with what calls without an answer may have cost: so many US dollars more, or fewer."""
    return row.model_copy(update={"unsettled_usd": ((row.unsettled_usd or Decimal(0)) + more_usd) or None})


def with_bill_of(row: Record, other: Record) -> Record:
    """The row with the other's usage and cost: both are about one upload."""
    bill = {"usage": other.usage, "cost_usd": other.cost_usd, "unsettled_usd": other.unsettled_usd}
    return row.model_copy(update=bill)


def with_sequencer(row: Record, sequencer: str) -> Record:
    """The row under a newer event that changes nothing else."""
    return row.model_copy(update={"sequencer": sequencer})


def with_attempts(row: Record, attempts: int) -> Record:
    """The row with how many attempts its last stage took."""
    return row.model_copy(update={"attempts": attempts})


def with_revision(row: Record, revision: int) -> Record:
    """The row as it is written: each write has a revision of its own."""
    return row.model_copy(update={"revision": revision})


def republished(row: Record, now: datetime) -> Record:
    """The same outcome, to be published once more: its version is the current one again."""
    return row.model_copy(update={"updated_at": stamp(now)}).with_new_outcome_id()


def done(row: Record, now: datetime) -> Record:
    """The answer stands."""
    return row.to(Status.DONE, now)


def for_review(row: Record, reasons: Sequence[Reason], now: datetime) -> Record:
    """A person has to look at the answer, for these reasons."""
    return row.to(Status.NEEDS_REVIEW, now, review_reasons=tuple(reasons))


def escalated(row: Record, reasons: Sequence[Reason], now: datetime) -> Record:
    """The next tier is to be asked, for these reasons; the answer so far stays and says whose it is."""
    if row.status is Status.ESCALATED:
        return row.model_copy(update={"escalation_reasons": tuple(reasons), "updated_at": stamp(now)})
    return row.to(Status.ESCALATED, now, escalation_reasons=tuple(reasons))


def failed(row: Record, error: DocumentError, now: datetime) -> Record:
    """Nothing can be said about the document."""
    return row.to(Status.FAILED, now, error=explain(error).model_dump())


def undecided(row: Record, error: DocumentError, now: datetime) -> Record:
    """The second opinion failed: the answer so far stays, a person decides."""
    return row.to(Status.NEEDS_REVIEW, now, review_reasons=(error.code,), error=explain(error).model_dump())


def parked(row: Record, reason: WaitReason, until: datetime | None, stage: Stage, now: datetime) -> Record:
    """The document waits; without `until`, nobody can say for how long."""
    waiting = {"for": reason, "since": stamp(now), "until": until and stamp(until), "stage": stage}
    return row.to(Status.PARKED, now, waiting=Waiting.model_validate(waiting).model_dump(by_alias=True))


def resumed(row: Record, status: Status, now: datetime) -> Record:
    """A parked document goes on; any other is as it was."""
    return row.to(status, now) if row.status is Status.PARKED else row


def removed(row: Record, now: datetime, expires_at: int) -> Record:
    """A tombstone: nothing stands at the key; the row is deleted at `expires_at`, epoch seconds."""
    return row.to(Status.REMOVED, now, expires_at=expires_at)


def decided(row: Record, category: str, who: str, now: datetime) -> Record:
    """A person's word, whatever stood there before."""
    return row.model_copy(update={"status": Status.DONE}).to(
        Status.DONE,
        now,
        category=category,
        tier=Tier.HUMAN,
        reviewed_by=who[:200],
        reviewed_at=stamp(now),
        error=None,
    )


def explain(error: DocumentError) -> RowError:
    """The row's account of an error: plain words and the next step."""
    known = EXPLANATIONS[error.code]
    return RowError(
        code=error.code,
        message=known.message,
        next_step=known.next_step,
        retryable=known.retryable,
        detail=error.detail[:300] or None,
    )


def text_of(row: Record, saved: str) -> Text:
    """A saved text with the coverage that its row states; of that nothing was sent yet."""
    stated = row.coverage or Coverage()
    return Text(
        media_type=row.media_type or "text/plain", body=(saved,), coverage=replace(stated, chars_sent=0)
    )


def touched(row: Record, now: datetime) -> Record:
    """The row with the time of its last change."""
    return row.model_copy(update={"updated_at": stamp(now)})
