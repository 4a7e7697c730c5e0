"""The public row, schema 1: what readers of the documents table may rely on, and how it may change."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from pigeonhole.domain.document import Coverage, Tier, Upload, Usage
from pigeonhole.domain.errors import WaitReason


class Status(StrEnum):
    """Where a document stands; the last four are outcomes."""

    PROCESSING = "processing"
    ESCALATED = "escalated"
    PARKED = "parked"
    DONE = "done"
    NEEDS_REVIEW = "needs_review"
    FAILED = "failed"
    REMOVED = "removed"


OUTCOMES = frozenset({Status.DONE, Status.NEEDS_REVIEW, Status.FAILED, Status.REMOVED})

# The statuses for which a new `outcome_id` becomes an event.
PUBLISHED = OUTCOMES | {Status.PARKED}

# From a status to those that may follow it for the same upload and run; a newer upload starts afresh,
# and `done` follows another status with an answer by a person's word.
TRANSITIONS = {
    Status.PROCESSING: frozenset({Status.ESCALATED, Status.PARKED, *OUTCOMES}),
    Status.ESCALATED: frozenset({Status.PARKED, Status.DONE, Status.NEEDS_REVIEW, Status.REMOVED}),
    Status.PARKED: frozenset({Status.PROCESSING, Status.ESCALATED, Status.DONE, Status.REMOVED}),
    Status.DONE: frozenset({Status.DONE, Status.REMOVED}),
    Status.NEEDS_REVIEW: frozenset({Status.DONE, Status.REMOVED}),
    Status.FAILED: frozenset({Status.REMOVED}),
    Status.REMOVED: frozenset[Status](),
}


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC with exactly milliseconds, so that stamps sort as text."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Stamp = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
# A DynamoDB number; in JSON a number too, not a string.
Number = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RowError(_Part):
    """Why there is no answer, or no second one; error_codes.py explains each code."""

    # Not the enumeration: a row of a newer version must still be read after a rollback.

    code: str
    message: str
    next_step: str
    retryable: bool
    detail: Annotated[str, Field(max_length=300)] | None = None


class Waiting(_Part):
    """What a parked document waits for, at which stage; `until` is absent when nobody can say."""

    reason: WaitReason = Field(alias="for")
    since: Stamp
    until: Stamp | None = None
    stage: str


class Record(_Part):
    """One document as its readers see it; an attribute that has no value is absent.

    `revision` grows with each write: a conditional write compares it, and a reader may order copies by it.
    """

    schema_version: Literal[1] = Field(default=1, alias="schema")
    document: str
    bucket: str
    key: str
    version_id: str
    sequencer: str
    etag: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    content_type: Annotated[str, Field(max_length=200)] | None = None
    media_type: str | None = None
    uploaded_at: Stamp
    team: str
    status: Status
    outcome_id: str | None = None
    category: Slug | None = None
    runner_up: Slug | None = None
    confidence: Annotated[Number, Field(ge=0, le=1)] | None = None
    title: Annotated[str, Field(max_length=200)] | None = None
    summary: Annotated[str, Field(max_length=1500)] | None = None
    language: Annotated[str, Field(max_length=20)] | None = None
    keywords: Annotated[tuple[Annotated[str, Field(max_length=50)], ...], Field(max_length=10)] | None = None
    evidence: Annotated[tuple[Annotated[str, Field(max_length=300)], ...], Field(max_length=3)] | None = None
    tier: Tier | None = None
    model: str | None = None
    prompt_version: str | None = None
    taxonomy_version: str | None = None
    run: int = 1
    escalation_reasons: tuple[str, ...] | None = None
    review_reasons: tuple[str, ...] | None = None
    coverage: Coverage | None = None
    text_uri: str | None = None
    usage: dict[str, Usage] | None = None
    cost_usd: Number | None = None
    unsettled_usd: Number | None = None
    error: RowError | None = None
    waiting: Waiting | None = None
    reviewed_by: Annotated[str, Field(max_length=200)] | None = None
    reviewed_at: Stamp | None = None
    attempts: int | None = None
    processed_at: Stamp | None = None
    updated_at: Stamp
    expires_at: int | None = None
    revision: int = 0

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
