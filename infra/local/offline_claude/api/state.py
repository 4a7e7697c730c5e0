"""What the server remembers between requests; every change is made under one lock."""

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
    """Settings in force, faults that have struck, the ledger, the rate limits, the prompt cache."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._lock, self._clock = threading.Lock(), clock
        self._started_with = settings
        self._requests = 0
        self.reset()

    def reset(self) -> Settings:
        """Back to how the server was started, with an empty ledger."""
        self.ledger, self.prompt_cache = Ledger(self._clock), PromptCache(self._clock)
        self.rate_limiter = RateLimiter(self._started_with.rate_limits, self._clock)
        return self._put(self._started_with)

    def configure(self, wanted: object) -> Settings:
        """Replace the named settings; the others stay. Counts of faults and changed limits begin anew."""
        return self._put(with_changes(self.settings, wanted))

    def _put(self, settings: Settings) -> Settings:
        with self._lock:
            self.settings = settings
            self.token_counter = TokenCounter(
                chars_per_token=settings.chars_per_token, tokens_per_byte=settings.tokens_per_byte
            )
            if settings.rate_limits != self.rate_limiter.rate_limits:
                self.rate_limiter = RateLimiter(settings.rate_limits, self._clock)
            self._faults = FaultInjector(faults=settings.faults, seed=settings.seed)
        return settings

    def next_id(self) -> str:
        """The id of a new request."""
        with self._lock:
            self._requests += 1
            return f"req_offline_{self._requests:08d}"

    def pick_fault(self, request: MessageRequest) -> tuple[Fault | None, float]:
        """The fault that meets this request, if any, and the extra seconds of slow ones."""
        with self._lock:
            return self._faults.pick(request.request_hash, request.document, request.model.id)

    def admit(self, request: MessageRequest, prompt: TokenUsage) -> None:
        """Let a request in, or refuse it: first by the spend limit, then by those of the minute."""
        limit = self.settings.spend_limit_usd
        if limit is not None and self.ledger.total_usd() >= Decimal(str(limit)):
            raise Fault(kind="spend_limit").error()
        self.rate_limiter.admit(request.model.line, prompt)
