"""Each step that the work on an upload may take: pure, so that any history can be played.

A step takes the work as it is and gives it as it shall be. Whether it may be written is decided where
it is written: neither the work nor the row may have changed since they were read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from pigeonhole.claude import model_catalog
from pigeonhole.domain.document import OverCap, Reply, Stage, StopAll, Tier, TryLater, Upload
from pigeonhole.domain.policy import Signals
from pigeonhole.domain.record import OUTCOMES, Record, Status, Waiting, begun, stamp
from pigeonhole.jobs.job import (
    ATTEMPTS,
    GiveUp,
    Order,
    OverCapBy,
    Park,
    PutBack,
    Reservation,
    Work,
    WorkAloneError,
)
from pigeonhole.money import pricing

REFUSALS = 20
REFUSALS_WITHIN = timedelta(hours=24)
PUT_BACKS = 5
LONGEST_PUT_BACK = timedelta(minutes=15)

TIERS = {Stage.TRIAGE: Tier.FAST, Stage.ESCALATION: Tier.STRONG}
_OPEN = {Stage.TRIAGE: Status.PROCESSING, Stage.ESCALATION: Status.ESCALATED}


def next_revision(found: Work | None, after: Work) -> Work:
    """What is written in place of what was found."""
    return replace(after, rev=found.rev + 1 if found else 1)


def new(order: Order, row: Record | None, now: datetime) -> Work:
    """The work that an order begins; a higher run goes on from what the upload has cost."""
    draft = begun(order.upload, order.run, now)
    if row and row.is_of(order.upload):
        spent = {name: getattr(row, name) for name in ("usage", "cost_usd", "unsettled_usd")}
        draft = draft.model_copy(update=spent)
    return Work(upload=order.upload, run=order.run, stage=Stage.TRIAGE, draft=draft, forced=order.forced)


def is_over(work: Work | None, stage: Stage) -> bool:
    """Whether there is nothing left to do at this stage: asked before who is at it."""
    if work is None:
        return stage is not Stage.TRIAGE
    return work.stage is Stage.ENDED or (work.stage is Stage.ESCALATION and stage is Stage.TRIAGE)


def is_overtaken(work: Work, row: Record | None) -> bool:
    """Whether the row belongs to a newer event, a higher run, a person's word or a removal."""
    if row is None or row.sequencer < work.upload.sequencer:
        return False
    is_final = row.run > work.run or row.tier == "human" or row.status is Status.REMOVED
    return is_final or not row.is_of(work.upload)


def shown(work: Work, row: Record | None) -> Record | None:
    """What the row becomes with this work; None when it stays as it is.

    A higher run of the same upload leaves the row alone until it has an outcome of its own.
    """
    has_row = row is None or not row.is_of(work.upload) or row.run == work.run
    may_show = has_row or work.draft.status in OUTCOMES
    return work.draft if may_show and work.draft != row else None


def renewed(work: Work, row: Record | None, upload: Upload, now: datetime) -> Work:
    """The work under a newer event that makes its version the current one; else as it is.

    Where the version still has the row, only the sequencer changes, which is no news.
    """
    if upload.sequencer <= work.upload.sequencer:
        return work
    if row is None or not row.is_of(work.upload) or row.status is Status.REMOVED:
        return reopened(work, upload.sequencer, now)
    return aged(work, upload.sequencer)


def aged(work: Work, sequencer: str) -> Work:
    """The work as it is, under a newer event that changes nothing else."""
    draft = work.draft.model_copy(update={"sequencer": sequencer})
    return replace(work, upload=replace(work.upload, sequencer=sequencer), draft=draft)


def is_held(work: Work, now: datetime) -> bool:
    """Whether somebody is at it."""
    return bool(work.owner and work.lease_until and work.lease_until > now)


def check_free(work: Work, now: datetime, *, alone: bool) -> None:
    """TryLater while somebody is at it; WorkAloneError when it must not have neighbours."""
    if work.lease_until and is_held(work, now):
        raise TryLater("somebody else is at it", seconds=(work.lease_until - now).total_seconds() + 1)
    if (_has_crashed(work) or work.crashes) and not alone:
        raise WorkAloneError


def claimed(
    found: Work | None,
    row: Record | None,
    order: Order,
    now: datetime,
    *,
    owner: str,
    until: datetime,
    alone: bool,
    due: datetime,
) -> Work | None:
    """What the order makes of the work: it is `owner`'s, or over for all; None where nothing is to be done.

    TryLater while somebody is at it; WorkAloneError when it must not have neighbours.
    """
    if found is None and order.stage is not Stage.TRIAGE:
        return None
    work = renewed(found, row, order.upload, now) if found else new(order, row, now)
    if is_overtaken(work, row):
        return None if is_over(work, order.stage) else superseded(work)
    if is_over(work, order.stage):
        return None if work == found else work
    if work.stage is not order.stage:
        return None  # whoever ends the stage before sends this order again
    check_free(work, now, alone=alone)
    return leased(work, owner=owner, until=until, alone=alone, due=due, now=now)


def leased(work: Work, *, owner: str, until: datetime, alone: bool, due: datetime, now: datetime) -> Work:
    """The work in `owner`'s hands; a lease that its last owner left behind is a crashed attempt.

    The first crash may have been a neighbour's fault: after it only those alone count.
    """
    counts = _has_crashed(work) and (work.alone or not work.crashes)
    work = written_off(work)
    draft = work.draft
    if draft.status is Status.PARKED:
        draft = draft.to(_OPEN[work.stage], now)
    return replace(
        work,
        owner=owner,
        lease_until=until,
        alone=alone,
        crashes=work.crashes + counts,
        due=due,
        draft=draft,
        over_cap=None,
    )


def reserved(work: Work, reservation: Reservation) -> Work:
    """The work with what its call may cost."""
    return replace(work, reserved=reservation)


def released(work: Work) -> Work:
    """The work whose call has surely cost nothing."""
    return replace(work, reserved=None)


def written_off(work: Work) -> Work:
    """The work whose call may have been billed and brought nothing: it counts at its full price."""
    if work.reserved is None:
        return work
    return _owing(replace(work, reserved=None), (*work.unsettled, work.reserved))


def replied(work: Work, tier: Tier, reply: Reply, by: str | None) -> Work:
    """The work with what was paid for; the first reply of a tier stays.

    What `by` had set aside for it is settled, also when somebody has written it off since. A second reply
    is of no use, but was paid for.
    """
    set_aside = [
        each for each in (*work.unsettled, work.reserved) if each and (each.by, each.tier) == (by, tier)
    ]
    if work.reserved in set_aside:
        work = released(work)
    others = tuple(each for each in work.unsettled if each not in set_aside)
    cost = pricing.cost_usd(model_catalog.model(reply.model), reply.usage)
    useless = tuple(replace(each, usd=cost) for each in set_aside) if tier in work.replies else ()
    return replace(_owing(work, others + useless), replies={tier: reply, **work.replies})


def escalated(work: Work, draft: Record, seen: Signals, *, eyes: bool, due: datetime) -> Work:
    """The work at its second stage, whose attempts count afresh; nobody holds it."""
    work = _redrafted(_free(work), draft)
    signals = {**work.signals, Tier.FAST: seen}
    return replace(work, stage=Stage.ESCALATION, signals=signals, eyes=eyes, due=due, **_FRESH)


def ended(work: Work, draft: Record, seen: Mapping[Tier, Signals]) -> Work:
    """The work with its outcome, and how many attempts its last stage took."""
    signals = {**work.signals, **seen}
    draft = draft.model_copy(update={"attempts": min(work.crashes + work.failures + 1, ATTEMPTS)})
    return replace(_redrafted(_free(work), draft), stage=Stage.ENDED, signals=signals, due=None)


def superseded(work: Work) -> Work:
    """The work ends without an outcome, since something newer has the row; a restore opens it again."""
    return replace(_free(work), stage=Stage.ENDED, superseded=True, due=None)


def put_back(work: Work, due: datetime) -> Work:
    """The work in nobody's hands, until its message comes again."""
    return replace(_free(work), put_backs=work.put_backs + 1, due=due)


def given_back(work: Work, due: datetime) -> Work:
    """The work in nobody's hands; on its account only a call whose answer could not be written down."""
    return replace(_free(work), failures=work.failures + (work.reserved is not None), due=due)


def parked(work: Work, park: Park, now: datetime, due: datetime) -> Work:
    """The work without a message: sweep has it from here on."""
    work = _free(work)
    waiting = Waiting.model_validate(
        {
            "for": park.waiting_for,
            "since": stamp(now),
            "until": stamp(park.until) if park.until else None,
            "stage": work.stage,
        }
    )
    draft = work.draft.to(Status.PARKED, now, waiting=waiting.model_dump(by_alias=True))
    return replace(work, draft=draft, put_backs=0, due=due, over_cap=park.over_cap)


def sent_on(work: Work, due: datetime) -> Work:
    """Parked work whose order was sent: if that is lost, it is due again."""
    return replace(work, due=due, over_cap=None)


def reopened(work: Work, sequencer: str, now: datetime) -> Work:
    """The work of a version that is current again: its outcome is news again, or it goes on."""
    work = replace(_free(work), upload=replace(work.upload, sequencer=sequencer))
    draft = work.draft.model_copy(update={"sequencer": sequencer, "updated_at": stamp(now)})
    if work.draft.status in OUTCOMES and not work.superseded:
        return replace(work, draft=draft.told())
    stage = Stage.TRIAGE if work.stage is Stage.ENDED else work.stage
    if stage is Stage.TRIAGE:
        draft = begun(work.upload, work.run, now)
    return replace(_redrafted(work, draft), stage=stage, superseded=False, due=now, **_FRESH)


def counted(work: Work, error: TryLater | StopAll, now: datetime) -> Work:
    """The work with this failure on its account."""
    if isinstance(error, StopAll):
        return work
    if error.billed:
        return replace(work, failures=work.failures + 1)
    if not error.busy:
        return work
    since = work.refused_since
    if since is None or now - since > REFUSALS_WITHIN:
        return replace(work, refusals=1, refused_since=now)
    return replace(work, refusals=work.refusals + 1)


def aftermath(work: Work, error: TryLater | StopAll, now: datetime) -> PutBack | Park | GiveUp:
    """What becomes of work that could not go on, its failure already counted."""
    if isinstance(error, StopAll):
        by = OverCapBy(account=error.account, usd=error.usd) if isinstance(error, OverCap) else None
        return Park(error.waiting_for, error.until, by)
    if error.billed and work.spent:
        return GiveUp("upstream")
    if error.busy and work.refusals >= REFUSALS:
        return GiveUp("upstream")
    if work.put_backs >= PUT_BACKS:
        return Park("capacity", now + LONGEST_PUT_BACK)
    return PutBack(min(error.seconds, LONGEST_PUT_BACK.total_seconds()))


def _has_crashed(work: Work) -> bool:
    """Whether its last owner never gave it back; with the reply written down there is nothing to lose."""
    return work.owner is not None and TIERS.get(work.stage) not in work.replies


def _free(work: Work) -> Work:
    return replace(written_off(work), owner=None, lease_until=None, alone=False, over_cap=None)


def _owing(work: Work, unsettled: tuple[Reservation, ...]) -> Work:
    """The work with other calls unsettled, and its draft with the difference."""
    if unsettled == work.unsettled:
        return work
    more = sum((each.usd for each in unsettled), -sum((each.usd for each in work.unsettled), Decimal(0)))
    owed = (work.draft.unsettled_usd or Decimal(0)) + more
    draft = work.draft.model_copy(update={"unsettled_usd": owed or None})
    return replace(work, unsettled=unsettled, draft=draft)


def _redrafted(work: Work, draft: Record) -> Work:
    """The work with another draft, which is as new as before and owes as much.

    While it was made, an event that changes nothing else may have come, and a call been written off.
    """
    stands = {"sequencer": work.upload.sequencer, "unsettled_usd": work.draft.unsettled_usd}
    return replace(work, draft=draft.model_copy(update=stands))


_FRESH: dict[str, Any] = {"crashes": 0, "failures": 0, "refusals": 0, "refused_since": None, "put_backs": 0}
