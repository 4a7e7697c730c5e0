"""What a call will cost at most and what it did cost, exact to the kind of token (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from pigeonhole.claude.model_catalog import Model, Price
from pigeonhole.domain.document import Reply, Usage

NOTHING = Decimal(0)
_MILLION = Decimal(1_000_000)


def max_cost_usd(model: Model, prompt_tokens: int, answer_tokens: int) -> Decimal:
    """No call with so many tokens at most can cost more: all of its prompt is at the dearest price."""
    price = _price_for(model, prompt_tokens)
    dearest = max(price.input, price.cache_write)
    return (prompt_tokens * dearest + answer_tokens * price.output) / _MILLION


def cost_usd(model: Model, usage: Usage) -> Decimal:
    """Dollars for one call; every kind of token of a long prompt is at the long prompt's price."""
    price = _price_for(model, usage.prompt_tokens)
    return (
        usage.input_tokens * price.input
        + usage.output_tokens * price.output
        + usage.cache_read_tokens * price.cache_read
        + usage.cache_write_tokens * price.cache_write
    ) / _MILLION


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplyCost:
    """What a reply cost in US dollars, and what it would have cost otherwise.

    `usd` is on this upload's bill. `alone_usd` is what the tokens would have cost at the model that the tier
    saves, none of them cached. Each `saved` is what the reply would have cost more without that one thing.
    """

    usd: Decimal = NOTHING
    alone_usd: Decimal = NOTHING
    saved_by_caching_usd: Decimal = NOTHING
    saved_by_cutting_usd: Decimal = NOTHING
    saved_by_reuse_usd: Decimal = NOTHING


def reply_cost(model: Model, reply: Reply, compared_with: Model | None = None) -> ReplyCost:
    """The one pricing of a reply; `compared_with` is the model that would have been asked instead."""
    usage, prompt = reply.usage, reply.usage.prompt_tokens
    billed = cost_usd(model, usage)
    alone = _uncached_usd(compared_with, prompt, usage) if compared_with else NOTHING
    if reply.reused:
        return ReplyCost(alone_usd=alone, saved_by_reuse_usd=billed)
    uncached = _uncached_usd(model, prompt, usage)
    return ReplyCost(
        usd=billed,
        alone_usd=alone,
        saved_by_caching_usd=uncached - billed,
        saved_by_cutting_usd=_uncached_usd(model, prompt + reply.left_out_tokens, usage) - uncached,
    )


def _uncached_usd(model: Model, prompt_tokens: int, usage: Usage) -> Decimal:
    price = _price_for(model, prompt_tokens)
    return (prompt_tokens * price.input + usage.output_tokens * price.output) / _MILLION


def _price_for(model: Model, prompt_tokens: int) -> Price:
    if model.long_price and model.long_prompt_tokens and prompt_tokens > model.long_prompt_tokens:
        return model.long_price
    return model.price
