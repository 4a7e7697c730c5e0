"""What a day's calls come to: each is counted in the very write that records its reply (pure)."""

from __future__ import annotations

import zlib
from dataclasses import asdict, dataclass, fields, replace
from decimal import Decimal

from pigeonhole.domain.document import Tier
from pigeonhole.jobs.job import Job, Reservation
from pigeonhole.jobs.reply import InterpretedReply
from pigeonhole.money.pricing import NOTHING

# So that writers seldom meet: two transactions on one item at once are one too many.
_SHARDS = 8
UNUSABLE, UNANSWERED = "unusable", "unanswered"


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageTotals:
    """Calls, their tokens by kind, and US dollars: `usd` is exact to the kinds of tokens.

    `unsettled_usd` is the most that calls may have cost whose answer never came. `alone_usd` is what the
    fast model's tokens would have cost at the strong one, none of them cached. Each `saved` is what the
    calls would have cost more without that one thing.
    """

    calls: int = 0
    reused: int = 0
    unsettled: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    usd: Decimal = NOTHING
    unsettled_usd: Decimal = NOTHING
    alone_usd: Decimal = NOTHING
    saved_by_caching_usd: Decimal = NOTHING
    saved_by_cutting_usd: Decimal = NOTHING
    saved_by_reuse_usd: Decimal = NOTHING

    def __add__(self, other: UsageTotals) -> UsageTotals:
        return UsageTotals(
            **{
                each.name: getattr(self, each.name) + getattr(other, each.name)
                for each in fields(UsageTotals)
            }
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageLine:
    """What is counted of one day, team, model, tier and category.

    `category` is the answer's own, or `unusable`, or `unanswered` for calls whose answer never came.
    """

    day: str
    team: str
    model: str
    tier: Tier
    category: str
    shard: int
    totals: UsageTotals


def usage_of(before: Job | None, after: Job, interpreted: InterpretedReply | None = None) -> list[UsageLine]:
    """What a write of the job adds to the day's usage: the reply that it records, what it writes off.

    `interpreted` is that reply. A reservation that was written off too early, since its reply came after all,
    is taken back. Each counts on the day on which its call was sent. No two lines are about the same: a
    transaction may write to an item once.
    """
    known = before.replies if before else {}
    lines = [_of_reply(after, interpreted)] if interpreted and interpreted.tier not in known else []
    was, now = set(before.charges.unsettled if before else ()), set(after.charges.unsettled)
    lost = [(each, 1) for each in now - was] + [(each, -1) for each in was - now]
    lines += [_of_lost(after, each, sign) for each, sign in lost]
    return _added_up(lines) if len(lines) > 1 else lines


def _added_up(lines: list[UsageLine]) -> list[UsageLine]:
    totals: dict[UsageLine, UsageTotals] = {}
    for line in lines:
        key = replace(line, totals=UsageTotals())
        totals[key] = totals.get(key, UsageTotals()) + line.totals
    return [replace(key, totals=each) for key, each in totals.items() if each != UsageTotals()]


def _of_reply(job: Job, interpreted: InterpretedReply) -> UsageLine:
    return UsageLine(
        day=interpreted.sent_on.isoformat(),
        team=job.upload.team,
        model=interpreted.reply.model,
        tier=interpreted.tier,
        category=interpreted.analysis.category if interpreted.analysis else UNUSABLE,
        shard=_shard(job),
        totals=_totals(interpreted),
    )


def _totals(interpreted: InterpretedReply) -> UsageTotals:
    is_cached = interpreted.reply.reused
    return UsageTotals(
        calls=int(not is_cached),
        reused=int(is_cached),
        **asdict(interpreted.billed_usage),
        **asdict(interpreted.cost),
    )


def _of_lost(job: Job, lost: Reservation, sign: int) -> UsageLine:
    return UsageLine(
        day=lost.day.isoformat(),
        team=job.upload.team,
        model=lost.model,
        tier=lost.tier,
        category=UNANSWERED,
        shard=_shard(job),
        totals=UsageTotals(unsettled=sign, unsettled_usd=sign * lost.usd),
    )


def _shard(job: Job) -> int:
    return zlib.crc32(f"{job.upload.document} {job.upload.version_id}".encode()) % _SHARDS
