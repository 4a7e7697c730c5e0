"""What may still be spent, and how fast: a call sets its dearest price aside, and waits for its turn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from threading import Lock

from pigeonhole.domain.document import Allowance, OverCap, PigeonholeError, TryLater
from pigeonhole.jobs.job import Reservation
from pigeonhole.money.account import Account, Cap, Draw, Need, Pace
from pigeonhole.ports import Clock, Ledger

STACK = "stack"
_MINUTE = 60.0
# A little slower than allowed: the network may bring two calls closer together than they left us.
_SLOWER = 1.01
# How long Claude keeps a prompt's beginning after its last use; what is written can be read once the call
# that wrote it is answered, so whoever comes first after a rest has so long to itself.
KEPT_WARM = timedelta(minutes=5)
_WARM_UP = timedelta(seconds=4)
# What a second allows may come at once: a limit of 60 a minute may be kept as one a second (rate limits page
# of platform.claude.com, August 2026), and nobody says that it is kept any stricter.
_AT_ONCE = timedelta(seconds=1)


def account_of(team: str) -> str:
    """The name of a team's account."""
    return f"team:{team}"


def day_ends(now: datetime) -> datetime:
    """When a day's cap begins anew: the next midnight, UTC."""
    return datetime.combine(now.date(), time(), UTC) + timedelta(days=1)


def month_ends(now: datetime) -> datetime:
    """When a month's cap begins anew: the first of the next month, 00:00 UTC."""
    return datetime.combine(now.date().replace(day=1) + timedelta(days=32), time(), UTC).replace(day=1)


class Budget:
    """One container's hand on the accounts: the whole stack's, and those of teams with caps of their own."""

    def __init__(self, ledger: Ledger, clock: Clock, caps: Mapping[str, Cap], allowance: Allowance) -> None:
        self._ledger = ledger
        self._clock = clock
        self._caps = caps
        self._allowance = allowance
        self._lock = Lock()
        self._stack: Account | None = None
        self._last: dict[str, datetime] = {}
        self._learned: dict[str, Allowance] = {}
        self._spare: dict[tuple[str, date], Decimal] = {}

    def reserve(self, need: Need, latest: datetime) -> Reservation:
        """Set the call's price aside and wait for its turn. OverCap; TryLater if that is after `latest`."""
        now = self._clock.now()
        # The whole stack's comes last: with it goes the turn.
        names = [name for name in (account_of(need.team), STACK) if name in self._caps]
        reserved = Reservation(
            usd=need.usd, day=now.date(), accounts=tuple(names), model=need.model, tier=need.tier, by=need.by
        )
        pace = self._pace(need, now, latest)
        drawn: list[str] = []
        try:
            for name in names:
                account = self._drawn(name, reserved, pace if name == STACK else None)
                drawn.append(name)
        except PigeonholeError:
            self._give(drawn, reserved.day, reserved.usd)
            raise
        self._know(account)
        self._wait(account.turn or now)
        return reserved

    def settle(self, reserved: Reservation, usd: Decimal) -> None:
        """What the call did cost; the rest of what was set aside goes back with `flush`."""
        self._give(reserved.accounts, reserved.day, reserved.usd - usd)

    def learn(self, model: str, allowance: Allowance) -> None:
        """What the API itself says of the account's limits."""
        if allowance != Allowance():
            self._learned[model] = allowance

    def is_warm(self, model: str) -> bool:
        """Whether a call of this model began so shortly ago that Claude still keeps what it was told."""
        began = self._read_stack().next.get(model)
        return began is not None and self._clock.now() - began < KEPT_WARM

    def flush(self) -> None:
        """Give back what was not spent; what cannot be given back now is given back the next time.

        What may have been given back already is not: nothing may be spent twice.
        """
        with self._lock:
            spare, self._spare = self._spare, {}
        for (account, day), usd in spare.items():
            try:
                self._ledger.credit(account, day, usd)
            except TryLater as error:
                if not error.unsure:
                    self._give([account], day, usd)

    def rooms(self) -> dict[str, Decimal]:
        """How much each account may still spend today, by its name."""
        today = self._clock.now().date()
        return {
            name: _room(cap, self._ledger.account(name, today), today) for name, cap in self._caps.items()
        }

    def percent(self) -> int:
        """How much of its cap that account has used up that has used up the most."""
        today = self._clock.now().date()
        return max(
            _percent(cap, self._ledger.account(name, today), today) for name, cap in self._caps.items()
        )

    def _drawn(self, name: str, reserved: Reservation, pace: Pace | None) -> Account:
        draw = Draw(account=name, day=reserved.day, usd=reserved.usd, cap=self._caps[name], pace=pace)
        taken, account = self._ledger.draw(draw)
        if not taken:
            with self._lock:
                self._last |= account.next
            raise _refusal(draw, account)
        return account

    def _give(self, accounts: Iterable[str], day: date, usd: Decimal) -> None:
        with self._lock:
            for account in accounts:
                self._spare[account, day] = self._spare.get((account, day), Decimal(0)) + usd

    def _read_stack(self) -> Account:
        if self._stack is None:
            self._know(self._ledger.account(STACK, self._clock.now().date()))
        return self._stack or Account()

    def _know(self, stack: Account) -> None:
        """How the stack's account stood; calls of ours that are on their way to it are behind these."""
        with self._lock:
            self._stack = stack
            for model, over in stack.next.items():
                self._last[model] = max(self._last.get(model, over), over)

    def _pace(self, need: Need, now: datetime, latest: datetime) -> Pace:
        seen, learned = self._read_stack(), self._learned.get(need.model)
        told = learned or seen.limits.get(need.model) or Allowance()
        step = max(
            _share(1, self._allowance.requests, told.requests),
            _share(need.input_tokens, self._allowance.input_tokens, told.input_tokens),
            _share(need.output_tokens, self._allowance.output_tokens, told.output_tokens),
        )
        step_s = timedelta(seconds=step * _MINUTE * _SLOWER)
        early = max(_AT_ONCE - step_s, timedelta())
        return Pace(
            model=need.model,
            step=step_s,
            first=max(step_s, _WARM_UP + early) if need.is_cached else step_s,
            rested=now - KEPT_WARM,
            now=now,
            latest=latest,
            early=early,
            seen=self._in_turn(need.model, now, step_s),
            learned=learned,
        )

    def _in_turn(self, model: str, now: datetime, step: timedelta) -> datetime | None:
        """When the last call that we know of is over; as ours is the last from here on."""
        with self._lock:
            last = self._last.get(model)
            self._last[model] = max(last or now, now) + step
            return last

    def _wait(self, turn: datetime) -> None:
        seconds = (turn - self._clock.now()).total_seconds()
        if seconds > 0:
            self._clock.wait(seconds)


def _share(amount: int, *limits: int | None) -> float:
    """Which part of a minute it takes up, by the strictest limit."""
    strictest = min((limit for limit in limits if limit), default=None)
    return amount / strictest if strictest else 0.0


def _refusal(draw: Draw, account: Account) -> OverCap | TryLater:
    """Why a draw was refused by an account that stands so."""
    today = datetime.combine(draw.day, time(), UTC)
    whose = "the stack" if draw.account == STACK else draw.account.replace(":", " ")
    if account.usd + draw.usd > draw.cap.month:
        said = f"{whose} may spend ${draw.cap.month} a month"
        return OverCap(draw.account, draw.usd, said, until=month_ends(today))
    if account.spent_on(draw.day) + draw.usd > draw.cap.day or draw.pace is None:
        said = f"{whose} may spend ${draw.cap.day} a day"
        return OverCap(draw.account, draw.usd, said, until=day_ends(today))
    late = draw.pace.begins(account.next[draw.pace.model]) - draw.pace.latest
    return TryLater("it is not this call's turn yet", seconds=max(1.0, late.total_seconds()))


def _room(cap: Cap, account: Account, today: date) -> Decimal:
    return min(cap.day - account.spent_on(today), cap.month - account.usd)


def _percent(cap: Cap, account: Account, today: date) -> int:
    return max(_part(account.spent_on(today), cap.day), _part(account.usd, cap.month))


def _part(spent: Decimal, cap: Decimal) -> int:
    """In percent; of nothing, nothing was used up."""
    return int(100 * spent / cap) if cap else 0
