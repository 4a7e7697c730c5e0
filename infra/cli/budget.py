"""How many documents may be started so that the real Claude costs no more than allowed, whatever it says."""

import math

from pigeonhole import models
from pigeonhole.extract import Limits
from pigeonhole.wiring import Settings

# A token for every character is more than any language takes; a page image is at most width x height / 750.
PROMPT_TOKENS = 10_000
ANSWER_TOKENS = {"fast": 1024, "strong": 4096}


def worst_case_usd() -> float:
    """One document at the limits of both passes, the second one included."""
    return sum(_call_usd(tier) for tier in ANSWER_TOKENS)


def affordable(max_usd: float, spent_usd: float) -> int:
    """The number of documents whose worst case fits into what is left."""
    return max(0, math.floor((max_usd - spent_usd) / worst_case_usd()))


def _call_usd(tier: str) -> float:
    fields = Settings.model_fields
    model = models.model(fields[f"{tier}_model"].default)
    limits = Limits()
    images = limits.eye_pages * math.ceil(limits.image_px**2 / 750)
    asked = PROMPT_TOKENS + int(fields[f"{tier}_chars"].default) + images
    price = (
        model.long_price if model.long_price and asked > (model.long_prompt_tokens or asked) else model.price
    )
    return float(asked * price.input + ANSWER_TOKENS[tier] * price.output) / 1_000_000
