"""The lifecycle of a job as a state machine: pure, so that any history can be played.

Theory of operation
-------------------
A job stands at a stage and is moved by events. `LIFECYCLE` is the whole machine: from a stage and an event to
the next stage; an event that a stage does not list cannot happen there (IllegalTransitionError). Each
function of transitions.py is one event: it takes the job as it is and returns it as it shall be. None
writes: guards/claimed_job.py does, under the condition that neither the job nor the row has changed since
they were read (compare-and-swap), and asks again where they have.

The rules, each with its reason:

- Ask whether the stage is over before asking who has the lease: a duplicate of a finished task is a no-op,
  also while another invocation holds the lease.
- A lease that expired without a reply is a crashed attempt: a function that lived would have given it back.
  After the first crash the job works in isolation, and only crashes in isolation count further, since the
  first may have been a neighbour's fault.
- Whatever a call may have cost is written down before the call is made (`reserved`), and stays on the bill at
  its full price (`unsettled`) until its reply is there.
- The first recorded reply of a tier is kept; a second one, of an invocation whose lease had expired, only
  adds to the bill.
- A stage that ends gives the next one a clean slate of attempts. An escalation never ends in `failed`: the
  answer of the tier before it stands, and a person decides.
- A job that something newer has overtaken ends as `superseded`, and costs nothing further; when its version
  is the current one again, it is restored with its outcome, or reopened without one.
- An open job always has a time at which sweep looks after it (`wake_at`): a lost message is found by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pigeonhole.domain.document import Stage


class Event(StrEnum):
    """What can happen to a job."""

    CLAIM = "claim"  # a function takes the lease
    REPLY = "reply"  # a reply that was paid for is written down
    REQUEUE = "requeue"  # its message comes again, after a backoff
    RELEASE = "release"  # it is given back after a mistake of ours
    PARK = "park"  # its message ends; it waits for money, for Claude or for a person
    RESUME = "resume"  # sweep has sent its task again
    ACCEPT = "accept"  # the answer stands
    ESCALATE = "escalate"  # the next tier is to be asked
    REVIEW = "review"  # it is left to a person
    FAIL = "fail"  # nothing can be said about the document
    SUPERSEDE = "supersede"  # something newer has the row
    RESTORE = "restore"  # its version is current again, and it has an outcome
    REOPEN = "reopen"  # its version is current again, and it has none
    DECIDE = "decide"  # a person says what the document is


_TRIAGE, _ESCALATION, _FINAL, _ENDED = Stage.TRIAGE, Stage.ESCALATION, Stage.FINAL, Stage.ENDED
_WHILE_OPEN = (Event.CLAIM, Event.REPLY, Event.REQUEUE, Event.RELEASE, Event.PARK, Event.RESUME, Event.REOPEN)
_ENDING = (Event.ACCEPT, Event.REVIEW, Event.SUPERSEDE, Event.DECIDE)

_TABLE: Mapping[Stage, Mapping[Event, Stage]] = {
    _TRIAGE: {
        **dict.fromkeys(_WHILE_OPEN, _TRIAGE),
        **dict.fromkeys(_ENDING, _ENDED),
        Event.ESCALATE: _ESCALATION,
        Event.FAIL: _ENDED,
    },
    _ESCALATION: {
        **dict.fromkeys(_WHILE_OPEN, _ESCALATION),
        **dict.fromkeys(_ENDING, _ENDED),
        Event.ESCALATE: _FINAL,
    },
    _FINAL: {
        **dict.fromkeys(_WHILE_OPEN, _FINAL),
        **dict.fromkeys(_ENDING, _ENDED),
    },
    _ENDED: {
        Event.REPLY: _ENDED,  # of an invocation that has lost its lease
        Event.RESTORE: _ENDED,
        Event.REOPEN: _TRIAGE,
        Event.DECIDE: _ENDED,
    },
}


class IllegalTransitionError(ValueError):
    """An event that cannot happen at the job's stage: our own mistake."""


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The state machine: from a stage and an event to the next stage."""

    table: Mapping[Stage, Mapping[Event, Stage]]

    def after(self, stage: Stage, event: Event) -> Stage:
        """Where the event leads from this stage. IllegalTransitionError."""
        try:
            return self.table[stage][event]
        except KeyError:
            raise IllegalTransitionError(f"{event} cannot happen at stage {stage}") from None


LIFECYCLE = Lifecycle(_TABLE)
