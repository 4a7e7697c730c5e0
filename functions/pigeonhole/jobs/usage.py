"""What a day's calls come to: each is counted in the very write that keeps its reply (pure)."""

from __future__ import annotations

import zlib
from dataclasses import asdict, dataclass, fields, replace
from decimal import Decimal

from pigeonhole.claude import model_catalog
from pigeonhole.claude.answer_form import UnusableReplyError, interpret
from pigeonhole.claude.model_catalog import Model
from pigeonhole.domain.document import Reply, Tier
from pigeonhole.domain.taxonomy import Taxonomy
from pigeonhole.jobs.job import Reservation, Work
from pigeonhole.money import pricing
from pigeonhole.money.pricing import NOTHING

# So that writers seldom meet: two transactions on one item at once are one too many.
_SHARDS = 8
UNUSABLE, UNANSWERED = "unusable", "unanswered"


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    """Calls, their tokens by kind, and dollars: `usd` is exact to the kinds of tokens.

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

    def __add__(self, other: Count) -> Count:
        return Count(
            **{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(Count)}
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """What is counted of one day, team, model, tier and category.

    `category` is the answer's own, or `unusable`, or `unanswered` for calls whose answer never came.
    """

    day: str
    team: str
    model: str
    tier: Tier
    category: str
    shard: int
    count: Count


def told(before: Work | None, after: Work, day: str, strong: str, taxonomy: Taxonomy) -> list[Tally]:
    """What a step of the work adds to the day: the replies it keeps, the reservations it writes off.

    One that was written off too early, since its answer came after all, is taken back. No two are about
    the same: a transaction may write to an item once.
    """
    known = before.replies if before else {}
    replies = [each for each in after.replies.items() if each[0] not in known]
    was, now = set(before.unsettled if before else ()), set(after.unsettled)
    lost = [(each, 1) for each in now - was] + [(each, -1) for each in was - now]
    tallies = [_of_reply(after, tier, reply, day, strong, taxonomy) for tier, reply in replies]
    tallies += [_of_lost(after, each, sign, day) for each, sign in lost]
    return _added_up(tallies) if len(tallies) > 1 else tallies


def _added_up(tallies: list[Tally]) -> list[Tally]:
    counts: dict[Tally, Count] = {}
    for tally in tallies:
        of = replace(tally, count=Count())
        counts[of] = counts.get(of, Count()) + tally.count
    return [replace(of, count=count) for of, count in counts.items() if count != Count()]


def _of_reply(work: Work, tier: Tier, reply: Reply, day: str, strong: str, taxonomy: Taxonomy) -> Tally:
    return Tally(
        day=day,
        team=work.upload.team,
        model=reply.model,
        tier=tier,
        category=_category(reply, taxonomy),
        shard=_shard(work),
        count=_count(reply, model_catalog.model(strong) if tier is Tier.FAST else None),
    )


def _count(reply: Reply, strong: Model | None) -> Count:
    model, usage = model_catalog.model(reply.model), reply.usage
    cost, plain = pricing.cost_usd(model, usage), pricing.uncached_usd(model, usage)
    alone = pricing.uncached_usd(strong, usage) if strong else NOTHING
    if reply.reused:
        return Count(reused=1, saved_by_reuse_usd=cost, alone_usd=alone)
    return Count(
        calls=1,
        **asdict(usage),
        usd=cost,
        alone_usd=alone,
        saved_by_caching_usd=plain - cost,
        saved_by_cutting_usd=pricing.uncached_usd(model, usage, reply.left_out_tokens) - plain,
    )


def _of_lost(work: Work, lost: Reservation, sign: int, day: str) -> Tally:
    return Tally(
        day=day,
        team=work.upload.team,
        model=lost.model,
        tier=lost.tier,
        category=UNANSWERED,
        shard=_shard(work),
        count=Count(unsettled=sign, unsettled_usd=sign * lost.usd),
    )


def _category(reply: Reply, taxonomy: Taxonomy) -> str:
    try:
        return interpret(reply, taxonomy).category
    except UnusableReplyError:
        return UNUSABLE


def _shard(work: Work) -> int:
    return zlib.crc32(f"{work.upload.document} {work.upload.version_id}".encode()) % _SHARDS
