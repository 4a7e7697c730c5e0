"""One question to Claude: never twice for the same answer, never over a cap, never while Claude says stop.

In this order, so that a call that is refused has cost nothing, not even a wait:

1. a reply that this run has already paid for;
2. the cached reply to an identical request of the same team; while its call is under way, wait for it;
3. the circuit breaker;
4. the money and the rate slot (the budget), since many may be refused these;
5. one write, before the call, that says what is reserved and that the request is in flight;
6. the call; what it may have cost stays reserved until its reply is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from pigeonhole.claude import prompt
from pigeonhole.claude.tiers import TierConfig
from pigeonhole.domain.document import Reply, Text, Tier
from pigeonhole.domain.errors import Defect, DocumentError, RetryCause, StopAll, TryLater
from pigeonhole.domain.taxonomy import Taxonomy
from pigeonhole.guards.budget import Budget
from pigeonhole.guards.circuit_breaker import CircuitBreaker
from pigeonhole.guards.claimed_job import ClaimedJob
from pigeonhole.guards.lease import Invocation
from pigeonhole.jobs import transitions
from pigeonhole.jobs.job import Job, Reservation
from pigeonhole.jobs.reply import InterpretedReply, Question, interpret
from pigeonhole.jobs.stored import CachedReply, Write
from pigeonhole.jobs.usage import usage_of
from pigeonhole.money import pricing
from pigeonhole.money.account import CallEstimate
from pigeonhole.ports import ModelClient, System
from pigeonhole.stores import Ledger

_IN_FLIGHT_SECONDS = 15.0
_NOTHING = Decimal(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class CallGuards:
    """What stands between a request and a call: what it may cost, and whether Claude may be asked at all."""

    budget: Budget
    breaker: CircuitBreaker


@dataclass(frozen=True, kw_only=True, slots=True)
class _ReservedCall:
    """A call that may be made now: its money is set aside, and the job and the cache entry say so."""

    before: Job
    cached: CachedReply
    reservation: Reservation


class ClaudeCalls:
    """Asks Claude about documents under lease."""

    def __init__(
        self, client: ModelClient, guards: CallGuards, ledger: Ledger, system: System, taxonomy: Taxonomy
    ) -> None:
        self._client = client
        self._budget = guards.budget
        self._breaker = guards.breaker
        self._ledger = ledger
        self._system = system
        self._taxonomy = taxonomy

    def ask(
        self, claimed: ClaimedJob, text: Text, tier: TierConfig, invocation: Invocation
    ) -> InterpretedReply:
        """The reply already paid for, or the cached one to an identical request, or a new one.

        A new one is the claimed job's to write down with its next commit. DocumentError, TryLater, StopAll.
        """
        prepared = prompt.prepare(text, self._taxonomy, tier)
        question = Question(
            text=text,
            tier=tier,
            prepared=prepared,
            key=prompt.request_hash(prepared.request),
            latest=invocation.deadline - timedelta(seconds=tier.timeout),
        )
        if recorded := claimed.job.replies.get(tier.tier):
            return interpret(recorded.reply, question, self._taxonomy, self._today())
        cached = self._ledger.cached_reply(claimed.job.upload.team, question.key)
        if interpreted := self._from_cache(cached, claimed.job, question):
            claimed.take_reply(interpreted)
            return interpreted
        self._check_in_flight(cached, claimed.job)
        return self._from_claude(claimed, question, cached)

    def _from_cache(
        self, cached: CachedReply | None, job: Job, question: Question
    ) -> InterpretedReply | None:
        """A forced run asks afresh, and no redrive gets an unusable reply back, whichever run's it is."""
        if cached is None or cached.reply is None or job.task.forced:
            return None
        reply = replace(cached.reply, reused=True, left_out_tokens=0)
        interpreted = interpret(reply, question, self._taxonomy, self._today())
        return interpreted if interpreted.analysis or job.task.run == 1 else None

    def _check_in_flight(self, cached: CachedReply | None, job: Job) -> None:
        """TryLater while an identical request is under way."""
        if cached and cached.lease and cached.lease.until > self._system.clock.now():
            # Twice as long each time, so that five requeues outlast an asker that never comes back.
            seconds = _IN_FLIGHT_SECONDS * 2**job.attempts.requeues
            raise TryLater("identical request in flight", seconds=seconds)

    def _from_claude(
        self, claimed: ClaimedJob, question: Question, cached: CachedReply | None
    ) -> InterpretedReply:
        self._check_time(question)
        request = self._with_prefix(question)  # looks at who came before us, so before it is our turn
        with self._breaker.guarding(question.tier.timeout):
            estimate = _estimate(claimed.job, question, is_cached=request is not question.prepared.request)
            call = self._reserve(claimed, estimate, question, cached)
            reply = self._call(call, request, question)
        reply = replace(reply, left_out_tokens=question.prepared.left_out_tokens)
        interpreted = interpret(reply, question, self._taxonomy, call.reservation.day)
        self._account_for(call.reservation, interpreted)
        claimed.take_reply(interpreted, call.cached)
        return interpreted

    def _today(self) -> date:
        return self._system.clock.now().date()

    def _check_time(self, question: Question) -> None:
        """TryLater for a call that would not be back before the invocation ends."""
        if self._system.clock.now() > question.latest:
            raise TryLater("too little time left in this invocation", seconds=0)

    def _with_prefix(self, question: Question) -> Mapping[str, Any]:
        """The request, its prefix to be cached by Claude where it is long enough for the model.

        For the fast tier always, else while others come: to write a cached token costs a quarter more than to
        send it, to read it a tenth of that, so that a call with none before or after it had better not.
        """
        prepared, tier = question.prepared, question.tier
        if prepared.prefix_tokens < tier.model.cacheable_tokens:
            return prepared.request
        if tier.tier is not Tier.FAST and not self._budget.is_warm(tier.model.id):
            return prepared.request
        return prompt.with_cached_prefix(prepared.request)

    def _reserve(
        self, claimed: ClaimedJob, estimate: CallEstimate, question: Question, cached: CachedReply | None
    ) -> _ReservedCall:
        """Money and a rate slot first; then the cache entry, ours for the invocation."""
        job, reservation = claimed.job, self._budget.reserve(estimate, question.latest)
        entry = cached or CachedReply(team=estimate.team, key=question.key, run=job.task.run)
        mine = Write.of(cached, replace(entry, lease=job.lease))
        about_to = Write.of(job, transitions.with_reservation(job, reservation))
        is_ours = False
        try:
            is_ours = self._ledger.commit(mine, about_to)
        finally:
            if not is_ours:
                self._budget.settle(reservation, _NOTHING)
        if not is_ours:
            raise TryLater("identical request in flight", seconds=_IN_FLIGHT_SECONDS)
        claimed.job = about_to.after
        return _ReservedCall(before=about_to.after, cached=mine.after, reservation=reservation)

    def _call(self, call: _ReservedCall, request: Mapping[str, Any], question: Question) -> Reply:
        """One call; if Claude says stop the breaker trips, and what may have been billed stays reserved."""
        try:
            self._check_time(question)  # to reserve may have taken long
            self._check_day(call.reservation)
            return self._client.ask(request, timeout=question.tier.timeout)
        except (StopAll, TryLater, DocumentError, Defect) as error:
            cause = error.cause if isinstance(error, TryLater) else None
            if isinstance(error, StopAll) or (isinstance(error, TryLater) and cause is RetryCause.THROTTLED):
                self._breaker.trip(error)
            self._release(call, is_free=cause is not RetryCause.BILLED)
            raise
        except BaseException:
            self._release(call, is_free=False)
            raise

    def _check_day(self, reservation: Reservation) -> None:
        """TryLater where midnight came between the reservation and the call: it is the next day's money."""
        if self._system.clock.now().date() != reservation.day:
            raise TryLater("the day of the reservation is over", seconds=0)

    def _release(self, call: _ReservedCall, *, is_free: bool) -> None:
        """The cache entry is given back, so that an identical request need not wait, and the call settled."""
        before, cached = call.before, call.cached
        after = transitions.unreserved(before) if is_free else transitions.written_off(before)
        if is_free:
            self._budget.settle(call.reservation, _NOTHING)
        # Not written in time, identical requests wait for the lease to end, and the call counts at its full
        # price.
        with suppress(TryLater):
            self._ledger.commit(
                Write.of(cached, replace(cached, lease=None)),
                Write.of(before, after),
                usage=usage_of(before, after),
            )

    def _account_for(self, reservation: Reservation, interpreted: InterpretedReply) -> None:
        reply, cost = interpreted.reply, interpreted.cost.usd
        self._budget.settle(reservation, cost)
        if reply.rate_limits:
            self._budget.observe_limits(reply.model, reply.rate_limits)
        self._system.telemetry.metric("SpentUsd", float(cost))
        self._system.telemetry.metric("PromptTokens", reply.usage.prompt_tokens)
        self._system.telemetry.metric("CachedTokens", reply.usage.cache_read_tokens)


def _estimate(job: Job, question: Question, *, is_cached: bool) -> CallEstimate:
    tier, prepared = question.tier, question.prepared
    return CallEstimate(
        team=job.upload.team,
        model=tier.model.id,
        tier=tier.tier,
        by=job.owner or "",
        usd=pricing.max_cost_usd(tier.model, prepared.max_prompt_tokens, tier.max_tokens),
        input_tokens=prepared.likely_tokens,
        output_tokens=tier.likely_tokens,
        caches_prefix=is_cached,
    )
