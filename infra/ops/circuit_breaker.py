"""The circuit breaker of a stack: tripped when Claude refuses calls for a time, reset by hand here."""

from __future__ import annotations

from pigeonhole.domain.record import stamp
from pigeonhole.jobs.stored import BreakerState
from pigeonhole.services import Services

RESET = "reset"
TRIPPED = "tripped"


def state(services: Services) -> dict[str, str]:
    """The breaker as JSON: `state` is `reset` (calls are made) or `tripped` (no call is made).

    A tripped one has `waiting_for` and `detail`. `until` says when it lets a probe call through by itself;
    it is absent where only a person can reset it.
    """
    breaker = services.outside.store.breaker()
    return {"state": RESET} if breaker is None or not breaker.is_tripped else _tripped(breaker)


def reset(services: Services) -> dict[str, str]:
    """Let calls go on; the state afterwards, which is `tripped` if a call was refused again meanwhile."""
    services.guards.breaker.reset()
    return state(services)


def _tripped(breaker: BreakerState) -> dict[str, str]:
    until = {"until": stamp(breaker.until)} if breaker.until else {}
    return {"state": TRIPPED, "waiting_for": breaker.waiting_for, "detail": breaker.detail, **until}
