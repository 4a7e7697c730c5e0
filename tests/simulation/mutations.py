"""Mistakes that somebody could make, each with the promises of which one has to show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from infra.ops import operations
from pigeonhole.domain import outcome_event
from pigeonhole.domain.document import Reply, Stage
from pigeonhole.domain.errors import RetryCause, TryLater
from pigeonhole.domain.record import Record
from pigeonhole.guards import claimed_job, lease
from pigeonhole.guards.claimed_job import ClaimedJob
from pigeonhole.guards.claude_call import ClaudeCalls, _ReservedCall
from pigeonhole.guards.s3_sync import S3Sync
from pigeonhole.jobs import retry, transitions, versions
from pigeonhole.jobs.job import GiveUp
from pigeonhole.jobs.stored import AnyWrite, CachedReply, Write
from pigeonhole.money.account import Cap
from pigeonhole.pipeline import batch, publish, sweep
from pigeonhole.pipeline.triage import Escalations
from tests.support.fakes import FakeStore

Patch = Callable[[pytest.MonkeyPatch], None]
_NOTHING = Decimal(0)


@dataclass(frozen=True)
class Mutation:
    name: str
    make: Patch
    shows: frozenset[str]


def _instead(owner: Any, name: str, mistaken: Callable[..., Any]) -> Patch:
    """The function or method replaced by one that is given the right one first."""
    right = getattr(owner, name)
    return lambda monkeypatch: monkeypatch.setattr(owner, name, lambda *a, **k: mistaken(right, *a, **k))


def _all(*patches: Patch) -> Patch:
    def make(monkeypatch: pytest.MonkeyPatch) -> None:
        for patch in patches:
            patch(monkeypatch)

    return make


def _no_lease(right: Any, job: Any, now: Any, *, isolated: bool) -> None:
    right(replace(job, lease=None), now, isolated=True)


def _acknowledges(right: Any, *args: Any) -> list[str]:
    right(*args)
    return []


def _counts_throttles(right: Any, job: Any, error: Any, now: Any) -> Any:
    if not (isinstance(error, TryLater) and error.cause is RetryCause.THROTTLED):
        return right(job, error, now)
    attempts = replace(job.attempts, billed_failures=job.attempts.billed_failures + 1)
    return replace(job, attempts=attempts)


def _gives_up(right: Any, job: Any, error: Any, now: Any) -> Any:
    return GiveUp(job.attempts.exhausted_as) if job.attempts.exhausted_as else right(job, error, now)


def _without_people(right: Any, job: Any, row: Any) -> bool:
    return bool(right(job, row and row.model_copy(update={"tier": None})))


def _row_alone(right: Any, document: str, category: str | None, who: str, ports: Any, taxonomy: Any) -> None:
    """A review that lets the job in flight go on."""
    row = ports.jobs.row(document)
    if row is None or row.tier is None or row.status == "removed":
        raise operations.NotAllowedError("no answer")
    decided = row.decided("letter", who, ports.system.clock.now())
    ports.jobs.commit(Write.of(row, decided))


def _every_run(_: Any, job: Any, row: Any) -> Record | None:
    same = row and job.draft.with_revision(row.revision) == row
    return None if same else job.draft


def _by_status(right: Any, record_id: str, old: Any, new: Any) -> Any:
    return None if old.get("status") == new.get("status") else right(record_id, old, new)


def _all_taken(right: Any, events: Any, bus: Any) -> list[str]:
    right(events, bus)
    return []


def _unreserved(
    right: Any, calls: Any, claimed: Any, estimate: Any, question: Any, cached: CachedReply | None
) -> Any:
    """A call that is noted on the job alone, so that identical requests do not hear of it."""
    job = claimed.job
    mine = cached or CachedReply(team=estimate.team, key=question.key, run=job.task.run)
    reservation = calls._budget.reserve(estimate, question.latest)
    about_to = Write.of(job, transitions.with_reservation(job, reservation)).after
    if not calls._ledger.commit(Write(before=job, after=about_to)):
        raise TryLater("somebody else has it", seconds=1)
    claimed.job = about_to
    return _ReservedCall(before=about_to, cached=mine, reservation=reservation)


def _refunds_what_was_left(right: Any, store: Any, *writes: AnyWrite, **kwargs: Any) -> Any:
    """Whoever takes over believes that the call of the one before was never made."""
    for each in writes:
        before: Any = each.before
        after: Any = each.after
        if hasattr(before, "charges") and before.charges.reserved and before.owner != after.owner:
            reserved = before.charges.reserved
            for account in reserved.accounts:
                store.refund(account, reserved.day, reserved.usd)
    return right(store, *writes, **kwargs)


def _settles_first(right: Any, calls: Any, call: Any, *args: Any) -> Reply:
    """Everything goes back before the answer is there, whose price is taken then."""
    calls._budget.settle(call.reservation, _NOTHING)
    calls._budget.refund_unspent()
    reply: Reply = right(calls, call, *args)
    calls._budget.settle(call.reservation, call.reservation.usd)
    return reply


def _settles_afterwards(right: Any, calls: Any, reservation: Any, *args: Any) -> None:
    right(calls, replace(reservation, usd=_NOTHING), *args)


def _without_conditions(right: Any, store: Any, withdrawal: Any) -> Any:
    endless = Decimal(10**6)
    return right(store, replace(withdrawal, cap=Cap(day=endless, month=endless)))


def _reserves_nothing(right: Any, calls: Any, claimed: Any, estimate: Any, *args: Any) -> Any:
    """The account is drawn on when the price is known."""
    return right(calls, claimed, replace(estimate, usd=_NOTHING), *args)


def _twice(right: Any, *args: Any) -> None:
    right(*args)
    right(*args)


def _of_answers_alone(right: Any, before: Any, after: Any, *args: Any) -> Any:
    unsettled = before.charges.unsettled if before else ()
    return right(before, replace(after, charges=replace(after.charges, unsettled=unsettled)), *args)


def _saved_once(right: Any, claimed: Any) -> Any:
    """One try to write down what was paid for, and no second."""
    if claimed.unsaved:
        raise TryLater("lost it", seconds=1)
    return right(claimed)


def _without_waking(right: Any, *args: Any, **kwargs: Any) -> Any:
    return replace(right(*args, **kwargs), wake_at=None)


def _marks_first(_: Any, ports: Any, visibility: Any) -> int:
    """A sweep that takes jobs off the list of what is due, and only then sends them."""
    due = ports.jobs.due_jobs(ports.clock.now(), 200)
    for job in due:
        ports.jobs.commit(Write.of(job, replace(job, wake_at=None)))
        ports.queues.send(job.task)
    return len(due)


def _hands_over_last(_: Any, escalations: Any, claimed: Any, row: Record, reasons: Any, text: Any) -> None:
    """A hand-over that marks the stage as over, trusts its message, and only then sends it."""
    now = claimed.now
    hard = row.escalated(reasons, now)

    def trusting(job: Any) -> Any:
        return replace(transitions.escalated(job, hard, needs_vision=False, wake_at=now), wake_at=None)

    claimed.commit(trusting)
    escalations._queues.send(claimed.job.task)


def _stays_superseded(right: Any, job: Any, sequencer: str, now: Any) -> Any:
    again = right(job, sequencer, now)
    if not job.superseded:
        return again
    return replace(again, task=replace(again.task, stage=Stage.ENDED), superseded=True)


def _no_asking_s3(right: Any, sync: Any, upload: Any) -> bool:
    """Every removal is believed, in whatever order it comes."""
    row = sync._jobs.row(upload.document)
    return bool(sync._remove(replace(upload, sequencer=upload.sequencer or "0" * 64), row))


def _shows(*names: str) -> frozenset[str]:
    return frozenset(names)


MUTATIONS = (
    Mutation(
        "writes without comparing",
        _instead(FakeStore, "_same", lambda right, *args: True),
        _shows("stale", "stuck", "lost", "double_paid_outside_window"),
    ),
    Mutation(
        "skips the lease check",
        _all(_instead(transitions, "check_lease", _no_lease), _instead(ClaudeCalls, "_reserve", _unreserved)),
        _shows("double_paid_outside_window"),
    ),
    Mutation("acknowledges early", _instead(batch, "process_batch", _acknowledges), _shows("lost", "stuck")),
    Mutation(
        "ignores the sequencer", _instead(versions, "is_overtaken", lambda *args: False), _shows("stale")
    ),
    Mutation(
        "counts throttles as attempts",
        _all(_instead(retry, "with_failure", _counts_throttles), _instead(retry, "decide_retry", _gives_up)),
        _shows("lost"),
    ),
    Mutation("marks before it sends", _instead(sweep, "sweep", _marks_first), _shows("lost", "stuck")),
    Mutation(
        "marks before it hands over",
        _instead(Escalations, "hand_over", _hands_over_last),
        _shows("lost", "stuck"),
    ),
    Mutation("parks and forgets", _instead(transitions, "parked", _without_waking), _shows("lost", "stuck")),
    Mutation(
        "requeues without a time to wake",
        _all(
            _instead(transitions, "requeued", _without_waking),
            _instead(batch, "process_batch", _acknowledges),
        ),
        _shows("lost", "stuck"),
    ),
    Mutation(
        "asks without an entry in the cache",
        _instead(ClaudeCalls, "_reserve", _unreserved),
        _shows("double_paid_outside_window"),
    ),
    Mutation(
        "tries only once to save a paid reply",
        _instead(ClaimedJob, "save_reply", _saved_once),
        _shows("double_paid_outside_window"),
    ),
    Mutation(
        "goes on after a person's word",
        _all(_instead(versions, "is_overtaken", _without_people), _instead(operations, "review", _row_alone)),
        _shows("stale"),
    ),
    Mutation("shows a run before its outcome", _instead(versions, "shown_row", _every_run), _shows("stale")),
    Mutation(
        "publishes by status alone", _instead(outcome_event, "of", _by_status), _shows("events_missing")
    ),
    Mutation(
        "publishes without a look at what was refused",
        _instead(publish, "publish", _all_taken),
        _shows("events_missing"),
    ),
    Mutation(
        "leaves a superseded version superseded",
        _all(
            _instead(versions, "under_newer_event", lambda right, job, row, upload, now: job),
            _instead(transitions, "restored", _stays_superseded),
        ),
        _shows("stale", "lost"),
    ),
    Mutation(
        "believes an upload that comes after an expiry",
        _instead(lease, "_may_have_expired", lambda right, task, row: False),
        _shows("stale"),
    ),
    Mutation(
        "believes a removal without asking S3", _instead(S3Sync, "sync", _no_asking_s3), _shows("stale")
    ),
    Mutation(
        "refunds what was reserved when the lease ends",
        _instead(FakeStore, "commit", _refunds_what_was_left),
        _shows("miscounted", "over_cap"),
    ),
    Mutation(
        "takes what may have been billed for free",
        _instead(
            ClaudeCalls,
            "_release",
            lambda right, calls, call, *, is_free: right(calls, call, is_free=True),
        ),
        _shows("miscounted", "over_cap"),
    ),
    Mutation(
        "settles before the answer",
        _all(
            _instead(ClaudeCalls, "_call", _settles_first),
            _instead(ClaudeCalls, "_account_for", _settles_afterwards),
        ),
        _shows("miscounted", "over_cap"),
    ),
    Mutation(
        "withdraws whatever the cap", _instead(FakeStore, "withdraw", _without_conditions), _shows("over_cap")
    ),
    Mutation(
        "withdraws after the call", _instead(ClaudeCalls, "_reserve", _reserves_nothing), _shows("over_cap")
    ),
    Mutation(
        "refunds twice", _instead(ClaudeCalls, "_account_for", _twice), _shows("miscounted", "over_cap")
    ),
    Mutation(
        "leaves a reservation on the job",
        _instead(transitions, "written_off", lambda right, job: job),
        _shows("stuck"),
    ),
    Mutation(
        "counts no call whose answer never came",
        _instead(claimed_job, "usage_of", _of_answers_alone),
        _shows("miscounted"),
    ),
)
