"""The moves of a job: who may work on it, what counts as an attempt, and what each event makes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from pigeonhole.domain.document import Stage, Tier, Usage
from pigeonhole.domain.errors import TryLater, WaitReason
from pigeonhole.domain.record import Record, stamp
from pigeonhole.domain.row_attributes import Status
from pigeonhole.jobs import transitions
from pigeonhole.jobs.job import (
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
from tests.support.builders import job, record, reply, upload
from tests.support.fakes import START
from tests.unit.jobs.replies import MODELS, interpreted

FIRST, SECOND = upload(order=1), upload(version="v2", order=2)
AGAIN = "2".ljust(64, "0")
LATER = START + timedelta(hours=1)
PROCESSING = record(status=Status.PROCESSING)
PARK = Park(WaitReason.CLAUDE, None)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def leased(of: Job | None = None, seconds: float = 0, *, isolated: bool = False) -> Job:
    """The job under somebody's lease for 105 seconds."""
    lease = Lease(owner="somebody", until=at(seconds + 105), isolated=isolated)
    return transitions.leased(of or job(), lease, at(825), at(seconds))


def crashed(times: int) -> Job:
    """A job whose owners never came back: the first time among others, then in isolation."""
    left = leased()
    for number in range(1, times):
        left = leased(left, number * 200, isolated=True)
    return left


def reservation(owner: str = "somebody", tier: Tier = Tier.FAST) -> Reservation:
    return Reservation(
        usd=Decimal("0.5"),
        day=date(2026, 11, 22),
        accounts=("stack",),
        model=MODELS[tier],
        tier=tier,
        by=owner,
    )


# Over, free, leased.


@pytest.mark.parametrize(
    ("stage", "asked", "over"),
    [
        (Stage.TRIAGE, Stage.TRIAGE, False),
        (Stage.TRIAGE, Stage.ESCALATION, False),
        (Stage.ESCALATION, Stage.TRIAGE, True),
        (Stage.ESCALATION, Stage.ESCALATION, False),
        (Stage.ENDED, Stage.TRIAGE, True),
        (Stage.ENDED, Stage.ESCALATION, True),
    ],
)
def test_a_stage_is_over_when_the_job_is_beyond_it(stage, asked, over):
    assert transitions.is_over(job(stage=stage), asked) is over


def test_a_job_that_was_never_begun_begins_with_triage_alone():
    assert not transitions.is_over(None, Stage.TRIAGE)
    assert transitions.is_over(None, Stage.ESCALATION)


def test_a_lease_holds_until_it_expires_and_says_when_to_come_back():
    with pytest.raises(TryLater) as exc_info:
        transitions.check_lease(leased(), at(5), isolated=True)

    assert exc_info.value.seconds == 101
    assert transitions.is_leased(leased(), at(104))
    assert not transitions.is_leased(leased(), at(105))
    assert not transitions.is_leased(job(), START)
    transitions.check_lease(leased(), at(105), isolated=True)


@pytest.mark.parametrize(
    "left", [crashed(1), replace(crashed(2), lease=None)], ids=["left behind", "crashed before"]
)
def test_what_has_crashed_before_works_in_isolation(left):
    with pytest.raises(NeedsIsolationError):
        transitions.check_lease(left, at(1000), isolated=False)
    transitions.check_lease(left, at(1000), isolated=True)


def test_a_requeued_job_has_not_crashed():
    again = leased(transitions.requeued(leased(), at(10)), 20)

    assert (again.attempts.crashes, again.attempts.requeues) == (0, 1)
    transitions.check_lease(transitions.requeued(leased(), at(10)), at(11), isolated=False)


def test_the_first_crash_counts_and_after_it_only_those_in_isolation():
    among_others = leased(leased(), 200)
    assert among_others.attempts.crashes == 1
    again_among_others = leased(among_others, 400)
    assert again_among_others.attempts.crashes == 1
    isolated = leased(leased(among_others, 400, isolated=True), 600, isolated=True)
    assert isolated.attempts.crashes == 2


def test_a_crash_after_the_reply_was_written_down_is_none():
    left = transitions.with_reply(leased(), interpreted(), None)

    transitions.check_lease(left, at(200), isolated=False)
    assert leased(left, 200).attempts.crashes == 0


def test_a_crash_after_the_first_reply_counts_at_the_second_stage():
    said = interpreted()
    replies = {Tier.FAST: RecordedReply(reply=said.reply, signals=said.signals)}
    hard = leased(job(stage=Stage.ESCALATION, replies=replies, draft=record(status=Status.ESCALATED)))

    assert leased(hard, 200).attempts.crashes == 1


def test_a_lease_that_expired_in_a_call_leaves_the_call_unsettled():
    left = transitions.with_reservation(leased(), reservation())
    again = leased(left, 200)

    assert (again.charges.reserved, again.charges.unsettled) == (None, (reservation(),))
    assert again.draft.unsettled_usd == Decimal("0.5")


# Released, parked, resumed.


def test_a_released_job_has_no_attempt_more_unless_its_calls_reply_could_not_be_written_down():
    idle = transitions.released(leased(job(requeues=2)), LATER)
    calling = transitions.released(transitions.with_reservation(leased(), reservation()), LATER)

    assert (idle.lease, idle.wake_at, idle.attempts) == (None, LATER, Attempts(requeues=2))
    assert calling.attempts == Attempts(billed_failures=1)
    assert calling.charges.unsettled == (reservation(),)


def test_a_parked_job_says_what_it_waits_for_and_has_its_requeues_again():
    parked = transitions.parked(leased(job(requeues=5)), Park(WaitReason.CLAUDE, at(3600)), START, at(3600))

    assert (parked.lease, parked.attempts.requeues, parked.wake_at) == (None, 0, at(3600))
    assert parked.draft.status is Status.PARKED
    assert parked.draft.outcome_id
    assert parked.draft.row()["waiting"] == {
        "for": "claude",
        "since": "2026-11-22T12:00:00.000Z",
        "until": "2026-11-22T13:00:00.000Z",
        "stage": "triage",
    }


def test_parking_without_an_end_names_none():
    waiting = transitions.parked(leased(), Park(WaitReason.CREDENTIALS, None), START, at(900)).draft.waiting

    assert waiting
    assert waiting.until is None


@pytest.mark.parametrize(
    ("stage", "status"), [(Stage.TRIAGE, Status.PROCESSING), (Stage.ESCALATION, Status.ESCALATED)]
)
def test_what_was_parked_goes_on_where_it_was(stage, status):
    before = leased(job(stage=stage, draft=record(status=status)))
    again = leased(transitions.parked(before, PARK, START, at(900)), 900)

    assert (again.draft.status, again.draft.waiting) == (status, None)


def test_a_job_over_a_cap_waits_for_its_money_until_its_task_is_sent():
    wait = CapWait(account="stack", usd=Decimal("0.5"))
    parked = transitions.parked(leased(), Park(WaitReason.SPEND_CAP, LATER, wait), START, LATER)
    resumed = transitions.resumed(parked, at(9000))

    assert parked.charges.over_cap == wait
    assert (resumed.charges.over_cap, resumed.wake_at) == (None, at(9000))
    assert leased(parked, 3600).charges.over_cap is None


# Onward.


def test_the_first_reply_of_a_tier_stays():
    once = transitions.with_reply(job(), interpreted(reply(title="first")), None)

    assert transitions.with_reply(once, interpreted(reply(title="second")), None) == once


def test_a_reply_is_recorded_with_what_the_policy_saw_in_it_and_is_on_the_bill():
    said = interpreted(reply(confidence=40))
    after = transitions.with_reply(job(), said, None)

    assert after.replies == {Tier.FAST: RecordedReply(reply=said.reply, signals=said.signals)}
    assert after.replies[Tier.FAST].signals.confidence == 40
    assert after.draft.usage == {MODELS[Tier.FAST]: Usage(input_tokens=1000, output_tokens=100)}
    assert after.draft.cost_usd == Decimal("0.00015")


def test_the_attempts_of_the_second_stage_count_afresh():
    tired = leased(job(crashes=1, billed_failures=1, throttles=19, throttled_since=START, requeues=5))
    tired = transitions.with_reply(tired, interpreted(), None)
    onward = transitions.escalated(tired, record(status=Status.ESCALATED), needs_vision=True, wake_at=at(9))

    assert (onward.stage, onward.needs_vision, onward.lease, onward.wake_at) == (
        Stage.ESCALATION,
        True,
        None,
        at(9),
    )
    assert onward.attempts == Attempts()
    assert onward.replies == tired.replies


def test_an_ended_job_is_nobodys_and_never_due():
    over = transitions.ended(leased(), record())

    assert (over.stage, over.lease, over.wake_at, over.draft) == (Stage.ENDED, None, None, record())


def test_an_ended_job_keeps_what_the_policy_saw_in_each_reply():
    fast, strong = interpreted(reply(confidence=1)), interpreted(tier=Tier.STRONG)
    hard = job(stage=Stage.ESCALATION, draft=record(status=Status.ESCALATED))
    before = transitions.with_reply(transitions.with_reply(hard, fast, None), strong, None)
    signals = {tier: each.signals for tier, each in transitions.ended(before, record()).replies.items()}

    assert signals == {Tier.FAST: fast.signals, Tier.STRONG: strong.signals}


@pytest.mark.parametrize(("crashes", "failures", "attempts"), [(0, 0, 1), (1, 1, 3), (3, 0, 3), (9, 9, 3)])
def test_an_outcome_says_how_many_attempts_its_last_stage_took(crashes, failures, attempts):
    over = transitions.ended(job(crashes=crashes, billed_failures=failures), record())

    assert over.draft.attempts == attempts


def test_an_outcome_is_as_new_as_the_job_and_has_its_bill():
    stale = record()
    before = transitions.with_reply(transitions.with_sequencer(leased(), AGAIN), interpreted(), None)
    over = transitions.ended(before, stale)

    assert (over.draft.sequencer, over.draft.cost_usd) == (AGAIN, Decimal("0.00015"))
    assert over.draft.usage == before.draft.usage


def test_a_job_that_goes_on_is_of_the_same_run_and_still_forced():
    begun = job(upload(), run=3, forced=True)
    onward = transitions.escalated(begun, record(status=Status.ESCALATED), needs_vision=False, wake_at=LATER)

    assert onward.task == Task(upload=upload(), run=3, stage=Stage.ESCALATION, forced=True)


# Begun.


def test_a_higher_run_goes_on_with_the_bill_of_the_upload():
    usage = {"claude-haiku-5-5": Usage(input_tokens=7)}
    row = record(usage={"claude-haiku-5-5": {"input_tokens": 7}}, cost_usd=Decimal("0.5"), title="old")
    draft = transitions.new_job(Task(upload=FIRST, run=2), row, START).draft

    assert (draft.usage, draft.cost_usd, draft.title, draft.run) == (usage, Decimal("0.5"), None, 2)


def test_a_newer_upload_begins_with_no_cost():
    row = record(cost_usd=Decimal("0.5"))

    assert transitions.new_job(Task(upload=SECOND), row, START).draft.cost_usd is None


def test_a_forced_task_begins_a_forced_job():
    assert transitions.new_job(Task(upload=FIRST, forced=True), None, START).task.forced


def test_every_job_begins_with_triage():
    assert transitions.new_job(Task(upload=FIRST, stage=Stage.ESCALATION), None, START).stage is Stage.TRIAGE


# Superseded, and current again.


def test_a_superseded_job_has_ended_without_an_outcome():
    over = transitions.superseded(job(owner="somebody", until=LATER, wake_at=LATER))

    assert (over.stage, over.superseded, over.lease, over.wake_at) == (Stage.ENDED, True, None, None)
    assert over.draft == PROCESSING


def test_an_outcome_that_is_current_again_is_published_again():
    done = transitions.ended(job(), record(category="invoice"))
    again = transitions.restored(done, AGAIN, LATER)

    assert (again.stage, again.upload.sequencer, again.wake_at) == (Stage.ENDED, AGAIN, None)
    assert (again.draft.status, again.draft.category, again.draft.sequencer) == (
        Status.DONE,
        "invoice",
        AGAIN,
    )
    assert again.draft.outcome_id not in (None, done.draft.outcome_id)
    assert again.draft.updated_at == stamp(LATER)


def test_a_superseded_job_that_is_current_again_begins_again_with_what_was_paid_for():
    said = interpreted()
    over = transitions.superseded(transitions.with_reply(job(crashes=2, requeues=3), said, None))
    again = transitions.restored(over, AGAIN, LATER)

    assert (again.stage, again.superseded, again.wake_at) == (Stage.TRIAGE, False, LATER)
    assert again.attempts == Attempts()
    assert again.replies == {Tier.FAST: RecordedReply(reply=said.reply, signals=said.signals)}
    begun = Record.new(replace(FIRST, sequencer=AGAIN), 1, LATER)
    assert again.draft == begun.with_bill_of(over.draft)
    assert again.draft.cost_usd == said.cost.usd


def test_an_escalation_that_is_current_again_goes_on_at_its_stage():
    draft = record(status=Status.ESCALATED)
    hard = job(stage=Stage.ESCALATION, draft=draft, owner="somebody", until=LATER, billed_failures=2)
    again = transitions.restored(hard, AGAIN, LATER)

    assert (again.stage, again.lease, again.attempts.billed_failures, again.wake_at) == (
        Stage.ESCALATION,
        None,
        0,
        LATER,
    )
    assert (again.draft.status, again.draft.sequencer) == (Status.ESCALATED, AGAIN)
