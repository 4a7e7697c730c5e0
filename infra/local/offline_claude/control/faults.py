"""Fault injection: errors, closed connections, spoiled answers and delays.

Which requests a fault applies to depends on the seed, the request's hash and how often it was sent, and never
on the clock, so a run can be repeated.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.local.offline_claude.spec.errors import ApiError

ERROR_FAULTS: Mapping[str, tuple[int, str]] = {
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
DISCONNECT_FAULTS = ("cut_before", "cut_after_billing")
ANSWER_FAULTS = (
    "truncated", "refusal", "invalid_json", "wrong_category", "other_capitals", "quote_not_in_document",
    "low_confidence",
)  # fmt: skip
FAULT_KINDS = (*ERROR_FAULTS, *DISCONNECT_FAULTS, *ANSWER_FAULTS, "slow")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault, and to which requests it applies.

    `rate` selects a share of all requests, `next` so many of the next ones, and `marker` those whose document
    contains this text; without any of the three it applies to every request. `model` narrows it to models
    with this text in their id. `retry_after_s` goes with errors; `seconds` is the delay of the kind `slow`.
    """

    kind: str
    rate: float | None = None
    next: int = 0
    marker: str = ""
    model: str = ""
    retry_after_s: float | None = None
    seconds: float = 0.0

    def error(self) -> ApiError:
        """The error response of this fault. Only for the kinds in `ERROR_FAULTS`."""
        status, message = ERROR_FAULTS[self.kind]
        headers = {} if self.retry_after_s is None else {"retry-after": f"{self.retry_after_s:g}"}
        code = "enforced_spend_limit_reached" if self.kind == "spend_limit" else None
        return ApiError(status=status, message=message, error_code=code, headers=headers)


@dataclass(kw_only=True)
class FaultInjector:
    """The faults in force and what they have counted so far. Not thread-safe: the caller holds a lock."""

    faults: tuple[Fault, ...] = ()
    seed: int = 0
    remaining: list[int] = field(default_factory=list)
    times_seen: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.remaining = [fault.next for fault in self.faults]

    def pick(self, request_hash: str, document: str, model: str) -> tuple[Fault | None, float]:
        """The first fault that applies to this request, if any, and the seconds of slow ones before it."""
        self.times_seen[request_hash] += 1
        delay_s = 0.0
        for number, fault in enumerate(self.faults):
            if not self._applies(number, fault, request_hash, document, model):
                continue
            if fault.kind != "slow":
                return fault, delay_s
            delay_s += fault.seconds
        return None, delay_s

    def _applies(self, number: int, fault: Fault, request_hash: str, document: str, model: str) -> bool:
        if fault.model not in model:
            return False
        if fault.marker:
            return fault.marker in document
        if fault.next:
            self.remaining[number] -= 1
            return self.remaining[number] >= 0
        rate = 1.0 if fault.rate is None else fault.rate
        return hash_fraction(self.seed, number, request_hash, self.times_seen[request_hash]) < rate


def hash_fraction(*values: Any) -> float:
    """A pseudo-random number from 0 up to but not including 1, the same for the same values."""
    digest = hashlib.sha256(repr(values).encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
