"""POST /v1/messages from body to reply: check, admit, meet a fault or answer, bill, write down."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from infra.local.offline_claude.api.http_messages import Reply, Request
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
    """How a request ended."""

    reply: Reply
    message: Message | None = None
    fault: str | None = None


def parse(body: bytes) -> Any:
    """The JSON of a request."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise bad_request("The request body is not valid JSON") from None


def create(http_request: Request, state: State, request_id: str) -> Reply:
    """Answer a message request; whatever comes of it stands in the ledger before the reply leaves."""
    request: MessageRequest | None = None
    try:
        request = parse_message_request(parse(http_request.body))
        outcome = _outcome(request, state)
    except ApiError as error:
        state.ledger.add(_entry(http_request, request_id, request, None, status=error.status))
        raise
    state.ledger.add(_entry(http_request, request_id, request, outcome, status=_status(outcome)))
    return outcome.reply


def count(http_request: Request, state: State) -> Reply:
    """How many tokens a message request would read; free, so not in the ledger."""
    request = parse_message_request(parse(http_request.body), counting=True)
    return Reply(
        body={"input_tokens": state.token_counter.count_prompt(request.body, request.content, request.model)}
    )


def _outcome(request: MessageRequest, state: State) -> Outcome:
    written = cacheable_prefixes(request, state.token_counter)
    prompt = state.prompt_cache.look_up(written, _length(request, state))
    state.admit(request, prompt)
    fault, slow = state.pick_fault(request)
    wait = slow + _latency(request, state)
    if fault and fault.kind in ERROR_FAULTS:
        error = fault.error()
        return Outcome(reply=Reply(error=error, headers=error.headers, wait_s=wait), fault=fault.kind)
    if fault and fault.kind == "cut_before":
        return Outcome(reply=Reply(cut=True, wait_s=wait), fault=fault.kind)
    kind = fault.kind if fault else None
    message = _message(request, state, prompt, kind)
    state.prompt_cache.store(written, wait)
    headers = state.rate_limiter.record_output(request.model.line, message.tokens.output)
    reply = Reply(body=message.body, headers=headers, wait_s=wait, cut=kind in DISCONNECT_FAULTS)
    return Outcome(reply=reply, message=message, fault=kind or ("slow" if slow else None))


def _length(request: MessageRequest, state: State) -> int:
    tokens = state.token_counter.count_prompt(request.body, request.content, request.model)
    if tokens > request.model.context_tokens:
        raise bad_request(f"prompt is too long: {tokens} tokens > {request.model.context_tokens} maximum")
    return tokens


def _latency(request: MessageRequest, state: State) -> float:
    settings = state.settings
    return max(
        0.0, settings.latency_s + settings.jitter_s * (2 * hash_fraction("wait", request.request_hash) - 1)
    )


def _message(request: MessageRequest, state: State, prompt: TokenUsage, fault: str | None) -> Message:
    settings = state.settings
    low_confidence = (
        hash_fraction(settings.seed, "unsure", request.request_hash) < settings.low_confidence_share
    )
    said = complete(request, fault=fault, low_confidence=low_confidence)
    message_id = f"msg_offline_{request.request_hash[:24]}"
    return build_message(request, said, state.token_counter, prompt=prompt, message_id=message_id)


def _status(outcome: Outcome) -> int | None:
    if outcome.reply.cut and not outcome.message:
        return None
    return outcome.reply.status


def _entry(
    http_request: Request,
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
        request_hash=request.request_hash
        if request
        else canonical_hash(http_request.body.decode(errors="replace")),
        document_hash=request.document_hash if request else None,
        tokens=message.tokens if message else TokenUsage(),
        usd=cost_usd(message.tokens, request.model) if message and request else Decimal(0),
        stop_reason=message.stop_reason if message else None,
        fault=outcome.fault if outcome else None,
        retry_count=_retry_count(http_request.headers),
    )


def _retry_count(headers: Mapping[str, str]) -> int:
    given = headers.get("x-stainless-retry-count", "0")
    return int(given) if given.isdecimal() else 0
