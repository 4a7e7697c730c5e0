"""The use cases: how a document travels, top to bottom; everything outside comes in as ports."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from pigeonhole.claude.prompt import Asking
from pigeonhole.domain import policy
from pigeonhole.domain.document import Change, DocumentError, Kind, Stage, Text, Tier, TryLater, Upload
from pigeonhole.domain.policy import Accept, Escalate, Review, Signals
from pigeonhole.domain.record import Record, Status
from pigeonhole.guards import row_updates
from pigeonhole.guards.claude_call import ask
from pigeonhole.guards.lease import Claim, Shift, change, close, give_up, handle, kept
from pigeonhole.guards.s3_sync import follow
from pigeonhole.guards.telemetry import tell
from pigeonhole.jobs import transitions
from pigeonhole.jobs.job import Order
from pigeonhole.ports import Body, Parts


def triage(asked: Change | Order, parts: Parts, shift: Shift) -> None:
    """The first pass over an upload, or what becomes of a key that something was removed from."""
    if isinstance(asked, Change) and asked.kind is not Kind.CREATED:
        follow(asked.upload, parts)
    else:
        _check_time(parts.rules.fast, parts, shift)
        handle(_order(asked), _triage, parts, shift)


def escalate(order: Order, parts: Parts, shift: Shift) -> None:
    """The second opinion on a hard case."""
    _check_time(parts.rules.strong, parts, shift)
    handle(order, _escalate, parts, shift)


def bury(asked: Change | Order, parts: Parts, shift: Shift) -> None:
    """A dead letter: unless the document has an outcome by now, its row says that we gave up."""
    if isinstance(asked, Change) and asked.kind is not Kind.CREATED:
        follow(asked.upload, parts)
    elif not _is_parked(_order(asked), parts):
        handle(_order(asked), _bury, parts, replace(shift, alone=True))


def _is_parked(order: Order, parts: Parts) -> bool:
    """What is parked has no message of its own: a dead one is a duplicate, and sweep has the document."""
    work = parts.ledger.work(order.upload, order.run)
    return work is not None and work.draft.status is Status.PARKED


def _check_time(asking: Asking, parts: Parts, shift: Shift) -> None:
    """Nothing is begun that could not be asked about in time; TryLater."""
    if shift.deadline - parts.clock.now() < timedelta(seconds=asking.timeout):
        raise TryLater("too little time is left in this invocation", seconds=0)


def _order(asked: Change | Order) -> Order:
    return Order(upload=asked.upload) if isinstance(asked, Change) else asked


def _triage(claim: Claim, parts: Parts, shift: Shift) -> None:
    """Read, extract, ask the fast model, judge; then accept, escalate, or leave it to a person."""
    upload, known = claim.work.upload, claim.work.draft
    try:
        body, text = _read(upload, parts.rules.fast, parts, shift)
        known = row_updates.as_read(known, body, text, parts.artifacts.keep_text(upload, text.text))
        claim, reply, coverage = ask(claim, text, parts.rules.fast, parts, shift)
    except DocumentError as error:
        _cannot(claim, known, error, parts)
        return
    with kept(claim, parts):
        analysis, seen = row_updates.examine(reply, text, parts.rules.taxonomy)
        record = row_updates.as_told(known, Tier.FAST, reply, analysis, coverage, parts.rules.taxonomy)
        match policy.judge_fast(seen, parts.rules.thresholds):
            case Accept():
                close(claim, record.to(Status.DONE, parts.clock.now()), parts, {Tier.FAST: seen})
            case Review(reasons):
                record = record.to(Status.NEEDS_REVIEW, parts.clock.now(), review_reasons=reasons)
                close(claim, record, parts, {Tier.FAST: seen})
            case Escalate(reasons):
                record = record.to(Status.ESCALATED, parts.clock.now(), escalation_reasons=reasons)
                _hand_over(claim, record, text, seen, parts)


def _escalate(claim: Claim, parts: Parts, shift: Shift) -> None:
    """Take the saved text, ask the strong model, judge; then accept, or leave it to a person."""
    try:
        text = _saved_text(claim, parts) or _read(claim.work.upload, parts.rules.strong, parts, shift)[1]
        claim, reply, coverage = ask(claim, text, parts.rules.strong, parts, shift)
    except DocumentError as error:
        _cannot(claim, claim.work.draft, error, parts)
        return
    with kept(claim, parts):
        analysis, seen = row_updates.examine(reply, text, parts.rules.taxonomy)
        record = row_updates.as_told(
            claim.work.draft, Tier.STRONG, reply, analysis, coverage, parts.rules.taxonomy
        )
        match policy.judge_strong(seen, parts.rules.thresholds):
            case Accept():
                record = record.to(Status.DONE, parts.clock.now())
            case Review(reasons):
                record = record.to(Status.NEEDS_REVIEW, parts.clock.now(), review_reasons=reasons)
        close(claim, record, parts, {Tier.STRONG: seen})


def _bury(claim: Claim, parts: Parts, _: Shift) -> None:
    give_up(claim, DocumentError("gave_up"), parts)


def _read(upload: Upload, asking: Asking, parts: Parts, shift: Shift) -> tuple[Body, Text]:
    """The document, read so early that it can be asked about."""
    with parts.objects.body(upload, max_bytes=parts.rules.max_bytes) as body:
        left = (shift.deadline - parts.clock.now()).total_seconds() - asking.timeout
        return body, parts.reader.read(body.path, upload.key.rpartition("/")[2], left)


def _saved_text(claim: Claim, parts: Parts) -> Text | None:
    """The text that triage saved; None when it has expired, or when pages have to be looked at."""
    draft = claim.work.draft
    if claim.work.eyes or not draft.text_uri:
        return None
    saved = parts.artifacts.text(draft.text_uri)
    return None if saved is None else row_updates.text_of(draft, saved)


def _cannot(claim: Claim, known: Record, error: DocumentError, parts: Parts) -> None:
    """The document's fault; for one that is gone, S3 says what stands in its place."""
    if error.code == "gone" and follow(claim.work.upload, parts):
        change(claim, transitions.superseded, parts)
    else:
        give_up(claim, error, parts, known)


def _hand_over(claim: Claim, record: Record, text: Text, seen: Signals, parts: Parts) -> None:
    """Marked first, with what was paid for, and then sent: a message that is lost, sweep sends when due."""
    due = parts.clock.now() + 2 * parts.rules.visibility[Stage.ESCALATION]
    eyes = bool(text.images)
    change(claim, lambda work: transitions.escalated(work, record, seen, eyes=eyes, due=due), parts)
    tell(record, parts)
    parts.queues.send(replace(claim.work.order, stage=Stage.ESCALATION))
