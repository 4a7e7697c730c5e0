"""Claude, connected at the first request, with a key from Secrets Manager and never from the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from threading import Lock
from typing import Any

from botocore.exceptions import ClientError

from pigeonhole.adapters.aws import classified, code_of
from pigeonhole.domain.document import Reply
from pigeonhole.domain.errors import StopAll, TryLater, WaitReason
from pigeonhole.ports import Clock, ModelClient

_KEY_KEPT = timedelta(minutes=10)
# The last one: it is about to be deleted.
_UNUSABLE = frozenset(
    {"ResourceNotFoundException", "AccessDeniedException", "DecryptionFailure", "InvalidRequestException"}
)


class LazyClaude:
    """ports.ModelClient that loads Claude's SDK at the first request: it is two thirds of a cold start.

    The key is looked up anew from time to time: it may have been replaced.
    """

    def __init__(self, secrets: Callable[[], Any], arn: str, base_url: str | None, clock: Clock) -> None:
        self._secrets = secrets
        self._arn = arn
        self._base_url = base_url
        self._clock = clock
        self._lock = Lock()
        self._claude: ModelClient | None = None
        self._fetch_key_at = clock.now()

    def ask(self, request: Mapping[str, Any], *, timeout: float) -> Reply:
        """As ports.ModelClient. A key that is refused is fetched afresh once."""
        began = self._clock.now()
        claude = self._with_key()
        try:
            return claude.ask(request, timeout=timeout)
        except StopAll as error:
            if error.waiting_for is not WaitReason.CREDENTIALS:
                raise
        left = max(timeout - (self._clock.now() - began).total_seconds(), 1.0)
        return self._with_key(refused=claude).ask(request, timeout=left)

    def _with_key(self, refused: ModelClient | None = None) -> ModelClient:
        with self._lock:
            claude = self._claude
            if claude is None or claude is refused:
                claude = self._connected()
            elif self._clock.now() >= self._fetch_key_at:
                # The one that we have is good until it is refused.
                with suppress(TryLater):
                    claude = self._connected()
            self._claude = claude
            return claude

    def _connected(self) -> ModelClient:
        from pigeonhole.adapters.anthropic_client import AnthropicClient

        self._fetch_key_at = self._clock.now() + _KEY_KEPT
        key = api_key(self._secrets(), self._arn)
        return AnthropicClient(key, self._base_url)


def api_key(secrets: Any, arn: str) -> str:
    """The secret's text. StopAll when there is none, or we may not have it: no document can go on."""
    with classified():
        try:
            value = secrets.get_secret_value(SecretId=arn).get("SecretString", "").strip()
        except ClientError as error:
            if code_of(error) in _UNUSABLE:
                raise StopAll(WaitReason.CREDENTIALS, f"the API key's secret: {code_of(error)}") from error
            raise
    if not value:
        raise StopAll(WaitReason.CREDENTIALS, "the API key's secret holds no text")
    return str(value)
