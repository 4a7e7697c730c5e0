"""What the server keeps between requests."""

import threading
import time
from collections.abc import Callable
from decimal import Decimal

from infra.local.offline_claude.control.faults import Fault, FaultInjector
from infra.local.offline_claude.control.settings import Settings, with_changes
from infra.local.offline_claude.metering.ledger import Ledger
from infra.local.offline_claude.metering.prompt_cache import PromptCache
from infra.local.offline_claude.metering.rate_limits import RateLimiter
from infra.local.offline_claude.metering.tokens import TokenCounter, TokenUsage
from infra.local.offline_claude.request.message_request import MessageRequest


class State:
    """The settings in force, the faults with their counts, the ledger, the rate limits, the prompt cache."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._lock, self._clock = threading.Lock(), clock
        self._initial_settings = settings
        self._request_count = 0
        self.reset()

    def reset(self) -> Settings:
        """Return to the initial settings, with an empty ledger, an empty cache and full rate limits."""
        self.ledger, self.prompt_cache = Ledger(self._clock), PromptCache(self._clock)
        self.rate_limiter = RateLimiter(self._initial_settings.rate_limits, self._clock)
        return self._apply(self._initial_settings)

    def configure(self, changes: object) -> Settings:
        """Replace the given settings only. Faults start counting again, and so do limits that changed."""
        return self._apply(with_changes(self.settings, changes))

    def _apply(self, settings: Settings) -> Settings:
        with self._lock:
            self.settings = settings
            self.token_counter = TokenCounter(
                chars_per_token=settings.chars_per_token, tokens_per_byte=settings.tokens_per_byte
            )
            if settings.rate_limits != self.rate_limiter.rate_limits:
                self.rate_limiter = RateLimiter(settings.rate_limits, self._clock)
            self._fault_injector = FaultInjector(faults=settings.faults, seed=settings.seed)
        return settings

    def next_id(self) -> str:
        """A new request id."""
        with self._lock:
            self._request_count += 1
            return f"req_offline_{self._request_count:08d}"

    def pick_fault(self, request: MessageRequest) -> tuple[Fault | None, float]:
        """The fault that applies to this request, if any, and the delay of slow ones in seconds."""
        with self._lock:
            return self._fault_injector.pick(request.request_hash, request.document, request.model.id)

    def admit(self, request: MessageRequest, prompt: TokenUsage) -> None:
        """Apply the spend limit and then the rate limits; raises the 429 of the one that is reached."""
        limit = self.settings.spend_limit_usd
        if limit is not None and self.ledger.total_usd() >= Decimal(str(limit)):
            raise Fault(kind="spend_limit").error()
        self.rate_limiter.admit(request.model.line, prompt)
