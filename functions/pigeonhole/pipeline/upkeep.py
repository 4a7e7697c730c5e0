"""What keeps the flow going and what people may do to it: sweep, redrive, review, publish."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from pigeonhole.domain.document import Stage, TryLater, Upload
from pigeonhole.domain.outcome_event import News
from pigeonhole.domain.record import Record, Status, stamp
from pigeonhole.guards.budget import STACK, day_ends, month_ends
from pigeonhole.guards.telemetry import tallies, tell
from pigeonhole.jobs import transitions
from pigeonhole.jobs.job import Order, OverCapBy, Work
from pigeonhole.jobs.usage import Tally
from pigeonhole.ports import Gate, Parts, Swap

# So many a sweep, of each list: ten thousand parked documents go on over some minutes, not all at once.
_AT_ONCE = 1000
_HELD = timedelta(minutes=5)
_SWAPS = 6


class NotAllowedError(ValueError):
    """A person asked for what cannot be done to this document; the message says why."""


def sweep(parts: Parts) -> int:
    """Send what is due once more: parked work that may go on, and work whose message must be gone.

    Sent first and marked after: a second message is a no-op, a lost one would be a lost document.
    """
    now, sent = parts.clock.now(), 0
    gate, rooms = parts.ledger.gate() or Gate(), parts.budget.rooms()
    for work in parts.ledger.due(now, _AT_ONCE):
        # What is held goes to the end of a list, so that it hides nothing that could go on.
        if work.draft.status is Status.PARKED and not _lets_through(gate, now, sent):
            _mark(work, replace(work, due=now + _HELD), parts)
        elif work.over_cap and not _can_pay(work.over_cap, rooms):
            _mark(work, replace(work, due=day_ends(now)), parts)
        else:
            sent += _send_on(work, now, parts)
    # What waits for a day or a month to end goes on before it does if there is money again: the oldest first.
    for until in sorted({day_ends(now), month_ends(now)}):
        if _lets_through(gate, now, sent):
            for work in parts.ledger.over_cap(until, partial(_can_pay, rooms=rooms), _AT_ONCE):
                sent += _send_on(work, now, parts) if _lets_through(gate, now, sent) else 0
    return sent


def _can_pay(by: OverCapBy, rooms: dict[str, Decimal]) -> bool:
    """Whether there is money for it, which is then taken out of `rooms`; no cap, no limit."""
    needed, accounts = by.usd, {by.account, STACK} & rooms.keys()
    if any(rooms[account] < needed for account in accounts):
        return False
    rooms |= {account: rooms[account] - needed for account in accounts}
    return True


def _send_on(work: Work, now: datetime, parts: Parts) -> int:
    parts.queues.send(work.order)
    _mark(work, transitions.sent_on(work, now + 2 * parts.rules.visibility[work.stage]), parts)
    return 1


def _mark(work: Work, after: Work, parts: Parts) -> None:
    """If somebody has the work by now, it needs no mark; not marked, it is sent once more."""
    with suppress(TryLater):
        parts.ledger.swap(Swap(before=work, after=transitions.next_revision(work, after)))


def publish(news: Iterable[News], parts: Parts) -> list[str]:
    """Tell the world; the ids of what has to be told again."""
    told = list(news)
    return parts.bus.send(told) if told else []


def redrive(row: Record, parts: Parts, *, forced: bool) -> Work:
    """A new run of a document's current version; its outcome stands until the run has one."""
    if row.tier == "human":
        raise NotAllowedError("a person has decided this document")
    if row.status is Status.REMOVED:
        raise NotAllowedError("the document is removed")
    if row.status is not Status.PARKED and not forced and not _could_succeed(row):
        raise NotAllowedError("the same bytes would end the same way; force it if you know better")
    upload = upload_of(row)
    latest = parts.ledger.latest(upload)
    if latest and latest.stage is not Stage.ENDED:
        return _resumed(latest, parts, forced=forced)
    now = parts.clock.now()
    order = Order(upload=upload, run=(latest.run if latest else row.run) + 1, forced=forced)
    work = replace(transitions.new(order, row, now), due=now + parts.rules.visibility[Stage.TRIAGE])
    if not parts.ledger.swap(Swap(before=None, after=transitions.next_revision(None, work))):
        raise TryLater("somebody else has begun a new run", seconds=2)
    parts.queues.send(order)
    return work


def _resumed(work: Work, parts: Parts, *, forced: bool) -> Work:
    """Open work goes on; forced, it asks afresh where it has not asked yet."""
    if forced and not work.forced:
        before, work = work, replace(work, forced=True)
        if not parts.ledger.swap(Swap(before=before, after=transitions.next_revision(before, work))):
            raise TryLater("somebody is at it", seconds=2)
    parts.queues.send(work.order)
    return work


def review(document: str, category: str | None, who: str, parts: Parts) -> Record:
    """A person's word: the answer stands, or is of another category. It ends all work on the version.

    What was left to a person because no model gave an answer, is what the person says.
    """
    for _ in range(_SWAPS):
        row = parts.ledger.row(document)
        if row is None or row.status is Status.REMOVED or not (row.tier or row.status is Status.NEEDS_REVIEW):
            raise NotAllowedError("there is no answer that a person could confirm or change")
        chosen = category or row.category
        if chosen is None:
            raise NotAllowedError("it has no category to confirm; name one")
        if chosen not in parts.rules.taxonomy.slugs:
            known = ", ".join(parts.rules.taxonomy.slugs)
            raise NotAllowedError(f"{chosen!r} is not a category of the taxonomy; there are {known}")
        record = _decided(row, chosen, who, parts.clock.now())
        swaps: list[Swap] = []
        counted: list[Tally] = []
        if work := parts.ledger.latest(upload_of(row)):
            ended = transitions.ended(work, record, {})
            record, counted = ended.draft, tallies(work, ended, parts)
            swaps.append(Swap(before=work, after=transitions.next_revision(work, ended)))
        if parts.ledger.swap(Swap(before=row, after=record), *swaps, tallies=counted):
            tell(record, parts)
            return record
    raise TryLater("others are changing the same document", seconds=2)


def upload_of(row: Record) -> Upload:
    """The upload that a row is about."""
    return Upload(
        bucket=row.bucket,
        key=row.key,
        version_id=row.version_id,
        sequencer=row.sequencer,
        uploaded_at=datetime.fromisoformat(row.uploaded_at),
        size_bytes=row.size_bytes,
        etag=row.etag,
    )


def _decided(row: Record, category: str, who: str, now: datetime) -> Record:
    return row.model_copy(update={"status": Status.DONE}).to(
        Status.DONE,
        now,
        category=category,
        tier="human",
        reviewed_by=who[:200],
        reviewed_at=stamp(now),
        error=None,
    )


def _could_succeed(row: Record) -> bool:
    return row.error is None or row.error.retryable


def _lets_through(gate: Gate, now: datetime, sent: int) -> bool:
    """A closed gate whose time has come lets one document through: it may be the one that opens it."""
    return not gate.is_closed or (gate.until is not None and gate.until <= now and sent == 0)
