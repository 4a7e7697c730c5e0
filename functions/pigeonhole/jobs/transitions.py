"""The events of a job's lifecycle as functions, each from one job to the next (pure; see lifecycle.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from pigeonhole.domain.document import Stage, Tier
from pigeonhole.domain.errors import TryLater
from pigeonhole.domain.record import Record
from pigeonhole.domain.row_attributes import OUTCOMES, Status
from pigeonhole.jobs.job import (
    MAX_ATTEMPTS,
    Attempts,
    CapWait,
    Job,
    Lease,
    NeedsIsolationError,
    Park,
    RecordedReply,
    Reservation,
    Task,
)
from pigeonhole.jobs.lifecycle import LIFECYCLE, Event
from pigeonhole.jobs.reply import InterpretedReply

TIERS: Mapping[Stage, Tier] = {
    Stage.TRIAGE: Tier.FAST,
    Stage.ESCALATION: Tier.STRONG,
    Stage.FINAL: Tier.FINAL,
}
# What a row shows while its job is open and not parked.
_OPEN_STATUS = {
    Stage.TRIAGE: Status.PROCESSING,
    Stage.ESCALATION: Status.ESCALATED,
    Stage.FINAL: Status.ESCALATED,
}
_ORDER = (*TIERS, Stage.ENDED)
_ENDED_BY = {Status.DONE: Event.ACCEPT, Status.NEEDS_REVIEW: Event.REVIEW, Status.FAILED: Event.FAIL}


def new_job(task: Task, row: Record | None, now: datetime) -> Job:
    """The job that a task begins; a higher run of an upload goes on with its bill."""
    draft = Record.new(task.upload, task.run, now)
    if row and row.is_of(task.upload):
        draft = draft.with_bill_of(row)
    return Job(task=replace(task, stage=Stage.TRIAGE), draft=draft)


def is_over(job: Job | None, stage: Stage) -> bool:
    """Whether nothing is left to do at this stage."""
    if job is None:
        return stage is not Stage.TRIAGE
    return job.stage is Stage.ENDED or _ORDER.index(job.stage) > _ORDER.index(stage)


def is_leased(job: Job, now: datetime) -> bool:
    """Whether the job is under a lease that has not expired."""
    return job.lease is not None and job.lease.until > now


def check_lease(job: Job, now: datetime, *, isolated: bool) -> None:
    """TryLater while another holds the lease; NeedsIsolationError when the job must not have neighbours."""
    if job.lease and is_leased(job, now):
        raise TryLater("lease held by another invocation", seconds=_seconds(job.lease, now) + 1)
    if (_has_crashed(job) or job.attempts.crashes) and not isolated:
        raise NeedsIsolationError


def leased(job: Job, lease: Lease, wake_at: datetime, now: datetime) -> Job:
    """CLAIM: the job under a new lease; one that expired without a reply is a crashed attempt."""
    counts = _has_crashed(job) and ((job.lease and job.lease.isolated) or not job.attempts.crashes)
    job = _at(written_off(job), Event.CLAIM)
    return replace(
        job,
        lease=lease,
        attempts=replace(job.attempts, crashes=job.attempts.crashes + bool(counts)),
        charges=replace(job.charges, over_cap=None),
        draft=job.draft.resumed(_OPEN_STATUS[job.stage], now),
        wake_at=wake_at,
    )


def with_reservation(job: Job, reservation: Reservation) -> Job:
    """The job with what its next call may cost."""
    return replace(job, charges=replace(job.charges, reserved=reservation))


def unreserved(job: Job) -> Job:
    """The job whose call has surely cost nothing."""
    return replace(job, charges=replace(job.charges, reserved=None))


def written_off(job: Job) -> Job:
    """The job whose call may have been billed and brought nothing: it counts at its full price."""
    reserved = job.charges.reserved
    if reserved is None:
        return job
    return _with_unsettled(unreserved(job), (*job.charges.unsettled, reserved))


def with_reply(job: Job, interpreted: InterpretedReply, owner: str | None) -> Job:
    """REPLY: the job with what was paid for, also on its draft's bill.

    What `owner` had reserved for it is settled, also when it has been written off since. Where the tier has a
    reply already that one is kept, and the cost of this one is added to what is unsettled.
    """
    tier = interpreted.tier
    charges = (*job.charges.unsettled, *filter(None, [job.charges.reserved]))
    settled = [each for each in charges if (each.by, each.tier) == (owner, tier)]
    job = _at(job, Event.REPLY)
    if job.charges.reserved in settled:
        job = unreserved(job)
    others = tuple(each for each in job.charges.unsettled if each not in settled)
    if tier in job.replies:
        return _with_unsettled(
            job, others + tuple(replace(each, usd=interpreted.cost.usd) for each in settled)
        )
    job, reply = _with_unsettled(job, others), interpreted.reply
    return replace(
        job,
        replies={**job.replies, tier: RecordedReply(reply=reply, signals=interpreted.signals)},
        draft=job.draft.with_cost(reply.model, interpreted.billed_usage, interpreted.cost.usd),
    )


def escalated(job: Job, draft: Record, *, needs_vision: bool, wake_at: datetime) -> Job:
    """ESCALATE: the job at its next stage, whose attempts count afresh; without a lease."""
    job = _at(_with_draft(_released(job), draft), Event.ESCALATE)
    return replace(job, needs_vision=needs_vision, wake_at=wake_at, attempts=Attempts())


def ended(job: Job, draft: Record) -> Job:
    """ACCEPT, REVIEW or FAIL: the job with its outcome, and how many attempts its last stage took."""
    return _ended(job, draft, _ENDED_BY[draft.status])


def decided(job: Job, draft: Record) -> Job:
    """DECIDE: a person's word ends the job, wherever it stands, also one that was superseded."""
    return replace(_ended(job, draft, Event.DECIDE), superseded=False)


def superseded(job: Job) -> Job:
    """SUPERSEDE: it ends without an outcome, since something newer has the row."""
    return replace(_at(_released(job), Event.SUPERSEDE), superseded=True, wake_at=None)


def requeued(job: Job, wake_at: datetime) -> Job:
    """REQUEUE: without a lease until its message comes again."""
    attempts = replace(job.attempts, requeues=job.attempts.requeues + 1)
    return replace(_at(_released(job), Event.REQUEUE), attempts=attempts, wake_at=wake_at)


def released(job: Job, wake_at: datetime) -> Job:
    """RELEASE: without a lease; only a call whose reply could not be written down counts as an attempt."""
    failures = job.attempts.billed_failures + (job.charges.reserved is not None)
    attempts = replace(job.attempts, billed_failures=failures)
    return replace(_at(_released(job), Event.RELEASE), attempts=attempts, wake_at=wake_at)


def parked(job: Job, park: Park, now: datetime, wake_at: datetime) -> Job:
    """PARK: the job has no message any more; sweep has it from here on."""
    job = _at(_released(job), Event.PARK)
    return replace(
        job,
        draft=job.draft.parked(park.waiting_for, park.until, job.stage, now),
        attempts=replace(job.attempts, requeues=0),
        charges=replace(job.charges, over_cap=park.over_cap),
        wake_at=wake_at,
    )


def resumed(job: Job, wake_at: datetime) -> Job:
    """RESUME: its task was sent; if that message is lost, sweep looks after it again at `wake_at`."""
    return with_cap_wait(replace(_at(job, Event.RESUME), wake_at=wake_at), None)


def with_cap_wait(job: Job, over_cap: CapWait | None) -> Job:
    """The job waiting for money, or no longer."""
    return replace(job, charges=replace(job.charges, over_cap=over_cap))


def restored(job: Job, sequencer: str, now: datetime) -> Job:
    """RESTORE or REOPEN: its version is the current one again, by the event with this sequencer."""
    if job.draft.status in OUTCOMES and not job.superseded:
        job = _at(with_sequencer(_released(job), sequencer), Event.RESTORE)
        return replace(job, draft=job.draft.republished(now))
    job = _at(with_sequencer(_released(job), sequencer), Event.REOPEN)
    draft = job.draft.touched(now)
    if job.stage is Stage.TRIAGE:
        draft = Record.new(job.upload, job.task.run, now)
    return replace(_with_draft(job, draft), superseded=False, wake_at=now, attempts=Attempts())


def with_sequencer(job: Job, sequencer: str) -> Job:
    """The job under a newer event that changes nothing else."""
    task = replace(job.task, upload=replace(job.upload, sequencer=sequencer))
    return replace(job, task=task, draft=job.draft.with_sequencer(sequencer))


def _at(job: Job, event: Event) -> Job:
    return replace(job, task=replace(job.task, stage=LIFECYCLE.after(job.stage, event)))


def _ended(job: Job, draft: Record, event: Event) -> Job:
    attempts = min(job.attempts.crashes + job.attempts.billed_failures + 1, MAX_ATTEMPTS)
    job = _at(_with_draft(_released(job), draft.with_attempts(attempts)), event)
    return replace(job, wake_at=None)


def _has_crashed(job: Job) -> bool:
    """Whether its last owner never gave it back; with the reply written down there is nothing to lose."""
    return job.lease is not None and TIERS.get(job.stage) not in job.replies


def _released(job: Job) -> Job:
    return with_cap_wait(replace(written_off(job), lease=None), None)


def _with_unsettled(job: Job, unsettled: tuple[Reservation, ...]) -> Job:
    """The job with other calls unsettled, and its draft with the difference."""
    if unsettled == job.charges.unsettled:
        return job
    more = sum((each.usd for each in unsettled), Decimal(0))
    more -= sum((each.usd for each in job.charges.unsettled), Decimal(0))
    charges = replace(job.charges, unsettled=unsettled)
    return replace(job, charges=charges, draft=job.draft.with_unsettled(more))


def _with_draft(job: Job, draft: Record) -> Job:
    """The job with another draft, which is as new as before and has the same bill.

    While it was made, an event that changes nothing else may have come, and a call been written off.
    """
    same_bill = draft.with_bill_of(job.draft)
    return replace(job, draft=same_bill.with_sequencer(job.draft.sequencer))


def _seconds(lease: Lease, now: datetime) -> float:
    return (lease.until - now).total_seconds()
