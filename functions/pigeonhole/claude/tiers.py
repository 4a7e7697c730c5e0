"""The tiers: what each is asked with, and when its answer stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pigeonhole.claude.model_catalog import Effort, Model
from pigeonhole.domain.document import Stage, Tier
from pigeonhole.domain.policy import Reason, Thresholds


@dataclass(frozen=True, kw_only=True, slots=True)
class TierConfig:
    """One tier.

    `document_tokens` is the budget of what is sent of a document, estimated; `likely_tokens` is what an
    answer takes as a rule, `max_tokens` what it takes at most; `timeout` is in seconds. With a reason that is
    none of `escalates_for`, the answer goes to a person and not to the next tier. `compared_with` is the
    model that would have to be asked if this tier did not exist.
    """

    tier: Tier
    model: Model
    max_tokens: int
    likely_tokens: int
    effort: Effort
    thinks: bool
    document_tokens: int
    timeout: float
    thresholds: Thresholds
    escalates_for: frozenset[Reason] = frozenset()
    compared_with: Model | None = None


# In the order in which they are asked; each has a stage of its own.
Tiers = Mapping[Stage, TierConfig]
