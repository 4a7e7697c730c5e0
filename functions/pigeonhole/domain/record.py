"""The public row, schema 1: what readers of the documents table may rely on, and how it may change."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from pigeonhole.domain.document import Coverage, Upload, Usage
from pigeonhole.domain.error_codes import EXPLANATIONS


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

# What a change of `outcome_id` tells the world about.
TOLD = OUTCOMES | {Status.PARKED}

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


class Read(_Part):
    """What was read of what there was, and what was sent to the model that answered.

    `pages_as_images` were looked at instead of read; `cut` names the limits that left something out.
    """

    pages_total: int | None = None
    pages_read: int | None = None
    pages_as_images: tuple[int, ...] = ()
    chars_total: int | None = None
    chars_read: int = 0
    chars_sent: int = 0
    truncated: bool = False
    cut: tuple[str, ...] = ()
    parts_failed: int = 0


class Tokens(_Part):
    """Tokens billed by one model, by kind."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0


class Error(_Part):
    """Why there is no answer, or no second one; `code` is one of errors.py's table."""

    code: str
    message: str
    next_step: str
    retryable: bool
    detail: Annotated[str, Field(max_length=300)] | None = None


class Waiting(_Part):
    """What a parked document waits for, at which stage; `until` is absent when nobody can say."""

    reason: Literal["spend_cap", "capacity", "claude", "credentials"] = Field(alias="for")
    since: Stamp
    until: Stamp | None = None
    stage: str


class Record(_Part):
    """One document as its readers see it; an attribute that has no value is absent."""

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
    tier: Literal["fast", "strong", "human"] | None = None
    model: str | None = None
    prompt_version: str | None = None
    taxonomy_version: str | None = None
    run: int = 1
    escalation_reasons: tuple[str, ...] | None = None
    review_reasons: tuple[str, ...] | None = None
    coverage: Read | None = None
    text_uri: str | None = None
    usage: dict[str, Tokens] | None = None
    cost_usd: Number | None = None
    unsettled_usd: Number | None = None
    error: Error | None = None
    waiting: Waiting | None = None
    reviewed_by: Annotated[str, Field(max_length=200)] | None = None
    reviewed_at: Stamp | None = None
    attempts: int | None = None
    processed_at: Stamp | None = None
    updated_at: Stamp
    expires_at: int | None = None

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
        return changed.told() if status in TOLD else changed

    def told(self) -> Record:
        """This record as news: with an outcome_id that no earlier state of the document had."""
        parts = (self.document, self.version_id, self.sequencer, self.run, self.status, self.updated_at)
        name = hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]
        return self.model_copy(update={"outcome_id": name})


def begun(upload: Upload, run: int, now: datetime) -> Record:
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


def explain(code: str, detail: str = "") -> Error:
    """The row's account of an error: plain words and the next step."""
    said = EXPLANATIONS[code]
    return Error(
        code=code,
        message=said.message,
        next_step=said.next_step,
        retryable=said.retryable,
        detail=detail[:300] or None,
    )


def read(coverage: Coverage) -> Read:
    """The coverage as the row shows it."""
    return Read(**{name: getattr(coverage, name) for name in Read.model_fields})


def tokens(usage: Usage) -> Tokens:
    """The usage as the row shows it."""
    return Tokens(**{name: getattr(usage, name) for name in Tokens.model_fields})
