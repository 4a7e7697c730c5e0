"""What may still be spent, and how fast: a call withdraws its highest price and waits for its rate slot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from threading import Lock

from pigeonhole.domain.document import RateLimits
from pigeonhole.domain.errors import PigeonholeError, RetryCause, TryLater
from pigeonhole.jobs.job import Reservation
from pigeonhole.money.account import (
    STACK,
    Account,
    CallEstimate,
    Cap,
    RateSlot,
    Withdrawal,
    headroom,
    percent_used,
    refusal,
)
from pigeonhole.ports import Clock
from pigeonhole.stores import AccountStore

_MINUTE = 60.0
_SLOWER = 1.01  # than allowed: the network may bring two calls closer together than they left us
# How long Claude caches a prompt's beginning after its last use; what is written can be read once the call
# that wrote it is answered, so the first call after a pause is followed by no other for so long.
CACHE_LIFETIME = timedelta(minutes=5)
_WARM_UP = timedelta(seconds=4)
# What a second allows may come at once: a limit of 60 a minute may be kept as one a second (rate limits page
# of platform.claude.com, August 2026), and no stricter form is documented.
_BURST = timedelta(seconds=1)


class Budget:
    """One container's view of the accounts: the whole stack's, and those of teams with caps of their own."""

    def __init__(
        self, accounts: AccountStore, clock: Clock, caps: Mapping[str, Cap], limits: RateLimits
    ) -> None:
        self._accounts = accounts
        self._clock = clock
        self._caps = caps
        self._limits = limits
        self._lock = Lock()
        self._stack: Account | None = None
        self._next_at: dict[str, datetime] = {}
        self._observed: dict[str, RateLimits] = {}
        self._unspent: dict[tuple[str, date], Decimal] = {}

    def reserve(self, estimate: CallEstimate, latest: datetime) -> Reservation:
        """Withdraw the call's highest price and wait for its rate slot.

        The day of the reservation is that on which the wait is over: for a call that waited over midnight the
        money is withdrawn anew. OverCap; TryLater where the slot is after `latest`.
        """
        now = self._clock.now()
        reservation = self._reserved(estimate, now, self._slot(estimate, now, latest))
        now = self._clock.now()
        if now.date() == reservation.day:
            return reservation
        self.settle(reservation, Decimal(0))
        return self._reserved(estimate, now, None)

    def settle(self, reservation: Reservation, usd: Decimal) -> None:
        """What the call did cost; the rest of what was set aside goes back with `refund_unspent`."""
        self._note_refund(reservation.accounts, reservation.day, reservation.usd - usd)

    def observe_limits(self, model: str, limits: RateLimits) -> None:
        """What the API itself says of the account's limits."""
        if limits != RateLimits():
            self._observed[model] = limits

    def is_warm(self, model: str) -> bool:
        """Whether a call of this model started so recently that Claude still caches its beginning."""
        next_at = self._read_stack().next_at.get(model)
        return next_at is not None and self._clock.now() - next_at < CACHE_LIFETIME

    def refund_unspent(self) -> None:
        """Give back what was not spent; what cannot be given back now is given back the next time.

        What may have been given back already is not: nothing may be spent twice.
        """
        with self._lock:
            unspent, self._unspent = self._unspent, {}
        for (account, day), usd in unspent.items():
            try:
                self._accounts.refund(account, day, usd)
            except TryLater as error:
                if error.cause is not RetryCause.UNCERTAIN:
                    self._note_refund([account], day, usd)

    def headroom(self) -> dict[str, Decimal]:
        """How many US dollars each account may still spend today, by its name."""
        today = self._clock.now().date()
        return {
            name: headroom(cap, self._accounts.account(name, today), today)
            for name, cap in self._caps.items()
        }

    def percent_used(self) -> int:
        """How much of its cap the account has used up that has used up the most."""
        today = self._clock.now().date()
        return max(
            percent_used(cap, self._accounts.account(name, today), today) for name, cap in self._caps.items()
        )

    def _reserved(self, estimate: CallEstimate, now: datetime, slot: RateSlot | None) -> Reservation:
        # The whole stack's comes last: with it goes the rate slot.
        names = [name for name in estimate.accounts if name in self._caps]
        reservation = Reservation(
            usd=estimate.usd,
            day=now.date(),
            accounts=tuple(names),
            model=estimate.model,
            tier=estimate.tier,
            by=estimate.by,
        )
        withdrawn: list[str] = []
        try:
            for name in names:
                account = self._withdrawn(name, reservation, slot if name == STACK else None)
                withdrawn.append(name)
        except PigeonholeError:
            self._note_refund(withdrawn, reservation.day, reservation.usd)
            raise
        self._remember(account)
        self._wait(account.starts_at or now)
        return reservation

    def _withdrawn(self, name: str, reservation: Reservation, slot: RateSlot | None) -> Account:
        withdrawal = Withdrawal(
            account=name, day=reservation.day, usd=reservation.usd, cap=self._caps[name], slot=slot
        )
        is_taken, account = self._accounts.withdraw(withdrawal)
        if not is_taken:
            with self._lock:
                self._next_at |= account.next_at
            raise refusal(withdrawal, account)
        return account

    def _note_refund(self, accounts: Iterable[str], day: date, usd: Decimal) -> None:
        with self._lock:
            for account in accounts:
                self._unspent[account, day] = self._unspent.get((account, day), Decimal(0)) + usd

    def _read_stack(self) -> Account:
        if self._stack is None:
            self._remember(self._accounts.account(STACK, self._clock.now().date()))
        return self._stack or Account()

    def _remember(self, stack: Account) -> None:
        """How the stack's account stood; calls of ours that are on their way to it come after these."""
        with self._lock:
            self._stack = stack
            for model, next_at in stack.next_at.items():
                self._next_at[model] = max(self._next_at.get(model, next_at), next_at)

    def _slot(self, estimate: CallEstimate, now: datetime, latest: datetime) -> RateSlot:
        stack, observed = self._read_stack(), self._observed.get(estimate.model)
        known = observed or stack.limits.get(estimate.model) or RateLimits()
        share = max(
            _share(1, self._limits.requests, known.requests),
            _share(estimate.input_tokens, self._limits.input_tokens, known.input_tokens),
            _share(estimate.output_tokens, self._limits.output_tokens, known.output_tokens),
        )
        interval = timedelta(seconds=share * _MINUTE * _SLOWER)
        burst = max(_BURST - interval, timedelta())
        return RateSlot(
            model=estimate.model,
            interval=interval,
            warm_up=max(interval, _WARM_UP + burst) if estimate.caches_prefix else interval,
            idle_since=now - CACHE_LIFETIME,
            now=now,
            latest=latest,
            burst=burst,
            seen=self._queue_up(estimate.model, now, interval),
            observed=observed,
        )

    def _queue_up(self, model: str, now: datetime, interval: timedelta) -> datetime | None:
        """The arrival time of the last call that we know of; as if ours were the last from here on."""
        with self._lock:
            next_at = self._next_at.get(model)
            self._next_at[model] = max(next_at or now, now) + interval
            return next_at

    def _wait(self, until: datetime) -> None:
        seconds = (until - self._clock.now()).total_seconds()
        if seconds > 0:
            self._clock.wait(seconds)


def _share(amount: int, *limits: int | None) -> float:
    """Which part of a minute it takes up, by the strictest limit."""
    strictest = min((limit for limit in limits if limit), default=None)
    return amount / strictest if strictest else 0.0
