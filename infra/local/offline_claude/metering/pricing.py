"""What tokens cost at the prices of the model catalog, in exact decimals."""

from decimal import Decimal

from infra.local.offline_claude.metering.tokens import TokenUsage
from infra.local.offline_claude.spec.model_catalog import Model

MILLION = Decimal(1_000_000)


def cost_by_kind(tokens: TokenUsage, model: Model) -> dict[str, Decimal]:
    """What these tokens cost in US dollars, for each kind of token."""
    price = model.price_of_prompt(tokens.prompt)
    return {kind: count * getattr(price, kind) / MILLION for kind, count in tokens.as_dict().items()}


def cost_usd(tokens: TokenUsage, model: Model) -> Decimal:
    """What these tokens cost in US dollars."""
    return sum(cost_by_kind(tokens, model).values(), Decimal(0))
