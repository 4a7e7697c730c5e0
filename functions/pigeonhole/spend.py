"""What a call did cost, exact to the kind of token."""

from __future__ import annotations

from decimal import Decimal

from pigeonhole.document import Usage
from pigeonhole.models import Model, Price

_MILLION = Decimal(1_000_000)


def cost_usd(model: Model, usage: Usage) -> Decimal:
    """Dollars for one call; every kind of token of a long prompt is at the long prompt's price."""
    price = _price_for(model, usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens)
    return (
        usage.input_tokens * price.input
        + usage.output_tokens * price.output
        + usage.cache_read_tokens * price.cache_read
        + usage.cache_write_tokens * price.cache_write
    ) / _MILLION


def _price_for(model: Model, prompt_tokens: int) -> Price:
    if model.long_price and model.long_prompt_tokens and prompt_tokens > model.long_prompt_tokens:
        return model.long_price
    return model.price
