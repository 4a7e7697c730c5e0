"""Misbehaviour on request: seed, request hash and count decide which fault strikes, never the clock."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.local.offline_claude.spec.errors import ApiError

REFUSED: Mapping[str, tuple[int, str]] = {
    "rate_limit": (429, "This request would exceed your organization's rate limit. Please try again later."),
    "spend_limit": (429, "Your organization has reached its enforced spend limit for this month."),
    "usage_limit": (400, "You have reached your specified API usage limits. You will regain access later."),
    "authentication": (401, "invalid x-api-key"),
    "billing": (402, "Your credit balance is too low to access the Anthropic API."),
    "permission": (403, "Your API key does not have permission to use the specified resource."),
    "not_found": (404, "model: not available to this organization"),
    "request_timeout": (408, "Request timed out"),
    "conflict": (409, "The request conflicts with the current state of the resource"),
    "too_large": (413, "Request exceeds the maximum size"),
    "server_error": (500, "Internal server error"),
    "unavailable": (503, "Service temporarily unavailable"),
    "timeout": (504, "The request timed out while processing"),
    "overloaded": (529, "Overloaded"),
}  # fmt: skip
CUT = ("cut_before", "cut_after_billing")
ANSWERED = (
    "truncated", "refusal", "invalid_json", "wrong_category", "other_capitals", "quote_not_in_document",
    "low_confidence",
)  # fmt: skip
KINDS = (*REFUSED, *CUT, *ANSWERED, "slow")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A kind of misbehaviour and whom it meets: a share of requests, the next few, documents with a mark.

    Given none of these three it meets every request; `model` narrows it to models with that in their name.
    """

    kind: str
    rate: float | None = None
    next: int = 0
    marker: str = ""
    model: str = ""
    retry_after_s: float | None = None
    seconds: float = 0.0

    def rejection(self) -> ApiError:
        """The error that this fault answers with."""
        status, message = REFUSED[self.kind]
        after = {} if self.retry_after_s is None else {"retry-after": f"{self.retry_after_s:g}"}
        code = "enforced_spend_limit_reached" if self.kind == "spend_limit" else None
        return ApiError(status=status, message=message, error_code=code, headers=after)


@dataclass(kw_only=True)
class Faults:
    """The faults in force and how often each has struck; the caller holds the lock."""

    faults: tuple[Fault, ...] = ()
    seed: int = 0
    left: list[int] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.left = [fault.next for fault in self.faults]

    def meet(self, request_hash: str, document: str, model: str) -> tuple[Fault | None, float]:
        """The first fault that meets this request, and the seconds that slow ones add."""
        self.seen[request_hash] += 1
        slow = 0.0
        for number, fault in enumerate(self.faults):
            if not self._strikes(number, fault, request_hash, document, model):
                continue
            if fault.kind != "slow":
                return fault, slow
            slow += fault.seconds
        return None, slow

    def _strikes(self, number: int, fault: Fault, request_hash: str, document: str, model: str) -> bool:
        if fault.model not in model:
            return False
        if fault.marker:
            return fault.marker in document
        if fault.next:
            self.left[number] -= 1
            return self.left[number] >= 0
        share = 1.0 if fault.rate is None else fault.rate
        return draw(self.seed, number, request_hash, self.seen[request_hash]) < share


def draw(*of: Any) -> float:
    """A number from 0 up to 1 that is always the same for the same things."""
    digest = hashlib.sha256(repr(of).encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
