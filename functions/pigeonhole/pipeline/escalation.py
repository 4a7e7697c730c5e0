"""Another opinion on a hard case: claim, take the saved text, ask the strong or the final model, judge."""

from __future__ import annotations

from pigeonhole.claude.tiers import Tiers
from pigeonhole.domain.policy import Accept, Escalate, Reason, Review, judge
from pigeonhole.guards.claimed_job import ClaimedJob
from pigeonhole.guards.lease import Invocation
from pigeonhole.jobs.job import Task
from pigeonhole.jobs.reply import with_answer
from pigeonhole.pipeline.triage import Flow


def escalate(task: Task, invocation: Invocation, flow: Flow, tiers: Tiers) -> None:
    """The second pass, or the third, as triage but for where the text comes from.

    TryLater when the message has to come again; NeedsIsolationError when in this very invocation.
    """
    tier = tiers.get(task.stage)
    claimed = flow.leases.claim(task, invocation, seconds=tier.timeout if tier else 0)
    if claimed is None:
        return  # done already, or something newer has the row
    with flow.leases.handling_failures(claimed):
        if tier is None:
            _leave_to_person(claimed)
            return
        text = flow.documents.saved_or_read(claimed, tier, invocation)
        reply = flow.claude.ask(claimed, text, tier, invocation)
        row = with_answer(claimed.draft, reply)
        match judge(reply.signals, tier.thresholds, tier.escalates_for):
            case Accept():
                claimed.complete(row.done(claimed.now))
            case Escalate(reasons):
                flow.escalations.hand_over(claimed, row, reasons, text)
            case Review(reasons):
                claimed.complete(row.for_review(reasons, claimed.now))


def _leave_to_person(claimed: ClaimedJob) -> None:
    """The tier is not configured any more: the answer so far stands, for the reasons of its escalation."""
    reasons = [Reason(each) for each in claimed.draft.escalation_reasons or ()]
    claimed.complete(claimed.draft.for_review(reasons, claimed.now))
