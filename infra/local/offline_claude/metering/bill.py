"""The bill: exact sums over all requests so far, by kind of token and by model."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from infra.local.offline_claude.metering.pricing import cost_by_kind
from infra.local.offline_claude.metering.tokens import TokenUsage
from infra.local.offline_claude.spec.model_catalog import MODELS


@dataclass(kw_only=True)
class Totals:
    """Sums over some requests; `refused` counts those that were answered with an error."""

    requests: int = 0
    refused: int = 0
    tokens: Counter[str] = field(default_factory=Counter)
    usd: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, status: int | None, tokens: TokenUsage, usd: dict[str, Decimal]) -> None:
        """Count one request; its status is None if the connection was closed without an answer."""
        self.requests += 1
        self.refused += status is not None and status >= 400
        self.tokens.update(tokens.as_dict())
        for kind, amount in usd.items():
            self.usd[kind] += amount

    def total_usd(self) -> Decimal:
        """The sum in US dollars."""
        return sum(self.usd.values(), Decimal(0))

    def as_dict(self) -> dict[str, Any]:
        """The sums as JSON."""
        return {
            "usd": float(self.total_usd()),
            "requests": self.requests,
            "refused": self.refused,
            "tokens": dict(self.tokens),
            "usd_by_kind": {kind: float(usd) for kind, usd in self.usd.items()},
        }


@dataclass(kw_only=True)
class Bill:
    """The sums over all requests and for each model. Not thread-safe: the ledger holds its lock."""

    overall: Totals = field(default_factory=Totals)
    by_model: defaultdict[str, Totals] = field(default_factory=lambda: defaultdict(Totals))

    def add(self, model: str | None, status: int | None, tokens: TokenUsage) -> None:
        """Count one request; one without a valid model is only in the overall sums."""
        usd = cost_by_kind(tokens, MODELS[model]) if model else {}
        for totals in (self.overall, *([self.by_model[model]] if model else [])):
            totals.add(status, tokens, usd)

    def as_dict(self) -> dict[str, Any]:
        """The bill as JSON."""
        return self.overall.as_dict() | {
            "models": {name: one.as_dict() for name, one in self.by_model.items()}
        }
