"""Taking work, changing it and giving it back: each step of steps.py is one compare-and-swap."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from pigeonhole.domain.document import Defect, DocumentError, Reply, Stage, StopAll, Tier, TryLater
from pigeonhole.domain.policy import Signals
from pigeonhole.domain.record import Record, Status
from pigeonhole.guards import row_updates
from pigeonhole.guards.s3_sync import follow
from pigeonhole.guards.telemetry import tallies, tell
from pigeonhole.jobs import transitions
from pigeonhole.jobs.job import GiveUp, Order, Park, PutBack, Work
from pigeonhole.ports import Answer, Parts, Swap

# A lease outlives the invocation a little, so that nobody begins while its last write is on the way.
_LEASE_GRACE = timedelta(seconds=5)
_PARKED_CHECK = timedelta(minutes=15)
_SWAPS = 6
# What was paid for is worth more patience.
_PAID_SWAPS = 10
_CONTENTION_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Shift:
    """One invocation: when its last step must be over, and whether this document has it to itself."""

    deadline: datetime
    alone: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Paid:
    """A reply that is written down nowhere yet: its tier, the work as it was last written, and the answer
    row that is ours to fill; None where the reply came out of one."""

    reply: Reply
    tier: Tier
    before: Work
    answer: Answer | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """Work in our hands, with the row as it was when the work was last written.

    The work is as it was written too, but for the reply in `paid`, which the next change writes with it.
    """

    work: Work
    row: Record | None
    paid: Paid | None = None


class LostError(Exception):
    """Something newer has the row, or somebody else the work: there is nothing left for us to do."""


def handle(order: Order, step: Callable[[Claim, Parts, Shift], None], parts: Parts, shift: Shift) -> None:
    """Claim the work and do the step; what stands in its way is counted, and put back, parked or final.

    TryLater when the order must come again; WorkAloneError when it must come again in this invocation.
    """
    claim = take(order, parts, shift)
    if claim is None:
        return
    try:
        if claim.work.spent:
            give_up(claim, DocumentError(claim.work.spent), parts)
        else:
            step(claim, parts, shift)
    except LostError:
        parts.journal.note("overtaken", document=order.upload.document, version_id=order.upload.version_id)
    except (TryLater, StopAll) as error:
        _settle(claim, error, parts)
    except Defect:
        # Our mistake, not the document's: no attempt is counted that cost nothing, and a person mends it.
        due = parts.clock.now() + _PARKED_CHECK + parts.rules.visibility[order.stage]
        with suppress(LostError, TryLater, Defect):
            change(claim, lambda work: transitions.given_back(work, due), parts)
        raise


def take(order: Order, parts: Parts, shift: Shift) -> Claim | None:
    """The work in our hands; None when the stage is over, or something newer has the row."""
    now, owner = parts.clock.now(), parts.chance.token()
    until = shift.deadline + _LEASE_GRACE
    due = until + parts.rules.visibility[order.stage]
    for attempt in range(_SWAPS):
        # Most often it is the first that anybody hears of the document: that is tried without a look.
        is_guess = attempt == 0 and order.stage is Stage.TRIAGE and order.run == 1
        found, row = (None, None) if is_guess else parts.ledger.state(order.upload, order.run)
        if _may_have_expired(order, row) and follow(order.upload, parts):
            continue
        after = transitions.claimed(
            found, row, order, now, owner=owner, until=until, alone=shift.alone, due=due
        )
        if after is None:
            return None
        shown = None if transitions.is_overtaken(after, row) else transitions.shown(after, row)
        if claim := _written(found, after, row, shown, parts):
            return claim if after.owner == owner else None
    raise TryLater("others are changing the same work", seconds=_CONTENTION_SECONDS)


def change(claim: Claim, step: Callable[[Work], Work], parts: Parts) -> Claim:
    """The claim after one more step, shown in the row where it has the row. LostError; TryLater."""
    if claim.paid:
        with suppress(TryLater):
            if changed := _changed(claim, step, parts):
                return changed
        paid, claim = claim.paid, keep(claim, parts)
        if claim.work.replies[paid.tier] != paid.reply:
            raise TryLater("another answer had come before", seconds=1)  # the outcome is that one's
    for _ in range(_SWAPS):
        if changed := _changed(claim, step, parts):
            return changed
        work, row = _again(claim, parts)
        claim = Claim(work=work, row=row)
    raise TryLater("others are changing the same work", seconds=_CONTENTION_SECONDS)


def keep(claim: Claim, parts: Parts) -> Claim:
    """The claim with its reply written down, whoever has the work by now. LostError if that is not us.

    A busy table is no reason to lose what was paid for: wait a little, and try again.
    """
    paid, owner = claim.paid, claim.work.owner
    if paid is None:
        return claim
    found, answer = paid.before, paid.answer
    for attempt in range(_PAID_SWAPS):
        after = transitions.replied(found, paid.tier, paid.reply, owner)
        try:
            if kept := _written(found, after, claim.row, None, parts, replace(paid, answer=answer)):
                break
            found = parts.ledger.work(found.upload, found.run) or found
            answer = _still_ours(answer, parts) if answer else None
        except TryLater:
            parts.clock.wait(min(0.05 * 2**attempt, 1.0))
    else:
        raise TryLater("what was paid for could not be written down", seconds=2, billed=True)
    if kept.work.owner != owner:
        raise LostError
    return kept


def _still_ours(answer: Answer, parts: Parts) -> Answer | None:
    """The answer row as it is now; None when somebody has asked since, whose answer is the newer one."""
    now = parts.ledger.answer(answer.team, answer.key)
    return now if now and now.owner == answer.owner else None


@contextmanager
def kept(claim: Claim, parts: Parts) -> Iterator[None]:
    """Whatever goes wrong in here, what was paid for is written down."""
    try:
        yield
    except (LostError, TryLater):
        raise  # by a change, which has seen to it
    except Exception:
        with suppress(LostError, TryLater, Defect):
            keep(claim, parts)
        raise


def close(
    claim: Claim, record: Record, parts: Parts, seen: Mapping[Tier, Signals] = MappingProxyType({})
) -> None:
    """The end: the outcome is written, and said."""
    change(claim, lambda work: transitions.ended(work, record, seen), parts)
    tell(record, parts)


def give_up(claim: Claim, error: DocumentError, parts: Parts, known: Record | None = None) -> None:
    """The end without an answer: `failed`, or on escalation the fast answer for a person to decide."""
    work = claim.work
    end = row_updates.failed if work.stage is Stage.TRIAGE else row_updates.undecided
    paid = row_updates.charged(known or work.draft, work.replies.get(transitions.TIERS[work.stage]))
    close(claim, end(paid, error, parts.clock.now()), parts)


def _settle(claim: Claim, error: TryLater | StopAll, parts: Parts) -> None:
    """Count what happened; then put back (by TryLater), park, or let it be enough.

    Not written down, it would count as a crash: a busy table is asked again.
    """
    for attempt in range(_SWAPS):
        try:
            verdict = _after(claim, error, parts)
            break
        except LostError:
            return
        except TryLater:
            parts.clock.wait(min(0.05 * 2**attempt, 1.0))
    else:
        raise TryLater("what happened could not be written down", seconds=_CONTENTION_SECONDS) from error
    if isinstance(verdict, PutBack) and isinstance(error, TryLater):
        raise TryLater(error.reason, seconds=verdict.seconds) from error


def _after(claim: Claim, error: TryLater | StopAll, parts: Parts) -> GiveUp | Park | PutBack:
    """What becomes of the work, written down."""
    now = parts.clock.now()
    work, row = _again(claim, parts)
    claim = Claim(work=work, row=row)
    verdict = transitions.aftermath(transitions.counted(work, error, now), error, now)
    match verdict:
        case GiveUp(code):
            give_up(claim, DocumentError(code), parts)
        case Park() as park:
            # Sweep asks the gate, which a person may open before its time; an end of caps it knows.
            due = park.until if park.over_cap and park.until else now + _PARKED_CHECK
            claim = change(
                claim,
                lambda work: transitions.parked(transitions.counted(work, error, now), park, now, due),
                parts,
            )
            tell(claim.work.draft, parts)
            if park.over_cap:
                parts.journal.count("OverCap")
        case PutBack(seconds):
            longest = transitions.LONGEST_PUT_BACK.total_seconds()
            verdict = PutBack(min(parts.chance.jitter(seconds), longest))
            due = now + timedelta(seconds=verdict.seconds) + parts.rules.visibility[work.stage]
            change(
                claim, lambda work: transitions.put_back(transitions.counted(work, error, now), due), parts
            )
    return verdict


def _may_have_expired(order: Order, row: Record | None) -> bool:
    """An expiry has no sequencer: the upload that seems to come after one may well be what has expired."""
    is_after = row is not None and row.sequencer < order.upload.sequencer
    return is_after and row is not None and row.status is Status.REMOVED


def _again(claim: Claim, parts: Parts) -> tuple[Work, Record | None]:
    """The work and the row as they stand now, if the work is still ours."""
    work, row = parts.ledger.state(claim.work.upload, claim.work.run)
    if work is None or work.owner != claim.work.owner:
        raise LostError
    return work, row


def _changed(claim: Claim, step: Callable[[Work], Work], parts: Parts) -> Claim | None:
    """The claim after the step; None when the work or the row has changed since it was read. LostError."""
    after = step(claim.work)
    overtaken = transitions.is_overtaken(after, claim.row)
    if overtaken:
        after = transitions.superseded(claim.work)
    found = claim.paid.before if claim.paid else claim.work
    shown = None if overtaken else transitions.shown(after, claim.row)
    changed = _written(found, after, claim.row, shown, parts, claim.paid)
    if changed and overtaken:
        raise LostError
    return changed


def _written(
    found: Work | None,
    after: Work,
    row: Record | None,
    shown: Record | None,
    parts: Parts,
    paid: Paid | None = None,
) -> Claim | None:
    """The claim as written, all at once; None when anything has changed since it was read."""
    next_work = transitions.next_revision(found, after)
    swaps = [Swap(before=found, after=next_work)]
    if shown:
        swaps.append(Swap(before=row, after=shown))
    if paid and paid.answer:
        mine = paid.answer
        filled = replace(mine, rev=mine.rev + 1, owner=None, run=after.run, reply=paid.reply)
        swaps.append(Swap(before=mine, after=filled))
    if not parts.ledger.swap(*swaps, tallies=tallies(found, after, parts)):
        return None
    return Claim(work=next_work, row=shown or row)
