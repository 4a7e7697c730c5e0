"""One question to Claude: never twice for the same answer, never over a cap, never while Claude says stop."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pigeonhole.claude import prompt
from pigeonhole.claude.answer_form import UnusableReplyError, interpret
from pigeonhole.claude.prompt import Asking, Question
from pigeonhole.domain.document import Coverage, Defect, DocumentError, Reply, StopAll, Text, Tier, TryLater
from pigeonhole.guards.lease import Claim, Paid, Shift
from pigeonhole.guards.telemetry import tallies
from pigeonhole.jobs import transitions
from pigeonhole.jobs.job import Reservation, Work
from pigeonhole.money import pricing
from pigeonhole.money.account import Need
from pigeonhole.ports import Answer, Parts, Swap

_TWIN_SECONDS = 15.0


def ask(
    claim: Claim, text: Text, asking: Asking, parts: Parts, shift: Shift
) -> tuple[Claim, Reply, Coverage]:
    """The reply already paid for, or another upload's to the same question, or a new one.

    Whichever it is, the claim's next change writes it down.
    """
    question = prompt.question(text, parts.rules.taxonomy, asking)
    reply = claim.work.replies.get(asking.tier)
    if reply is None:
        claim = _answered(claim, question, asking, parts, shift)
        reply = claim.work.replies[asking.tier]
    return claim, reply, _covered(text.coverage, question)


def _covered(coverage: Coverage, question: Question) -> Coverage:
    """The coverage with what was sent: text and pages that were left out do not count as looked at."""
    return replace(
        coverage,
        chars_sent=question.chars_sent,
        pages_as_images=question.pages_sent,
        truncated=coverage.truncated or question.cut,
        cut=(*coverage.cut, "budget") if question.cut else coverage.cut,
    )


def request_hash(request: Mapping[str, Any]) -> str:
    """The same for the same request, whoever sends it."""
    canonical = json.dumps(request, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Booked:
    """A call that may be made now: its money is set aside, and the work and the answer row say so."""

    claim: Claim
    answer: Answer
    reserved: Reservation


def _answered(claim: Claim, question: Question, asking: Asking, parts: Parts, shift: Shift) -> Claim:
    key = request_hash(question.request)
    answer = parts.ledger.answer(claim.work.upload.team, key)
    if answer and answer.reply and _serves(answer, claim.work, parts):
        return _with(claim, replace(answer.reply, reused=True, left_out_tokens=0), asking)
    _check_twin(answer, claim.work, parts)
    latest = shift.deadline - timedelta(seconds=asking.timeout)
    _check_time(latest, parts)
    request = _warmed(question, asking, parts)  # looks at who came before us, so before it is our turn
    with _through_the_gate(asking, parts):
        need = _need(claim, question, asking, is_cached=request is not question.request)
        booked = _book(claim, answer, key, need, latest, parts)
        reply = _called(booked, request, asking, latest, parts)
    _account_for(booked, reply, asking, parts)
    return _with(
        booked.claim, replace(reply, left_out_tokens=question.left_out_tokens), asking, booked.answer
    )


def _check_time(latest: datetime, parts: Parts) -> None:
    """TryLater for a call that would not be back before the invocation ends."""
    if parts.clock.now() > latest:
        raise TryLater("too little time is left in this invocation", seconds=0)


def _with(claim: Claim, reply: Reply, asking: Asking, answer: Answer | None = None) -> Claim:
    """The claim with a reply that has to be written down."""
    work = transitions.replied(claim.work, asking.tier, reply, claim.work.owner)
    return replace(
        claim, work=work, paid=Paid(reply=reply, tier=asking.tier, before=claim.work, answer=answer)
    )


@contextmanager
def _through_the_gate(asking: Asking, parts: Parts) -> Iterator[None]:
    """What Claude says of itself moves the gate; TryLater or StopAll while it is closed.

    Of what it says of a document, it says too that it is there.
    """
    is_probe = parts.gate.enter(asking.timeout)
    came_through = False
    try:
        yield
        came_through = True
    except DocumentError:
        came_through = True
        raise
    finally:
        if is_probe:
            parts.gate.opened() if came_through else parts.gate.untried()


def _account_for(booked: _Booked, reply: Reply, asking: Asking, parts: Parts) -> None:
    cost = pricing.cost_usd(asking.model, reply.usage)
    parts.budget.settle(booked.reserved, cost)
    if reply.allowance:
        parts.budget.learn(reply.model, reply.allowance)
    parts.journal.count("SpentUsd", float(cost))
    parts.journal.count("PromptTokens", reply.usage.prompt_tokens)
    parts.journal.count("CachedTokens", reply.usage.cache_read_tokens)


def _warmed(question: Question, asking: Asking, parts: Parts) -> Mapping[str, Any]:
    """The request, its prefix to be kept by Claude: always for the fast model, else while others come.

    To write it costs a quarter more, to read it a tenth: a call that follows none within minutes, and is
    followed by none, had better not.
    """
    if question.prefix_tokens < asking.model.cacheable_tokens:
        return question.request
    if asking.tier is not Tier.FAST and not parts.budget.is_warm(asking.model.id):
        return question.request
    return prompt.cached(question.request)


def _need(claim: Claim, question: Question, asking: Asking, *, is_cached: bool) -> Need:
    return Need(
        team=claim.work.upload.team,
        model=asking.model.id,
        tier=asking.tier,
        by=claim.work.owner or "",
        usd=pricing.most_usd(asking.model, question.most_tokens, asking.max_tokens),
        input_tokens=question.likely_tokens,
        output_tokens=asking.likely_tokens,
        is_cached=is_cached,
    )


def _serves(answer: Answer, work: Work, parts: Parts) -> bool:
    """A forced run asks afresh, and no redrive gets an unusable answer back, whichever run's it is."""
    if work.forced or answer.reply is None:
        return False
    try:
        interpret(answer.reply, parts.rules.taxonomy)
    except UnusableReplyError:
        return work.run == 1
    return True


def _check_twin(answer: Answer | None, work: Work, parts: Parts) -> None:
    """TryLater while a twin's call is under way."""
    if answer and answer.owner and answer.lease_until and answer.lease_until > parts.clock.now():
        # Twice as long each time, so that five put-backs outlast an asker that never comes back.
        raise TryLater("the same question is being asked", seconds=_TWIN_SECONDS * 2**work.put_backs)


def _book(
    claim: Claim, answer: Answer | None, key: str, need: Need, latest: datetime, parts: Parts
) -> _Booked:
    """Money and a turn first, since many may be refused these; then the answer row, ours for the shift."""
    work, reserved = claim.work, parts.budget.reserve(need, latest)
    mine = Answer(
        team=need.team,
        key=key,
        run=answer.run if answer else work.run,
        rev=answer.rev + 1 if answer else 1,
        owner=work.owner,
        lease_until=work.lease_until,
        reply=answer.reply if answer else None,
    )
    about_to = transitions.next_revision(work, transitions.reserved(work, reserved))
    is_ours = False
    try:
        is_ours = parts.ledger.swap(Swap(before=answer, after=mine), Swap(before=work, after=about_to))
    finally:
        if not is_ours:
            parts.budget.settle(reserved, pricing.NOTHING)
    if not is_ours:
        raise TryLater("the same question is being asked", seconds=_TWIN_SECONDS)
    return _Booked(claim=replace(claim, work=about_to), answer=mine, reserved=reserved)


def _called(
    booked: _Booked, request: Mapping[str, Any], asking: Asking, latest: datetime, parts: Parts
) -> Reply:
    """One call; if Claude says stop the gate closes, and what it may have billed stays set aside."""
    try:
        _check_time(latest, parts)  # to book may have taken long
        return parts.analyst.ask(request, timeout=asking.timeout)
    except (StopAll, TryLater, DocumentError, Defect) as error:
        if isinstance(error, StopAll) or (isinstance(error, TryLater) and error.busy):
            parts.gate.closed(error)
        _let_go(booked, parts, is_free=not (isinstance(error, TryLater) and error.billed))
        raise
    except BaseException:
        _let_go(booked, parts, is_free=False)
        raise


def _let_go(booked: _Booked, parts: Parts, *, is_free: bool) -> None:
    """The answer row is given back, so that a twin need not wait, and the call accounted for."""
    work, answer = booked.claim.work, booked.answer
    after = transitions.released(work) if is_free else transitions.written_off(work)
    if is_free:
        parts.budget.settle(booked.reserved, pricing.NOTHING)
    # Not written down in time, the twin waits for the lease to end, and the call counts at its full price.
    with suppress(TryLater):
        parts.ledger.swap(
            Swap(before=answer, after=replace(answer, rev=answer.rev + 1, owner=None)),
            Swap(before=work, after=transitions.next_revision(work, after)),
            tallies=tallies(work, after, parts),
        )
