"""The lifecycle of a job as one table: what may happen at which stage, and where it leads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from pigeonhole.domain.document import Stage
from pigeonhole.domain.errors import DocumentError, WaitReason
from pigeonhole.domain.row_attributes import Status
from pigeonhole.jobs import transitions
from pigeonhole.jobs.job import Job, Lease, Park
from pigeonhole.jobs.lifecycle import LIFECYCLE, Event, IllegalTransitionError, Lifecycle
from tests.support.builders import job, record
from tests.support.fakes import START
from tests.unit.jobs.replies import interpreted

AGAIN = "2".ljust(64, "0")
LATER = START + timedelta(hours=1)
PROCESSING = record(status=Status.PROCESSING)
PARK = Park(WaitReason.CLAUDE, None)
LEASE = Lease(owner="somebody", until=LATER)

_DRAFTS = {
    Stage.TRIAGE: PROCESSING,
    Stage.ESCALATION: record(status=Status.ESCALATED),
    Stage.FINAL: record(status=Status.ESCALATED),
    Stage.ENDED: record(),
}


def standing(stage: Stage) -> Job:
    """A job at that stage: ended, it has an outcome."""
    return job(stage=stage, draft=_DRAFTS[stage])


def with_outcome(of: Job) -> Job:
    """An open job never has an outcome: only one that has could be restored."""
    return replace(of, draft=record())


def without_outcome(of: Job) -> Job:
    return replace(of, superseded=of.stage is Stage.ENDED)


# The function of each event, with what it needs of the job.
MOVES: dict[Event, Callable[[Job], Job]] = {
    Event.CLAIM: lambda of: transitions.leased(of, LEASE, LATER, START),
    Event.REPLY: lambda of: transitions.with_reply(of, interpreted(), None),
    Event.REQUEUE: lambda of: transitions.requeued(of, LATER),
    Event.RELEASE: lambda of: transitions.released(of, LATER),
    Event.PARK: lambda of: transitions.parked(of, PARK, START, LATER),
    Event.RESUME: lambda of: transitions.resumed(of, LATER),
    Event.ACCEPT: lambda of: transitions.ended(of, record()),
    Event.ESCALATE: lambda of: transitions.escalated(
        of, record(status=Status.ESCALATED), needs_vision=False, wake_at=LATER
    ),
    Event.REVIEW: lambda of: transitions.ended(of, record(status=Status.NEEDS_REVIEW)),
    Event.FAIL: lambda of: transitions.ended(of, record(status=Status.FAILED)),
    Event.SUPERSEDE: transitions.superseded,
    Event.RESTORE: lambda of: transitions.restored(with_outcome(of), AGAIN, LATER),
    Event.REOPEN: lambda of: transitions.restored(without_outcome(of), AGAIN, LATER),
    Event.DECIDE: lambda of: transitions.decided(of, record(category="letter", tier="human")),
}

LISTED = [(stage, event) for stage, events in LIFECYCLE.table.items() for event in events]
NOT_LISTED = [each for each in product(Stage, Event) if each not in LISTED]


def test_every_stage_and_every_event_has_its_place_in_the_table():
    assert LIFECYCLE.table.keys() == set(Stage)
    assert {event for _, event in LISTED} == MOVES.keys() == set(Event)


@pytest.mark.parametrize(("stage", "event"), LISTED, ids=str)
def test_a_listed_event_leads_where_the_table_says(stage, event):
    assert LIFECYCLE.after(stage, event) is LIFECYCLE.table[stage][event]
    assert MOVES[event](standing(stage)).stage is LIFECYCLE.table[stage][event]


@pytest.mark.parametrize(("stage", "event"), LISTED, ids=str)
def test_every_listed_event_is_what_its_function_goes_by(stage, event, monkeypatch):
    without_it = {each: to for each, to in LIFECYCLE.table[stage].items() if each is not event}
    monkeypatch.setattr(transitions, "LIFECYCLE", Lifecycle({**LIFECYCLE.table, stage: without_it}))

    with pytest.raises(IllegalTransitionError, match=f"^{event} cannot happen at stage {stage}$"):
        MOVES[event](standing(stage))


@pytest.mark.parametrize(("stage", "event"), NOT_LISTED, ids=str)
def test_an_event_that_a_stage_does_not_list_cannot_happen_there(stage, event):
    for move in (lambda: LIFECYCLE.after(stage, event), lambda: MOVES[event](standing(stage))):
        with pytest.raises(IllegalTransitionError, match=f"^{event} cannot happen at stage {stage}$"):
            move()


def test_an_escalation_cannot_fail():
    hard = standing(Stage.ESCALATION)
    # Not by way of the row's own rules, which would refuse it too: failed as triage fails.
    failed = PROCESSING.failed(DocumentError("corrupt"), START)

    with pytest.raises(IllegalTransitionError):
        transitions.ended(hard, failed)
    with pytest.raises(ValueError, match="failed cannot follow escalated"):
        hard.draft.failed(DocumentError("corrupt"), START)


@pytest.mark.parametrize("stage", list(Stage), ids=str)
def test_a_stage_is_never_gone_back_to_but_by_a_version_that_is_current_again(stage):
    order = list(Stage)
    back = {event for event, to in LIFECYCLE.table[stage].items() if order.index(to) < order.index(stage)}

    assert back <= {Event.REOPEN}


def test_a_persons_word_on_a_superseded_job_is_what_comes_back_with_its_version():
    decided = transitions.decided(transitions.superseded(job()), record(category="letter", tier="human"))
    again = transitions.restored(decided, AGAIN, LATER)

    assert (again.stage, again.superseded, again.draft.category) == (Stage.ENDED, False, "letter")
