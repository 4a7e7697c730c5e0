"""The first pass: claim, read, ask the fast model, judge; then done, escalated, or in review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from pigeonhole.claude.tiers import Tiers
from pigeonhole.domain.document import Stage, Text
from pigeonhole.domain.policy import Accept, Escalate, Reason, Review, judge
from pigeonhole.domain.record import Record
from pigeonhole.guards.claimed_job import ClaimedJob
from pigeonhole.guards.claude_call import ClaudeCalls
from pigeonhole.guards.lease import Invocation, Leases
from pigeonhole.guards.telemetry import log_outcome
from pigeonhole.jobs import transitions
from pigeonhole.jobs.job import Task
from pigeonhole.jobs.reply import with_answer
from pigeonhole.pipeline.reading import Documents
from pigeonhole.ports import Queues, System


class Escalations:
    """Hands hard cases over to the next tier."""

    def __init__(self, queues: Queues, system: System, visibility: Mapping[Stage, timedelta]) -> None:
        self._queues = queues
        self._system = system
        self._visibility = visibility

    def hand_over(self, claimed: ClaimedJob, row: Record, reasons: tuple[Reason, ...], text: Text) -> None:
        """Marked first, with what was paid for, and sent after: the ledger is the outbox, sweep its relay."""
        now = self._system.clock.now()
        wake_at = now + 2 * self._visibility[Stage.ESCALATION]
        row = row.escalated(reasons, now)
        claimed.commit(
            lambda job: transitions.escalated(job, row, needs_vision=bool(text.images), wake_at=wake_at)
        )
        log_outcome(row, self._system.telemetry)
        self._queues.send(claimed.job.task)


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """What a pass over a document works with."""

    leases: Leases
    documents: Documents
    claude: ClaudeCalls
    escalations: Escalations


def triage(task: Task, invocation: Invocation, flow: Flow, tiers: Tiers) -> None:
    """The first pass. What is raised on the way becomes a requeue, a parking or a failure.

    TryLater when the message has to come again; NeedsIsolationError when in this very invocation.
    """
    tier = tiers[task.stage]
    claimed = flow.leases.claim(task, invocation, seconds=tier.timeout)
    if claimed is None:
        return  # done already, or something newer has the row
    with flow.leases.handling_failures(claimed):
        text = flow.documents.read(claimed, tier, invocation)
        reply = flow.claude.ask(claimed, text, tier, invocation)
        row = with_answer(claimed.draft, reply)
        match judge(reply.signals, tier.thresholds, tier.escalates_for):
            case Accept():
                claimed.complete(row.done(claimed.now))
            case Escalate(reasons):
                flow.escalations.hand_over(claimed, row, reasons, text)
            case Review(reasons):
                claimed.complete(row.for_review(reasons, claimed.now))
