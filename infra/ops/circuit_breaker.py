"""The circuit breaker of a stack: tripped when Claude refuses calls for a time, reset by hand here."""

from __future__ import annotations

from pigeonhole.domain.record import stamp
from pigeonhole.ports import Gate, Parts

RESET = "reset"
TRIPPED = "tripped"


def state(parts: Parts) -> dict[str, str]:
    """The breaker as JSON: `state` is `reset` (calls are made) or `tripped` (no call is made).

    A tripped one has `waiting_for` and `detail`. `until` says when it lets a probe call through by itself;
    it is absent where only a person can reset it.
    """
    breaker = parts.ledger.gate()
    return {"state": RESET} if breaker is None or not breaker.is_closed else _tripped(breaker)


def reset(parts: Parts) -> dict[str, str]:
    """Let calls go on; the state afterwards, which is `tripped` if a call was refused again meanwhile."""
    parts.gate.opened()
    return state(parts)


def _tripped(breaker: Gate) -> dict[str, str]:
    until = {"until": stamp(breaker.until)} if breaker.until else {}
    return {"state": TRIPPED, "waiting_for": breaker.waiting_for, "detail": breaker.detail, **until}
