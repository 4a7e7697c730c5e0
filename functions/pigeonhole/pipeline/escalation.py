"""The second opinion on a hard case: claim, take the saved text, ask the strong model, judge."""

from __future__ import annotations

from pigeonhole.claude.tiers import Tiers
from pigeonhole.domain.policy import Accept, Escalate, Review, judge
from pigeonhole.guards.lease import Invocation
from pigeonhole.jobs.job import Task
from pigeonhole.jobs.reply import with_answer
from pigeonhole.pipeline.triage import Flow


def escalate(task: Task, invocation: Invocation, flow: Flow, tiers: Tiers) -> None:
    """The second pass, as triage but for where the text comes from.

    TryLater when the message has to come again; NeedsIsolationError when in this very invocation.
    """
    tier = tiers[task.stage]
    claimed = flow.leases.claim(task, invocation, seconds=tier.timeout)
    if claimed is None:
        return  # done already, or something newer has the row
    with flow.leases.settling(claimed):
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
