"""One question to Claude: never twice for the same answer, never while the gate is closed, never too late."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from pigeonhole import prompt, steps
from pigeonhole.answer import UnusableReplyError, interpret
from pigeonhole.desk import Claim, LostError, Shift
from pigeonhole.document import Coverage, Reply, StopAll, Text, Tier, TryLater
from pigeonhole.ports import Answer, Parts, Swap
from pigeonhole.prompt import Asking, Question
from pigeonhole.work import Work

_TWIN_SECONDS = 15.0
_SWAPS = 10


def ask(
    claim: Claim, text: Text, asking: Asking, parts: Parts, shift: Shift
) -> tuple[Claim, Reply, Coverage]:
    """The reply already paid for, or another upload's to the same question, or a new one.

    Whichever it is, it is written down before anything else is done with it.
    """
    question = prompt.question(text, parts.rules.taxonomy, asking)
    cut = text.coverage.truncated or question.cut
    coverage = replace(text.coverage, chars_sent=question.chars_sent, truncated=cut)
    reply = claim.work.replies.get(asking.tier)
    if reply is None:
        claim = _answered(claim, question, asking, parts, shift)
        reply = claim.work.replies[asking.tier]
    return claim, reply, coverage


def request_hash(question: Question) -> str:
    """The same for the same request, whoever sends it."""
    canonical = json.dumps(question.request, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def _answered(claim: Claim, question: Question, asking: Asking, parts: Parts, shift: Shift) -> Claim:
    team, key = claim.work.upload.team, request_hash(question)
    answer = parts.ledger.answer(team, key)
    if answer and answer.reply and _serves(answer, claim.work, parts):
        return _keep(claim, asking.tier, replace(answer.reply, reused=True), None, parts)
    mine = _reserved(answer, team, key, claim.work, parts)
    try:
        reply, is_probe = _call(question, asking, parts, shift)
    except BaseException:
        # Given back, so that a twin need not wait for the lease to end.
        with suppress(TryLater):
            parts.ledger.swap(Swap(before=mine, after=replace(mine, rev=mine.rev + 1, owner=None)))
        raise
    try:
        return _keep(claim, asking.tier, reply, mine, parts)
    finally:
        if is_probe:
            parts.gate.opened()


def _serves(answer: Answer, work: Work, parts: Parts) -> bool:
    """A forced run asks afresh, and no higher run gets an unusable answer back."""
    if work.forced or answer.reply is None:
        return False
    try:
        interpret(answer.reply, parts.rules.taxonomy)
    except UnusableReplyError:
        return answer.run >= work.run
    return True


def _reserved(answer: Answer | None, team: str, key: str, work: Work, parts: Parts) -> Answer:
    """The answer row, ours until the shift is over; TryLater while a twin's call is under way."""
    now = parts.clock.now()
    if answer and answer.owner and answer.lease_until and answer.lease_until > now:
        raise TryLater("the same question is being asked", seconds=_TWIN_SECONDS)
    mine = Answer(
        team=team,
        key=key,
        run=answer.run if answer else work.run,
        rev=answer.rev + 1 if answer else 1,
        owner=work.owner,
        lease_until=work.lease_until,
        reply=answer.reply if answer else None,
    )
    if not parts.ledger.swap(Swap(before=answer, after=mine)):
        raise TryLater("the same question is being asked", seconds=_TWIN_SECONDS)
    return mine


def _call(question: Question, asking: Asking, parts: Parts, shift: Shift) -> tuple[Reply, bool]:
    """One call, if the gate is open and it can end in time; what Claude says of itself moves the gate.

    The reply, and whether it is the one that may open the gate.
    """
    if shift.deadline - parts.clock.now() < timedelta(seconds=asking.timeout):
        raise TryLater("too little time is left in this invocation", seconds=0)
    is_probe = parts.gate.enter()
    try:
        return parts.analyst.ask(question.request, timeout=asking.timeout), is_probe
    except (StopAll, TryLater) as error:
        if isinstance(error, StopAll) or error.busy:
            parts.gate.closed(error)
        raise


def _keep(claim: Claim, tier: Tier, reply: Reply, mine: Answer | None, parts: Parts) -> Claim:
    """Written down whoever has the work by now, in the work and for others who ask the same.

    A busy table is no reason to lose what was paid for: wait a little, and try again.
    """
    found, answer = claim.work, mine
    for attempt in range(_SWAPS):
        after = steps.next_revision(found, steps.replied(found, tier, reply))
        swaps = [Swap(before=found, after=after)]
        if answer:
            done = replace(answer, rev=answer.rev + 1, owner=None, run=found.run, reply=reply)
            swaps.append(Swap(before=answer, after=done))
        try:
            if parts.ledger.swap(*swaps):
                break
            found = parts.ledger.work(found.upload, found.run) or found
            answer = parts.ledger.answer(answer.team, answer.key) if answer else None
        except TryLater:
            parts.clock.wait(min(0.05 * 2**attempt, 1.0))
    else:
        raise TryLater("what was paid for could not be written down", seconds=2)
    if after.owner != claim.work.owner:
        raise LostError
    return Claim(work=after, row=claim.row)
