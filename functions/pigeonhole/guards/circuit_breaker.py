"""The gate: closed while Claude says stop, so that a thousand documents need not each learn it by a call."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from pigeonhole.domain.document import StopAll, TryLater
from pigeonhole.ports import Clock, Gate, Ledger, Swap

_CACHED = timedelta(seconds=5)
# Closed for no longer than this, it delays messages; beyond, it parks documents.
_DELAYS_ONLY = timedelta(minutes=15)
# A probe that is not back so long after its call's own time-out has died.
_PROBE_GRACE = timedelta(seconds=5)
_PROBE_LOOK_SECONDS = 10.0
_A_MOMENT_SECONDS = 15.0


class Gatekeeper:
    """One container's sight of the gate: what it read is good for five seconds."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._seen: Gate | None = None
        self._seen_at: datetime | None = None

    def enter(self, seconds: float) -> bool:
        """Whether this call of at most so long is the probe that may open the gate.

        TryLater or StopAll while it is closed.
        """
        now = self._clock.now()
        gate = self._look(now)
        if not gate.is_closed:
            return False
        if gate.until is None or gate.until - now > _DELAYS_ONLY:
            raise StopAll(gate.waiting_for, gate.detail, until=gate.until)
        if gate.until > now:
            raise TryLater("the gate is closed", seconds=(gate.until - now).total_seconds())
        if gate.probe_until and gate.probe_until > now:
            raise _under_way(gate.probe_until - now)
        probe_until = now + timedelta(seconds=seconds) + _PROBE_GRACE
        if not self._swap(gate, replace(gate, probe_until=probe_until)):
            raise _under_way(probe_until - now)
        return True

    def opened(self) -> None:
        """The probe came through; not written down in time, another document tries the gate."""
        with suppress(TryLater):
            gate = self._read()
            self._swap(gate, Gate(rev=gate.rev))

    def untried(self) -> None:
        """The probe brought nothing; not written down, another tries when its time is over."""
        with suppress(TryLater):
            gate = self._read()
            if gate.probe_until:
                self._swap(gate, replace(gate, probe_until=None))

    def closed(self, error: TryLater | StopAll) -> None:
        """Claude said stop: for as long as it said, or without an end.

        A moment is no reason for all to stop: who was told it waits, and the pace is the others' brake.
        """
        if isinstance(error, TryLater) and error.seconds <= _A_MOMENT_SECONDS:
            return
        now = self._clock.now()
        if isinstance(error, StopAll):
            until, waiting_for, detail = error.until, error.waiting_for, error.detail
        else:
            until, waiting_for, detail = now + timedelta(seconds=error.seconds), "claude", error.reason
        # Not written down in time, the next document will be told the same.
        with suppress(TryLater):
            gate = self._read()
            if not gate.is_closed or gate.is_sooner_than(until):
                closed = Gate(is_closed=True, until=until, waiting_for=waiting_for, detail=detail)
                self._swap(gate, closed)

    def _look(self, now: datetime) -> Gate:
        seen, seen_at = self._seen, self._seen_at
        return self._read() if seen is None or seen_at is None or now - seen_at > _CACHED else seen

    def _read(self) -> Gate:
        gate = self._ledger.gate() or Gate()
        self._seen, self._seen_at = gate, self._clock.now()
        return gate

    def _swap(self, before: Gate, after: Gate) -> bool:
        after = replace(after, rev=before.rev + 1)
        written = self._ledger.swap(Swap(before=before if before.rev else None, after=after))
        self._seen = after if written else None
        return written


def _under_way(left: timedelta) -> TryLater:
    """Half of what is left, so that five put-backs outlast a probe that never comes back."""
    seconds = max(left.total_seconds() / 2, _PROBE_LOOK_SECONDS)
    return TryLater("one document tries the gate", seconds=seconds)
