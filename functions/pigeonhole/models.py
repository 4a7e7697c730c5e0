"""What is known of each model: prices, limits, legal parameters, as published on the dates given.

Sources: the pricing, model and migration pages of platform.claude.com, August to October 2026.
Prices are US dollars per million tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """Dollars per million tokens, by kind; a cache write is one of five minutes."""

    input: Decimal
    output: Decimal
    cache_write: Decimal
    cache_read: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """One model. `effort` and `can_stop_thinking` say which parameters it takes: an illegal one is a 400."""

    id: str
    price: Price
    long_price: Price | None = None
    long_prompt_tokens: int | None = None
    context_tokens: int
    effort: bool
    can_stop_thinking: bool
    image_edge_px: int


def _price(tokens_in: str, tokens_out: str, cache_write: str, cache_read: str) -> Price:
    return Price(
        input=Decimal(tokens_in),
        output=Decimal(tokens_out),
        cache_write=Decimal(cache_write),
        cache_read=Decimal(cache_read),
    )


_MODELS = (
    Model(  # released 7 October 2026; prompts above 100,000 tokens cost five times as much
        id="claude-haiku-5-5",
        price=_price("0.10", "0.50", "0.125", "0.01"),
        long_price=_price("0.50", "2.50", "0.625", "0.05"),
        long_prompt_tokens=100_000,
        context_tokens=1_000_000,
        effort=True,
        can_stop_thinking=True,
        image_edge_px=2576,
    ),
    Model(  # released 28 September 2026; pages differ on the cache read (0.10 or 0.20): the dearer is taken
        id="claude-sonnet-5-5",
        price=_price("2", "10", "2.50", "0.20"),
        context_tokens=1_000_000,
        effort=True,
        can_stop_thinking=False,
        image_edge_px=2576,
    ),
    Model(
        id="claude-haiku-4-5",
        price=_price("1", "5", "1.25", "0.10"),
        context_tokens=200_000,
        effort=False,
        can_stop_thinking=True,
        image_edge_px=1568,
    ),
    Model(
        id="claude-sonnet-4-6",
        price=_price("3", "15", "3.75", "0.30"),
        context_tokens=1_000_000,
        effort=True,
        can_stop_thinking=True,
        image_edge_px=1568,
    ),
)

MODELS = {model.id: model for model in _MODELS}


class UnknownModelError(ValueError):
    """No facts about this model are in models.py, so neither its price nor its parameters are known."""


def model(name: str) -> Model:
    """The facts about a model; UnknownModelError names those that are known."""
    try:
        return MODELS[name]
    except KeyError:
        raise UnknownModelError(f"{name!r} is not one of {', '.join(sorted(MODELS))}") from None


Effort = Literal["low", "medium", "high"]
