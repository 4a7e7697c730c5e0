"""What people may do to a document: have it done again (redrive), or say themselves what it is (review)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pigeonhole.domain.document import Stage, Tier
from pigeonhole.domain.errors import TryLater
from pigeonhole.domain.record import Record
from pigeonhole.domain.row_attributes import Status
from pigeonhole.domain.taxonomy import Taxonomy
from pigeonhole.domain.upload import Upload
from pigeonhole.guards.contention import until_committed
from pigeonhole.guards.telemetry import log_outcome
from pigeonhole.jobs import transitions
from pigeonhole.jobs.job import Job, Task
from pigeonhole.jobs.stored import AnyWrite, Write
from pigeonhole.jobs.usage import UsageLine, usage_of
from pigeonhole.ports import Queues, System
from pigeonhole.stores import JobStore


class NotAllowedError(ValueError):
    """A person asked for what cannot be done to this document; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OperationPorts:
    """What the operations work with."""

    jobs: JobStore
    queues: Queues
    system: System


def redrive(
    row: Record, ports: OperationPorts, visibility: Mapping[Stage, timedelta], *, forced: bool
) -> Job:
    """A new run of a document's current version; its outcome stands until the run has one.

    NotAllowedError; TryLater.
    """
    if row.tier is Tier.HUMAN:
        raise NotAllowedError("a person has decided this document")
    if row.status is Status.REMOVED:
        raise NotAllowedError("the document is removed")
    if row.status is not Status.PARKED and not forced and not _could_succeed(row):
        raise NotAllowedError("the same bytes would end the same way; force it if you know better")
    upload = upload_of(row)
    latest = ports.jobs.latest_job(upload)
    if latest and latest.stage is not Stage.ENDED:
        return _resumed(latest, ports, forced=forced)
    now = ports.system.clock.now()
    task = Task(upload=upload, run=(latest.task.run if latest else row.run) + 1, forced=forced)
    job = replace(transitions.new_job(task, row, now), wake_at=now + visibility[Stage.TRIAGE])
    if not ports.jobs.commit(Write.of(None, job)):
        raise TryLater("somebody else has begun a new run", seconds=2)
    ports.queues.send(task)
    return job


def review(
    document: str, category: str | None, who: str, ports: OperationPorts, taxonomy: Taxonomy
) -> Record:
    """A person's word: the answer stands, or is of another category. It ends all work on the version.

    What was left to a person because no model gave an answer, is what the person says. NotAllowedError;
    TryLater.
    """

    def attempt() -> Record | None:
        row = ports.jobs.row(document)
        if row is None or row.status is Status.REMOVED or not (row.tier or row.status is Status.NEEDS_REVIEW):
            raise NotAllowedError("there is no answer that a person could confirm or change")
        chosen = _checked(category or row.category, taxonomy)
        record = row.decided(chosen, who, ports.system.clock.now())
        writes: list[AnyWrite] = []
        usage: list[UsageLine] = []
        if job := ports.jobs.latest_job(upload_of(row)):
            ended = transitions.decided(job, record)
            record, usage = ended.draft, usage_of(job, ended)
            writes.append(Write.of(job, ended))
        write = Write.of(row, record)
        return write.after if ports.jobs.commit(write, *writes, usage=usage) else None

    record = until_committed(attempt)
    log_outcome(record, ports.system.telemetry)
    return record


def upload_of(row: Record) -> Upload:
    """The upload that a row is about."""
    return Upload(
        bucket=row.bucket,
        key=row.key,
        version_id=row.version_id,
        sequencer=row.sequencer,
        uploaded_at=datetime.fromisoformat(row.uploaded_at),
        size_bytes=row.size_bytes,
        etag=row.etag,
    )


def _resumed(job: Job, ports: OperationPorts, *, forced: bool) -> Job:
    """An open job goes on; forced, it asks afresh where it has not asked yet."""
    if forced and not job.task.forced:
        before, job = job, replace(job, task=replace(job.task, forced=True))
        if not ports.jobs.commit(Write.of(before, job)):
            raise TryLater("lease held by an invocation", seconds=2)
    ports.queues.send(job.task)
    return job


def _checked(category: str | None, taxonomy: Taxonomy) -> str:
    if category is None:
        raise NotAllowedError("it has no category to confirm; name one")
    if category not in taxonomy.slugs:
        known = ", ".join(taxonomy.slugs)
        raise NotAllowedError(f"{category!r} is not a category of the taxonomy; there are {known}")
    return category


def _could_succeed(row: Record) -> bool:
    return row.error is None or row.error.retryable
