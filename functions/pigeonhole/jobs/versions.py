"""Which version of a document has its row, and what a task makes of a job (pure).

Uploads of one key are ordered by their sequencers, and runs of one upload by their numbers: an older event
never changes a newer row. A row that a person has decided is never changed by a model.
"""

from __future__ import annotations

from datetime import datetime

from pigeonhole.domain.document import Stage, Tier
from pigeonhole.domain.record import Record
from pigeonhole.domain.row_attributes import OUTCOMES, Status
from pigeonhole.domain.upload import Upload
from pigeonhole.jobs import transitions
from pigeonhole.jobs.job import Job, Lease, Task


def is_overtaken(job: Job, row: Record | None) -> bool:
    """Whether the row belongs to a newer event, a higher run, a person's word or a removal."""
    if row is None or row.sequencer < job.upload.sequencer:
        return False
    is_decided = row.run > job.task.run or row.tier is Tier.HUMAN or row.status is Status.REMOVED
    return is_decided or not row.is_of(job.upload)


def shown_row(job: Job, row: Record | None) -> Record | None:
    """What the row becomes with this job; None when it stays as it is.

    A higher run of the same upload leaves the row alone until it has an outcome of its own.
    """
    has_row = row is None or not row.is_of(job.upload) or row.run == job.task.run
    if not has_row and job.draft.status not in OUTCOMES:
        return None
    return None if row and job.draft.with_revision(row.revision) == row else job.draft


def under_newer_event(job: Job, row: Record | None, upload: Upload, now: datetime) -> Job:
    """The job under an event that makes its version the current one; as it is under any other.

    Where the version still has the row, only the sequencer changes: nothing to publish.
    """
    if upload.sequencer <= job.upload.sequencer:
        return job
    if row is None or not row.is_of(job.upload):
        return transitions.restored(job, upload.sequencer, now)
    return transitions.with_sequencer(job, upload.sequencer)


def claimed(
    job: Job | None, row: Record | None, task: Task, lease: Lease, wake_at: datetime, now: datetime
) -> Job | None:
    """What the task makes of the job; None where nothing is to be written.

    It is under the lease; or superseded; or as it was, under a newer event.

    TryLater while another holds the lease; NeedsIsolationError when the job must not have neighbours.
    """
    if job is None and task.stage is not Stage.TRIAGE:
        return None
    found = job
    job = under_newer_event(job, row, task.upload, now) if job else transitions.new_job(task, row, now)
    if is_overtaken(job, row):
        return None if transitions.is_over(job, task.stage) else transitions.superseded(job)
    if transitions.is_over(job, task.stage):
        return None if job == found else job
    if job.stage is not task.stage:
        return None  # the end of the stage before sends this task again
    transitions.check_lease(job, now, isolated=lease.isolated)
    return transitions.leased(job, lease, wake_at, now)
