"""What a call will cost at most and what it did cost, exact to the kind of token (pure)."""

from __future__ import annotations

from decimal import Decimal

from pigeonhole.claude.model_catalog import Model, Price
from pigeonhole.domain.document import Usage

NOTHING = Decimal(0)
_MILLION = Decimal(1_000_000)


def most_usd(model: Model, prompt_tokens: int, answer_tokens: int) -> Decimal:
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


def uncached_usd(model: Model, usage: Usage, left_out_tokens: int = 0) -> Decimal:
    """What the call would have cost without the cache, and with so many more tokens of the document."""
    plain = usage.prompt_tokens + left_out_tokens
    return cost_usd(model, Usage(input_tokens=plain, output_tokens=usage.output_tokens))


def _price_for(model: Model, prompt_tokens: int) -> Price:
    if model.long_price and model.long_prompt_tokens and prompt_tokens > model.long_prompt_tokens:
        return model.long_price
    return model.price
