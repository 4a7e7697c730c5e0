"""POST /v1/messages: parse, apply limits, inject a fault or answer, bill, and add to the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from infra.local.offline_claude.api.http_messages import HttpRequest, HttpResponse
from infra.local.offline_claude.api.state import State
from infra.local.offline_claude.control.faults import DISCONNECT_FAULTS, ERROR_FAULTS, hash_fraction
from infra.local.offline_claude.generation.completion import complete
from infra.local.offline_claude.generation.message import Message, build_message
from infra.local.offline_claude.metering.ledger import LedgerEntry
from infra.local.offline_claude.metering.pricing import cost_usd
from infra.local.offline_claude.metering.prompt_cache import cacheable_prefixes
from infra.local.offline_claude.metering.tokens import TokenUsage
from infra.local.offline_claude.request.message_request import (
    MessageRequest,
    canonical_hash,
    parse_message_request,
)
from infra.local.offline_claude.spec.errors import ApiError, bad_request


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a request ended: the response, the message that was billed if any, and the fault if any."""

    response: HttpResponse
    message: Message | None = None
    fault: str | None = None


def create_message(http_request: HttpRequest, state: State, request_id: str) -> HttpResponse:
    """Answer a messages request. Its ledger entry is written before the response leaves, also for errors."""
    request: MessageRequest | None = None
    try:
        request = parse_message_request(http_request.json())
        outcome = _answer(request, state)
    except ApiError as error:
        state.ledger.add(_entry(http_request, request_id, request, None, status=error.status))
        raise
    state.ledger.add(_entry(http_request, request_id, request, outcome, status=_status(outcome)))
    return outcome.response


def count_tokens(http_request: HttpRequest, state: State) -> HttpResponse:
    """How many input tokens a messages request would have. It is free, so it has no ledger entry."""
    request = parse_message_request(http_request.json(), counting=True)
    tokens = state.token_counter.count_prompt(request.body, request.content, request.model)
    return HttpResponse(body={"input_tokens": tokens})


def _answer(request: MessageRequest, state: State) -> Outcome:
    prefixes = cacheable_prefixes(request, state.token_counter)
    prompt = state.prompt_cache.look_up(prefixes, _prompt_tokens(request, state))
    state.admit(request, prompt)
    fault, slow_s = state.pick_fault(request)
    delay_s = slow_s + _latency_s(request, state)
    if fault and fault.kind in ERROR_FAULTS:
        error = fault.error()
        response = HttpResponse(error=error, headers=error.headers, delay_s=delay_s)
        return Outcome(response=response, fault=fault.kind)
    if fault and fault.kind == "cut_before":
        return Outcome(response=HttpResponse(disconnect=True, delay_s=delay_s), fault=fault.kind)
    kind = fault.kind if fault else None
    message = _complete(request, state, prompt, kind)
    state.prompt_cache.store(prefixes, delay_s)
    headers = state.rate_limiter.record_output(request.model.line, message.tokens.output)
    disconnect = kind in DISCONNECT_FAULTS
    response = HttpResponse(body=message.body, headers=headers, delay_s=delay_s, disconnect=disconnect)
    return Outcome(response=response, message=message, fault=kind or ("slow" if slow_s else None))


def _prompt_tokens(request: MessageRequest, state: State) -> int:
    tokens = state.token_counter.count_prompt(request.body, request.content, request.model)
    if tokens > request.model.context_tokens:
        raise bad_request(f"prompt is too long: {tokens} tokens > {request.model.context_tokens} maximum")
    return tokens


def _latency_s(request: MessageRequest, state: State) -> float:
    settings = state.settings
    spread = 2 * hash_fraction("wait", request.request_hash) - 1
    return max(0.0, settings.latency_s + settings.jitter_s * spread)


def _complete(request: MessageRequest, state: State, prompt: TokenUsage, fault: str | None) -> Message:
    settings = state.settings
    fraction = hash_fraction(settings.seed, "unsure", request.request_hash)
    low_confidence = fraction < settings.low_confidence_share
    completion = complete(request, fault=fault, low_confidence=low_confidence)
    message_id = f"msg_offline_{request.request_hash[:24]}"
    return build_message(request, completion, state.token_counter, prompt=prompt, message_id=message_id)


def _status(outcome: Outcome) -> int | None:
    if outcome.response.disconnect and not outcome.message:
        return None
    return outcome.response.status


def _entry(
    http_request: HttpRequest,
    request_id: str,
    request: MessageRequest | None,
    outcome: Outcome | None,
    *,
    status: int | None,
) -> LedgerEntry:
    message = outcome.message if outcome else None
    return LedgerEntry(
        request_id=request_id,
        model=request.model.id if request else None,
        status=status,
        request_hash=request.request_hash if request else _raw_hash(http_request),
        document_hash=request.document_hash if request else None,
        tokens=message.tokens if message else TokenUsage(),
        usd=cost_usd(message.tokens, request.model) if message and request else Decimal(0),
        stop_reason=message.stop_reason if message else None,
        fault=outcome.fault if outcome else None,
        retry_count=_retry_count(http_request.headers),
    )


def _raw_hash(http_request: HttpRequest) -> str:
    return canonical_hash(http_request.body.decode(errors="replace"))


def _retry_count(headers: Mapping[str, str]) -> int:
    sent = headers.get("x-stainless-retry-count", "0")
    return int(sent) if sent.isdecimal() else 0
