"""What is known of each model: prices, limits, legal parameters, as published on the dates given.

Sources: platform.claude.com, the model pages of October 2026 for the 5.5 models; for the others the pages on
pricing, models, prompt caching and vision of 19 to 22 August 2026. Prices are US dollars per million tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import ceil
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
    """One model. `effort` and `can_stop_thinking` say which parameters it takes: an illegal one is a 400.

    Above `long_prompt_tokens` the whole call is at `long_price`. A prefix of fewer than
    `cacheable_tokens` is never cached. An image is scaled to `image_edge_px` on its long edge, and costs
    a token for each square of 28 pixels, up to `image_tokens`.
    """

    id: str
    price: Price
    long_price: Price | None = None
    long_prompt_tokens: int | None = None
    context_tokens: int
    output_tokens: int
    cacheable_tokens: int
    effort: bool
    can_stop_thinking: bool
    image_edge_px: int
    image_tokens: int


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
        output_tokens=128_000,
        cacheable_tokens=512,
        effort=True,
        can_stop_thinking=True,
        image_edge_px=2576,
        image_tokens=4_784,
    ),
    Model(  # released 28 September 2026; the cache read by both migration guides, 25 November 2026
        id="claude-sonnet-5-5",
        price=_price("2", "10", "2.50", "0.10"),
        context_tokens=1_000_000,
        output_tokens=128_000,
        cacheable_tokens=512,
        effort=True,
        can_stop_thinking=False,
        image_edge_px=2576,
        image_tokens=4_784,
    ),
    Model(  # released 22 September 2026; image limits as Sonnet 5.5's, since its page names none of its own
        id="claude-opus-5-5",
        price=_price("4", "20", "5", "0.20"),
        context_tokens=1_000_000,
        output_tokens=128_000,
        cacheable_tokens=512,
        effort=True,
        can_stop_thinking=False,
        image_edge_px=2576,
        image_tokens=4_784,
    ),
    Model(  # active; no date of retirement published
        id="claude-haiku-4-5",
        price=_price("1", "5", "1.25", "0.10"),
        context_tokens=200_000,
        output_tokens=64_000,
        cacheable_tokens=4_096,
        effort=False,
        can_stop_thinking=True,
        image_edge_px=1568,
        image_tokens=1_568,
    ),
)

_IMAGE_SQUARE_PX = 28

MODELS = {model.id: model for model in _MODELS}


class UnknownModelError(ValueError):
    """No facts about this model are in model_catalog.py: neither its price nor its parameters are known."""


def model(name: str) -> Model:
    """The facts about a model; UnknownModelError names those that are known."""
    try:
        return MODELS[name]
    except KeyError:
        raise UnknownModelError(f"{name!r} is not one of {', '.join(sorted(MODELS))}") from None


def image_tokens(model: Model, width: int, height: int) -> int:
    """What looking at an image of so many pixels takes, after it was scaled to the model's edge."""
    scale = min(1.0, model.image_edge_px / max(width, height, 1))
    squares = ceil(width * scale / _IMAGE_SQUARE_PX) * ceil(height * scale / _IMAGE_SQUARE_PX)
    return min(squares, model.image_tokens)


Effort = Literal["low", "medium", "high"]
