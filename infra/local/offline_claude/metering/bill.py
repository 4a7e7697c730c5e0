"""The server's own bill: what all requests so far came to, by kind of token and by model, in exact sums."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from infra.local.offline_claude.metering.tokens import Tokens, costs
from infra.local.offline_claude.spec.model_catalog import MODELS


@dataclass(kw_only=True)
class Account:
    """What some requests came to; a refused one was answered with an error."""

    requests: int = 0
    refused: int = 0
    tokens: Counter[str] = field(default_factory=Counter)
    usd: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, status: int | None, tokens: Tokens, usd: dict[str, Decimal]) -> None:
        """Count one request; one that was cut off has no status."""
        self.requests += 1
        self.refused += status is not None and status >= 400
        self.tokens.update(tokens.as_dict())
        for kind, cost in usd.items():
            self.usd[kind] += cost

    def total(self) -> Decimal:
        """All of it in US dollars."""
        return sum(self.usd.values(), Decimal(0))

    def as_dict(self) -> dict[str, Any]:
        """The account as JSON."""
        return {
            "usd": float(self.total()),
            "requests": self.requests,
            "refused": self.refused,
            "tokens": dict(self.tokens),
            "usd_by_kind": {kind: float(usd) for kind, usd in self.usd.items()},
        }


@dataclass(kw_only=True)
class Bill:
    """The account of all requests and one for each model; the caller holds the lock."""

    all: Account = field(default_factory=Account)
    models: defaultdict[str, Account] = field(default_factory=lambda: defaultdict(Account))

    def add(self, model: str | None, status: int | None, tokens: Tokens) -> None:
        """Enter one request; one that named no model is in the sum only."""
        usd = costs(tokens, MODELS[model]) if model else {}
        for account in (self.all, *([self.models[model]] if model else [])):
            account.add(status, tokens, usd)

    def as_dict(self) -> dict[str, Any]:
        """The bill as JSON."""
        return self.all.as_dict() | {"models": {name: one.as_dict() for name, one in self.models.items()}}
