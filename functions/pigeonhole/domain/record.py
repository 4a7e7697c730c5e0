"""The public row, and how it changes: typed methods, each from one row to the next (pure)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pigeonhole.domain.document import Analysis, Coverage, FetchedObject, Stage, Text, Tier, Usage
from pigeonhole.domain.error_codes import EXPLANATIONS
from pigeonhole.domain.errors import DocumentError, WaitReason
from pigeonhole.domain.policy import Reason
from pigeonhole.domain.row_attributes import (
    OUTCOMES,
    PUBLISHED,
    TRANSITIONS,
    RowAttributes,
    RowError,
    Status,
    Waiting,
)
from pigeonhole.domain.upload import Upload

# With these issues no category of the taxonomy is meant.
_NO_CATEGORY = frozenset({Reason.UNREADABLE, Reason.NONE_OF_THESE})


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC with exactly milliseconds, so that stamps sort as text."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Record(RowAttributes):
    """One document as its readers see it; an attribute that has no value is absent."""

    @classmethod
    def new(cls, upload: Upload, run: int, now: datetime) -> Record:
        """The row of an upload that is being worked on."""
        return cls(
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

    def is_of(self, upload: Upload) -> bool:
        """Whether this row is about that very upload; a removed one is about its removal."""
        same = (self.version_id, self.sequencer) == (upload.version_id, upload.sequencer)
        return same and self.status is not Status.REMOVED

    def row(self) -> dict[str, Any]:
        """The attributes that have a value, under their public names, as plain Python values."""
        return self.model_dump(by_alias=True, exclude_none=True)

    def to(self, status: Status, now: datetime, **changes: Any) -> Record:
        """This record with its next status; a status that may not follow is a ValueError."""
        if status not in TRANSITIONS[self.status]:
            raise ValueError(f"{status} cannot follow {self.status}")
        fields: dict[str, Any] = {"status": status, "updated_at": stamp(now), "waiting": None}
        if status in OUTCOMES:
            fields["processed_at"] = stamp(now)
        changed = Record.model_validate(self.model_dump(by_alias=True) | fields | changes)
        return changed.with_new_outcome_id() if status in PUBLISHED else changed

    def with_new_outcome_id(self) -> Record:
        """This record as one to be published: with an outcome_id that no earlier state of it had."""
        state = (self.document, self.version_id, self.sequencer, self.run, self.status, self.updated_at)
        name = hashlib.sha256("\n".join(map(str, state)).encode()).hexdigest()[:32]
        return self.model_copy(update={"outcome_id": name})

    def with_extraction(self, fetched: FetchedObject, text: Text, text_uri: str | None) -> Record:
        """The row with what is known once the document is read."""
        return self.model_copy(
            update={
                "etag": fetched.etag or self.etag,
                "size_bytes": fetched.size_bytes,
                "sha256": fetched.sha256,
                "content_type": fetched.content_type and fetched.content_type[:200],
                "media_type": text.media_type,
                "coverage": text.coverage,
                "text_uri": text_uri,
            }
        )

    def with_answer(self, tier: Tier, model: str, analysis: Analysis, coverage: Coverage) -> Record:
        """The row with a model's answer in place of an earlier one."""
        return self.model_copy(
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

    def with_versions(self, prompt_version: str, taxonomy_version: str) -> Record:
        """The row with the instructions under which its answer was given."""
        return self.model_copy(
            update={"prompt_version": prompt_version, "taxonomy_version": taxonomy_version}
        )

    def with_coverage(self, coverage: Coverage) -> Record:
        """The row with what was read, and what of it was sent."""
        return self.model_copy(update={"coverage": coverage})

    def with_cost(self, model: str, usage: Usage, usd: Decimal) -> Record:
        """The row with one more call on its bill, in US dollars."""
        before = self.usage or {}
        used = {**before, model: before.get(model, Usage()) + usage} if usage != Usage() else self.usage
        return self.model_copy(update={"usage": used, "cost_usd": (self.cost_usd or Decimal(0)) + usd})

    def with_unsettled(self, more_usd: Decimal) -> Record:
        """The row with what calls without an answer may have cost: so many US dollars more, or fewer."""
        return self.model_copy(
            update={"unsettled_usd": ((self.unsettled_usd or Decimal(0)) + more_usd) or None}
        )

    def with_bill_of(self, other: Record) -> Record:
        """The row with the other's usage and cost: both are about one upload."""
        bill = {"usage": other.usage, "cost_usd": other.cost_usd, "unsettled_usd": other.unsettled_usd}
        return self.model_copy(update=bill)

    def with_sequencer(self, sequencer: str) -> Record:
        """The row under a newer event that changes nothing else."""
        return self.model_copy(update={"sequencer": sequencer})

    def with_attempts(self, attempts: int) -> Record:
        """The row with how many attempts its last stage took."""
        return self.model_copy(update={"attempts": attempts})

    def with_revision(self, revision: int) -> Record:
        """The row as it is written: each write has a revision of its own."""
        return self.model_copy(update={"revision": revision})

    def republished(self, now: datetime) -> Record:
        """The same outcome, to be published once more: its version is the current one again."""
        return self.model_copy(update={"updated_at": stamp(now)}).with_new_outcome_id()

    def done(self, now: datetime) -> Record:
        """The answer stands."""
        return self.to(Status.DONE, now)

    def for_review(self, reasons: Sequence[Reason], now: datetime) -> Record:
        """A person has to look at the answer, for these reasons."""
        return self.to(Status.NEEDS_REVIEW, now, review_reasons=tuple(reasons))

    def escalated(self, reasons: Sequence[Reason], now: datetime) -> Record:
        """The next tier is to be asked, for these reasons; the answer so far stays and says whose it is."""
        if self.status is Status.ESCALATED:
            return self.model_copy(update={"escalation_reasons": tuple(reasons), "updated_at": stamp(now)})
        return self.to(Status.ESCALATED, now, escalation_reasons=tuple(reasons))

    def failed(self, error: DocumentError, now: datetime) -> Record:
        """Nothing can be said about the document."""
        return self.to(Status.FAILED, now, error=explain(error).model_dump())

    def undecided(self, error: DocumentError, now: datetime) -> Record:
        """The second opinion failed: the answer so far stays, a person decides."""
        return self.to(
            Status.NEEDS_REVIEW, now, review_reasons=(error.code,), error=explain(error).model_dump()
        )

    def parked(self, reason: WaitReason, until: datetime | None, stage: Stage, now: datetime) -> Record:
        """The document waits; `until` is None where the end is not known."""
        waiting = {"for": reason, "since": stamp(now), "until": until and stamp(until), "stage": stage}
        return self.to(Status.PARKED, now, waiting=Waiting.model_validate(waiting).model_dump(by_alias=True))

    def resumed(self, status: Status, now: datetime) -> Record:
        """A parked document goes on; any other is as it was."""
        return self.to(status, now) if self.status is Status.PARKED else self

    def removed(self, now: datetime, expires_at: int) -> Record:
        """A tombstone: nothing stands at the key; the row is deleted at `expires_at`, epoch seconds."""
        return self.to(Status.REMOVED, now, expires_at=expires_at)

    def decided(self, category: str, who: str, now: datetime) -> Record:
        """A person's word, whatever stood there before."""
        return self.model_copy(update={"status": Status.DONE}).to(
            Status.DONE,
            now,
            category=category,
            tier=Tier.HUMAN,
            reviewed_by=who[:200],
            reviewed_at=stamp(now),
            error=None,
        )

    def text_of(self, saved: str) -> Text:
        """A saved text with the coverage that its row states; of that nothing was sent yet."""
        stated = self.coverage or Coverage()
        return Text(
            media_type=self.media_type or "text/plain", body=(saved,), coverage=replace(stated, chars_sent=0)
        )

    def touched(self, now: datetime) -> Record:
        """The row with the time of its last change."""
        return self.model_copy(update={"updated_at": stamp(now)})


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
