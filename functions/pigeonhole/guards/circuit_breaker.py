"""The circuit breaker in front of Claude: while it is tripped, no call is made.

It trips when Claude says stop for longer than a moment, so that a thousand documents need not each learn it
by a call. Once that time is over it is half-open: one call at a time is the probe, which resets it by coming
through. Without an end, a person resets it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta

from pigeonhole.domain.errors import DocumentError, StopAll, TryLater, WaitReason
from pigeonhole.jobs.stored import BreakerState, Write
from pigeonhole.ports import Clock
from pigeonhole.stores import BreakerStore

_CACHED = timedelta(seconds=5)
# Tripped for no longer than this, it delays messages; beyond, it parks documents.
_DELAYS_ONLY = timedelta(minutes=15)
# A probe that is not back so long after its call's own time-out has died.
_PROBE_GRACE = timedelta(seconds=5)
_SHORTEST_PROBE_WAIT_SECONDS = 10.0
_A_MOMENT_SECONDS = 15.0


class CircuitBreaker:
    """One container's view of the breaker: what it read is good for five seconds."""

    def __init__(self, store: BreakerStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._seen: BreakerState | None = None
        self._seen_at: datetime | None = None

    def state(self) -> BreakerState:
        """The state as it is now."""
        state = self._store.breaker() or BreakerState()
        self._seen, self._seen_at = state, self._clock.now()
        return state

    def check(self, seconds: float) -> bool:
        """Whether this call, of at most so many seconds, is the probe of a half-open breaker.

        TryLater or StopAll while it is tripped.
        """
        now = self._clock.now()
        state = self._recent(now)
        if not state.is_tripped:
            return False
        if state.until is None or state.until - now > _DELAYS_ONLY:
            raise StopAll(state.waiting_for, state.detail, until=state.until)
        if state.until > now:
            raise TryLater("circuit breaker tripped", seconds=(state.until - now).total_seconds())
        if state.probe_until and state.probe_until > now:
            raise _probe_under_way(state.probe_until - now)
        probe_until = now + timedelta(seconds=seconds) + _PROBE_GRACE
        if not self._commit(state, replace(state, probe_until=probe_until)):
            raise _probe_under_way(probe_until - now)
        return True

    @contextmanager
    def guarding(self, seconds: float) -> Iterator[None]:
        """Makes a call of at most so many seconds in here: TryLater or StopAll while tripped.

        A probe that comes through resets the breaker, also one whose document Claude refuses.
        """
        is_probe, came_through = self.check(seconds), False
        try:
            yield
            came_through = True
        except DocumentError:
            came_through = True
            raise
        finally:
            if is_probe:
                self.reset() if came_through else self.release_probe()

    def reset(self) -> None:
        """The probe came through, or a person resets it; not written in time, another call is the probe."""
        with suppress(TryLater):
            state = self.state()
            self._commit(state, BreakerState(revision=state.revision))

    def release_probe(self) -> None:
        """The probe brought nothing: another may try at once; not written, when the probe's time is over."""
        with suppress(TryLater):
            state = self.state()
            if state.probe_until:
                self._commit(state, replace(state, probe_until=None))

    def trip(self, error: TryLater | StopAll) -> None:
        """Claude said stop: for as long as it said, or without an end.

        A moment is no reason for all to stop: who was told it waits, and the rate slots slow the others.
        """
        if isinstance(error, TryLater) and error.seconds <= _A_MOMENT_SECONDS:
            return
        now = self._clock.now()
        if isinstance(error, StopAll):
            until, waiting_for, detail = error.until, error.waiting_for, error.detail
        else:
            until, waiting_for, detail = (
                now + timedelta(seconds=error.seconds),
                WaitReason.CLAUDE,
                error.reason,
            )
        # Not written in time, the next document will be told the same.
        with suppress(TryLater):
            state = self.state()
            if not state.is_tripped or state.resets_before(until):
                tripped = BreakerState(is_tripped=True, until=until, waiting_for=waiting_for, detail=detail)
                self._commit(state, tripped)

    def _recent(self, now: datetime) -> BreakerState:
        seen, seen_at = self._seen, self._seen_at
        return self.state() if seen is None or seen_at is None or now - seen_at > _CACHED else seen

    def _commit(self, before: BreakerState, after: BreakerState) -> bool:
        found = before if before.revision else None
        write = Write.of(found, after)
        is_written = self._store.commit(write)
        self._seen = write.after if is_written else None
        return is_written


def _probe_under_way(left: timedelta) -> TryLater:
    """Half of what is left, so that five requeues outlast a probe that never comes back."""
    seconds = max(left.total_seconds() / 2, _SHORTEST_PROBE_WAIT_SECONDS)
    return TryLater("circuit breaker half-open: another call is the probe", seconds=seconds)
