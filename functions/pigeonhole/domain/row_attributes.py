"""The attributes of the public row, schema 1: what readers of the documents table may rely on."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from pigeonhole.domain.document import Coverage, Tier, Usage
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
    """What a parked document waits for, at which stage; `until` is absent where the end is not known."""

    reason: WaitReason = Field(alias="for")
    since: Stamp
    until: Stamp | None = None
    stage: str


class RowAttributes(_Part):
    """All attributes of a row.

    `revision` grows with each write, and conditional writes compare it; a row that was deleted, as tombstones
    are in time, begins again at 1.
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
