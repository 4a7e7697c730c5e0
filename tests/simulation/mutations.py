"""Mistakes that somebody could make, each with the promises of which one has to show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from pigeonhole.domain import outcome_event
from pigeonhole.domain.document import Reply, Stage, TryLater
from pigeonhole.domain.record import Record
from pigeonhole.guards import claude_call, lease, s3_sync
from pigeonhole.jobs import transitions, usage
from pigeonhole.jobs.job import GiveUp
from pigeonhole.money import pricing
from pigeonhole.money.account import Cap
from pigeonhole.pipeline import batch, process, upkeep
from pigeonhole.ports import Answer, Parts, Swap
from tests.support.fakes import FakeLedger

Patch = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Mutation:
    name: str
    make: Patch
    shows: frozenset[str]


def _instead(module: Any, name: str, mistaken: Callable[..., Any]) -> Patch:
    """The function replaced by one that is given the right one first."""
    right = getattr(module, name)
    return lambda monkeypatch: monkeypatch.setattr(module, name, lambda *a, **k: mistaken(right, *a, **k))


def _all(*patches: Patch) -> Patch:
    def make(monkeypatch: pytest.MonkeyPatch) -> None:
        for patch in patches:
            patch(monkeypatch)

    return make


def _no_lease(right: Any, work: Any, now: Any, *, alone: bool) -> None:
    right(replace(work, owner=None), now, alone=True)


def _acknowledges(right: Any, *args: Any) -> list[str]:
    right(*args)
    return []


def _counts_busy(right: Any, work: Any, error: Any, now: Any) -> Any:
    busy = isinstance(error, TryLater) and error.busy
    return replace(work, failures=work.failures + 1) if busy else right(work, error, now)


def _gives_up(right: Any, work: Any, error: Any, now: Any) -> Any:
    return GiveUp("upstream") if work.spent else right(work, error, now)


def _without_people(right: Any, work: Any, row: Any) -> bool:
    return bool(right(work, row and row.model_copy(update={"tier": None})))


def _row_alone(right: Any, document: str, category: str | None, who: str, parts: Parts) -> None:
    """A review that lets the work in flight go on."""
    row = parts.ledger.row(document)
    if row is None or row.tier is None or row.status == "removed":
        raise upkeep.NotAllowedError("no answer")
    parts.ledger.swap(Swap(before=row, after=upkeep._decided(row, "letter", who, parts.clock.now())))


def _every_run(_: Any, work: Any, row: Any) -> Record | None:
    return None if row == work.draft else work.draft


def _by_status(right: Any, record_id: str, old: Any, new: Any) -> Any:
    return None if old.get("status") == new.get("status") else right(record_id, old, new)


def _all_taken(right: Any, told: Any, parts: Parts) -> list[str]:
    right(told, parts)
    return []


def _unreserved(
    _: Any, claim: Any, answer: Answer | None, key: str, need: Any, latest: Any, parts: Parts
) -> Any:
    """A call that is noted on the work alone, so that twins do not hear of it."""
    mine = answer or Answer(team=need.team, key=key, run=claim.work.run)
    reserved = parts.budget.reserve(need, latest)
    about_to = transitions.next_revision(claim.work, transitions.reserved(claim.work, reserved))
    if not parts.ledger.swap(Swap(before=claim.work, after=about_to)):
        raise TryLater("somebody else has it", seconds=1)
    return claude_call._Booked(claim=replace(claim, work=about_to), answer=mine, reserved=reserved)


def _gives_back_what_was_left(right: Any, found: Any, after: Any, row: Any, shown: Any, parts: Parts) -> Any:
    """Whoever takes over believes that the call of the one before was never made."""
    if found and found.reserved and found.owner != after.owner:
        parts.budget.settle(found.reserved, pricing.NOTHING)
    return right(found, after, row, shown, parts)


def _settles_first(right: Any, booked: Any, *args: Any) -> Reply:
    """Everything goes back before the answer is there, whose price is taken then."""
    parts: Parts = args[-1]
    parts.budget.settle(booked.reserved, pricing.NOTHING)
    parts.budget.flush()
    reply: Reply = right(booked, *args)
    parts.budget.settle(booked.reserved, booked.reserved.usd)
    return reply


def _settles_afterwards(right: Any, booked: Any, *args: Any) -> None:
    right(replace(booked, reserved=replace(booked.reserved, usd=pricing.NOTHING)), *args)


def _without_conditions(right: Any, ledger: Any, draw: Any) -> Any:
    endless = Decimal(10**6)
    return right(ledger, replace(draw, cap=Cap(day=endless, month=endless)))


def _books_nothing(right: Any, claim: Any, answer: Any, key: str, need: Any, *args: Any) -> Any:
    """The account is drawn on when the price is known."""
    return right(claim, answer, key, replace(need, usd=pricing.NOTHING), *args)


def _twice(right: Any, *args: Any) -> None:
    right(*args)
    right(*args)


def _of_answers_alone(right: Any, before: Any, after: Any, *args: Any) -> Any:
    return right(before, replace(after, unsettled=before.unsettled if before else ()), *args)


def _kept_once(right: Any, claim: Any, parts: Parts) -> Any:
    """One try to write down what was paid for, and no second."""
    if claim.paid:
        raise TryLater("lost it", seconds=1)
    return right(claim, parts)


def _marks_and_forgets(right: Any, *args: Any, **kwargs: Any) -> Any:
    return replace(right(*args, **kwargs), due=None)


def _marks_first(_: Any, parts: Parts) -> int:
    """A sweep that takes work off the list of what is due, and only then sends it."""
    due = parts.ledger.due(parts.clock.now(), 200)
    for work in due:
        parts.ledger.swap(Swap(before=work, after=transitions.next_revision(work, replace(work, due=None))))
        parts.queues.send(work.order)
    return len(due)


def _hands_over_last(_: Any, claim: Any, record: Record, text: Any, seen: Any, parts: Parts) -> None:
    """A hand-over that marks the stage as over, trusts its message, and only then sends it."""
    now = parts.clock.now()

    def trusting(work: Any) -> Any:
        return replace(transitions.escalated(work, record, seen, eyes=False, due=now), due=None)

    lease.change(claim, trusting, parts)
    parts.queues.send(replace(claim.work.order, stage=Stage.ESCALATION))


def _stays_superseded(right: Any, work: Any, sequencer: str, now: Any) -> Any:
    again = right(work, sequencer, now)
    return replace(again, stage=Stage.ENDED, superseded=True) if work.superseded else again


def _no_asking_s3(right: Any, upload: Any, parts: Parts) -> bool:
    """Every removal is believed, in whatever order it comes."""
    row = parts.ledger.row(upload.document)
    return bool(s3_sync._removed(replace(upload, sequencer=upload.sequencer or "0" * 64), row, parts))


def _long_ago(right: Any, work: Any, **kwargs: Any) -> Any:
    return right(work, **kwargs | {"until": kwargs["now"] - timedelta(seconds=1)})


def _shows(*names: str) -> frozenset[str]:
    return frozenset(names)


MUTATIONS = (
    Mutation(
        "writes without comparing",
        _instead(FakeLedger, "_same", lambda right, *args: True),
        _shows("stale", "stuck", "lost", "double_paid_outside_window"),
    ),
    Mutation(
        "skips the lease check",
        _all(_instead(transitions, "check_free", _no_lease), _instead(claude_call, "_book", _unreserved)),
        _shows("double_paid_outside_window"),
    ),
    Mutation("acknowledges early", _instead(batch, "settle", _acknowledges), _shows("lost", "stuck")),
    Mutation(
        "ignores the sequencer", _instead(transitions, "is_overtaken", lambda *args: False), _shows("stale")
    ),
    Mutation(
        "counts throttles as attempts",
        _all(_instead(transitions, "counted", _counts_busy), _instead(transitions, "aftermath", _gives_up)),
        _shows("lost"),
    ),
    Mutation("marks before it sends", _instead(upkeep, "sweep", _marks_first), _shows("lost", "stuck")),
    Mutation(
        "marks before it hands over",
        _instead(process, "_hand_over", _hands_over_last),
        _shows("lost", "stuck"),
    ),
    Mutation(
        "parks and forgets", _instead(transitions, "parked", _marks_and_forgets), _shows("lost", "stuck")
    ),
    Mutation(
        "gives back without a due time",
        _all(_instead(transitions, "put_back", _marks_and_forgets), _instead(batch, "settle", _acknowledges)),
        _shows("lost", "stuck"),
    ),
    Mutation(
        "asks without reserving the answer",
        _instead(claude_call, "_book", _unreserved),
        _shows("double_paid_outside_window"),
    ),
    Mutation(
        "tries only once to write down what was paid for",
        _instead(lease, "keep", _kept_once),
        _shows("double_paid_outside_window"),
    ),
    Mutation(
        "goes on after a person's word",
        _all(_instead(transitions, "is_overtaken", _without_people), _instead(upkeep, "review", _row_alone)),
        _shows("stale"),
    ),
    Mutation("shows a run before its outcome", _instead(transitions, "shown", _every_run), _shows("stale")),
    Mutation(
        "publishes by status alone", _instead(outcome_event, "of", _by_status), _shows("events_missing")
    ),
    Mutation(
        "publishes without a look at what was refused",
        _instead(upkeep, "publish", _all_taken),
        _shows("events_missing"),
    ),
    Mutation(
        "leaves a superseded version superseded",
        _all(
            _instead(transitions, "renewed", lambda right, work, row, upload, now: work),
            _instead(transitions, "reopened", _stays_superseded),
        ),
        _shows("stale", "lost"),
    ),
    Mutation(
        "believes an upload that comes after an expiry",
        _instead(lease, "_may_have_expired", lambda right, order, row: False),
        _shows("stale"),
    ),
    Mutation(
        "believes a removal without asking S3", _instead(process, "follow", _no_asking_s3), _shows("stale")
    ),
    Mutation(
        "gives back what was set aside when the lease ends",
        _instead(lease, "_written", _gives_back_what_was_left),
        _shows("miscounted", "over_cap"),
    ),
    Mutation(
        "takes what may have been billed for free",
        _instead(
            claude_call,
            "_let_go",
            lambda right, booked, parts, *, is_free: right(booked, parts, is_free=True),
        ),
        _shows("miscounted", "over_cap"),
    ),
    Mutation(
        "settles before the answer",
        _all(
            _instead(claude_call, "_called", _settles_first),
            _instead(claude_call, "_account_for", _settles_afterwards),
        ),
        _shows("miscounted", "over_cap"),
    ),
    Mutation("draws whatever the cap", _instead(FakeLedger, "draw", _without_conditions), _shows("over_cap")),
    Mutation("draws after the call", _instead(claude_call, "_book", _books_nothing), _shows("over_cap")),
    Mutation(
        "gives back twice", _instead(claude_call, "_account_for", _twice), _shows("miscounted", "over_cap")
    ),
    Mutation(
        "leaves what was set aside on the work",
        _instead(transitions, "written_off", lambda right, work: work),
        _shows("stuck"),
    ),
    Mutation(
        "counts no call whose answer never came",
        _instead(usage, "told", _of_answers_alone),
        _shows("miscounted"),
    ),
)
