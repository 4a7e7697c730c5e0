"""Claude over HTTP, and the only importer of its SDK: every way it can fail becomes one of our errors."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from json import JSONDecodeError
from math import isfinite
from typing import Any

import anthropic
import httpx2

from pigeonhole.domain.document import RateLimits, Reply, Usage
from pigeonhole.domain.error_codes import ErrorCode
from pigeonhole.domain.errors import (
    Defect,
    DocumentError,
    PigeonholeError,
    RetryCause,
    StopAll,
    TryLater,
    WaitReason,
)

_SPEND_LIMIT = "enforced_spend_limit_reached"
# What the whole account has run into: no document would fare better.
_ACCOUNT_CODES = frozenset(
    {
        _SPEND_LIMIT,
        "contract_spend_limit_reached",
        "organization_on_hold",
        "cmek_key_disabled",
        "cmek_key_network_blocked",
        "workspace_human_review_disabled",
    }
)
# The same without a code, as a plain 400: limits that an account or a workspace set for itself, no credit.
_ACCOUNT_WORDS = (
    "You have reached your specified",
    "Your credit balance is too low",
    "This organization has been disabled",
)
_DOCUMENT_CODES = frozenset({"image_dimensions_too_large"})
# Nothing of the request had left us.
_UNSENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
)
# A 400 without a code whose message names one of these is about our parameters.
_OUR_PARAMETERS = (
    *("thinking", "effort", "output_config", "schema", "max_tokens:"),
    *("temperature", "tool_choice", "prefill", "system:", "model"),
)
_KEYS = re.compile(r"sk-ant-[\w-]+")
_OVERLOADED_SECONDS, _RATE_LIMIT_SECONDS, _UNSURE_SECONDS = 30.0, 60.0, 20.0


class AnthropicClient:
    """One client a container, as ports.ModelClient."""

    def __init__(self, api_key: str, base_url: str | None = None) -> None:
        self._key = api_key
        # No retries of its own: it would sleep inside the call, on our bill, and hide what it was told.
        self._client = anthropic.Anthropic(
            api_key=api_key,
            base_url=base_url,
            max_retries=0,
            http_client=anthropic.DefaultHttpxClient(event_hooks={"request": [_begin], "response": [_bound]}),
        )

    def ask(self, request: Mapping[str, Any], *, timeout: float) -> Reply:
        """One Messages API call; see `classify` for what it may raise."""
        try:
            answered = self._client.messages.with_raw_response.create(**request, timeout=timeout)
            message = answered.parse()
        except anthropic.AnthropicError as error:
            raise classify(error, self._key) from error
        except (JSONDecodeError, UnicodeDecodeError) as error:  # the SDK lets these two through
            raise _unreadable(error) from error
        try:
            return _reply(message, request["model"], answered.headers)
        # The SDK builds its message unchecked, of any JSON.
        except (AttributeError, TypeError, ValueError) as error:
            raise _unreadable(error) from error


def _begin(request: httpx2.Request) -> None:
    request.extensions = {**request.extensions, "began": time.monotonic()}


def _bound(response: httpx2.Response) -> None:
    """The time-out is for the whole answer; the client's own begins anew with every byte."""
    extensions = response.request.extensions
    assert isinstance(response.stream, httpx2.SyncByteStream)  # noqa: S101  this client is not asynchronous
    response.stream = _InTime(response.stream, extensions["began"] + extensions["timeout"]["read"])


class _InTime(httpx2.SyncByteStream):
    """An answer's bytes for as long as it may take."""

    def __init__(self, stream: httpx2.SyncByteStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        for some in self._stream:
            if time.monotonic() > self._deadline:
                raise httpx2.ReadTimeout("the answer took longer than allowed, byte by byte")
            yield some

    def close(self) -> None:
        """As the stream that it stands for."""
        self._stream.close()


def _reply(message: anthropic.types.Message, model: str, headers: Mapping[str, str]) -> Reply:
    # A thinking block may come first: choose by type, never by position.
    texts = [block.text for block in message.content if block.type == "text"]
    usage = message.usage
    return Reply(
        model=model,
        # A lone surrogate, which JSON can hold, could not be written down.
        text="".join(texts).encode("utf-8", "replace").decode(),
        stop_reason=message.stop_reason or "unknown",
        usage=Usage(
            input_tokens=int(usage.input_tokens),
            output_tokens=int(usage.output_tokens),
            cache_read_tokens=int(usage.cache_read_input_tokens or 0),
            cache_write_tokens=int(usage.cache_creation_input_tokens or 0),
        ),
        request_id=message.id,
        rate_limits=RateLimits(
            requests=_limit(headers, "requests"),
            input_tokens=_limit(headers, "input-tokens"),
            output_tokens=_limit(headers, "output-tokens"),
        ),
    )


def _limit(headers: Mapping[str, str], of: str) -> int | None:
    """What the account may ask in a minute, if the answer says it and it makes sense."""
    limit = headers.get(f"anthropic-ratelimit-{of}-limit", "")
    return int(limit) or None if limit.isascii() and limit.isdigit() and len(limit) < 12 else None


def _unreadable(error: Exception) -> TryLater:
    reason = f"Claude's answer could not be read ({type(error).__name__})"
    return TryLater(reason, seconds=_UNSURE_SECONDS, cause=RetryCause.BILLED)


def classify(error: anthropic.AnthropicError, key: str = "") -> PigeonholeError:
    """The error as one of ours: DocumentError, TryLater, StopAll or Defect.

    It says what the API said, but for the key.
    """
    detail = _message_of(error, key)
    if isinstance(error, anthropic.APIStatusError):
        return _of_status(error, detail)
    if isinstance(error, anthropic.APIConnectionError):
        return _of_connection(error)
    if isinstance(error, anthropic.CredentialsError):
        return StopAll(WaitReason.CREDENTIALS, detail)
    if isinstance(error, anthropic.RetryableError | anthropic.APIResponseValidationError):
        return _unreadable(error)
    return Defect(f"{type(error).__name__}: {detail}")


def _of_status(error: anthropic.APIStatusError, detail: str) -> PigeonholeError:
    status = error.status_code
    if _is_of_account(error, detail):
        return StopAll(WaitReason.CLAUDE, detail, until=_resumes(error))
    if status in _STOPPING:
        return StopAll(_STOPPING[status], detail)
    if status == 429:
        return TryLater(
            "Claude's rate limit",
            seconds=_retry_after(error) or _RATE_LIMIT_SECONDS,
            cause=RetryCause.THROTTLED,
        )
    if status in (503, 529):
        return TryLater(
            "Claude is overloaded",
            seconds=_retry_after(error) or _OVERLOADED_SECONDS,
            cause=RetryCause.THROTTLED,
        )
    if status >= 500 or status in (408, 409, 499):
        return TryLater(
            f"Claude failed ({status})",
            seconds=_retry_after(error) or _UNSURE_SECONDS,
            cause=RetryCause.BILLED,
        )
    if status == 413 or (status == 400 and _is_of_document(error, detail)):
        return DocumentError(ErrorCode.REJECTED, detail)
    return Defect(f"Claude refused our request ({status}): {detail}")


# Configuration: no document would fare better until a person has mended it.
_STOPPING = {
    401: WaitReason.CREDENTIALS,
    403: WaitReason.CREDENTIALS,
    402: WaitReason.CLAUDE,
    404: WaitReason.CLAUDE,
}


def _is_of_account(error: anthropic.APIStatusError, detail: str) -> bool:
    return error.error_code in _ACCOUNT_CODES or detail.startswith(_ACCOUNT_WORDS)


def _is_of_document(error: anthropic.APIStatusError, detail: str) -> bool:
    """By its code, or else by the API's own words: the 400 of some gateway is no document's fault."""
    if error.error_code:
        return error.error_code in _DOCUMENT_CODES
    if error.type != "invalid_request_error":
        return False
    # Where the message names its place in the document, words of ours in it mean nothing.
    return detail.startswith("messages.") or not any(word in detail for word in _OUR_PARAMETERS)


def _of_connection(error: anthropic.APIConnectionError) -> PigeonholeError:
    """Refused is certainly unpaid; a time-out, or a cut in the middle, may have been billed."""
    late = isinstance(error, anthropic.APITimeoutError)
    reason = "Claude did not answer in time" if late else "no connection to Claude"
    unsent = isinstance(error.__cause__, _UNSENT)
    return TryLater(
        reason, seconds=_UNSURE_SECONDS, cause=RetryCause.THROTTLED if unsent else RetryCause.BILLED
    )


def _retry_after(error: anthropic.APIStatusError) -> float | None:
    try:
        seconds = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(max(seconds, 1.0), 43_000.0) if isfinite(seconds) else None


def _resumes(error: anthropic.APIStatusError) -> datetime | None:
    """The tier's limit lasts to the first of the next month, 00:00 UTC; others say it only in words."""
    if error.error_code != _SPEND_LIMIT:
        return None
    now = datetime.now(UTC)
    year, month = divmod(now.year * 12 + now.month, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)


def _message_of(error: Exception, key: str) -> str:
    """The API's own message, without our request, and without any key: not all between us are discreet."""
    body = getattr(error, "body", None)
    inner = body.get("error") if isinstance(body, dict) else None
    message = inner.get("message") if isinstance(inner, dict) else None
    detail = str(message or error)
    return _KEYS.sub("[key]", detail.replace(key, "[key]") if key else detail)[:300]
