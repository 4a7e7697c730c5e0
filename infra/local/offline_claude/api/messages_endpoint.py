"""POST /v1/messages from body to reply: check, admit, meet a fault or answer, bill, write down."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from infra.local.offline_claude.api.http_messages import Reply, Request
from infra.local.offline_claude.api.state import State
from infra.local.offline_claude.control.faults import CUT, REFUSED, draw
from infra.local.offline_claude.generation.completion import answer
from infra.local.offline_claude.generation.message import Message, write
from infra.local.offline_claude.metering.ledger import Entry
from infra.local.offline_claude.metering.prompt_cache import prefixes
from infra.local.offline_claude.metering.tokens import Tokens, cost
from infra.local.offline_claude.request.message_request import Question, hash_of, read_question
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


def create(request: Request, state: State, request_id: str) -> Reply:
    """Answer a message request; whatever comes of it stands in the ledger before the reply leaves."""
    question: Question | None = None
    try:
        question = read_question(parse(request.body))
        outcome = _outcome(question, state)
    except ApiError as rejection:
        state.ledger.add(_entry(request, request_id, question, None, status=rejection.status))
        raise
    state.ledger.add(_entry(request, request_id, question, outcome, status=_status(outcome)))
    return outcome.reply


def count(request: Request, state: State) -> Reply:
    """How many tokens a message request would read; free, so not in the ledger."""
    question = read_question(parse(request.body), counting=True)
    return Reply(body={"input_tokens": state.counter.prompt(question.body, question.content, question.model)})


def _outcome(question: Question, state: State) -> Outcome:
    written = prefixes(question, state.counter)
    prompt = state.cache.price(written, _length(question, state))
    state.admit(question, prompt)
    fault, slow = state.fault_for(question)
    wait = slow + _latency(question, state)
    if fault and fault.kind in REFUSED:
        rejection = fault.rejection()
        return Outcome(
            reply=Reply(rejection=rejection, headers=rejection.headers, wait_s=wait), fault=fault.kind
        )
    if fault and fault.kind == "cut_before":
        return Outcome(reply=Reply(cut=True, wait_s=wait), fault=fault.kind)
    kind = fault.kind if fault else None
    message = _message(question, state, prompt, kind)
    state.cache.use(written, wait)
    headers = state.limits.answered(question.model.line, message.tokens.output)
    reply = Reply(body=message.body, headers=headers, wait_s=wait, cut=kind in CUT)
    return Outcome(reply=reply, message=message, fault=kind or ("slow" if slow else None))


def _length(question: Question, state: State) -> int:
    tokens = state.counter.prompt(question.body, question.content, question.model)
    if tokens > question.model.context_tokens:
        raise bad_request(f"prompt is too long: {tokens} tokens > {question.model.context_tokens} maximum")
    return tokens


def _latency(question: Question, state: State) -> float:
    settings = state.settings
    return max(0.0, settings.latency_s + settings.jitter_s * (2 * draw("wait", question.request_hash) - 1))


def _message(question: Question, state: State, prompt: Tokens, fault: str | None) -> Message:
    settings = state.settings
    unsure = draw(settings.seed, "unsure", question.request_hash) < settings.low_confidence_share
    said = answer(question, fault=fault, unsure=unsure)
    message_id = f"msg_offline_{question.request_hash[:24]}"
    return write(question, said, state.counter, prompt=prompt, message_id=message_id)


def _status(outcome: Outcome) -> int | None:
    if outcome.reply.cut and not outcome.message:
        return None
    return outcome.reply.status


def _entry(
    request: Request,
    request_id: str,
    question: Question | None,
    outcome: Outcome | None,
    *,
    status: int | None,
) -> Entry:
    message = outcome.message if outcome else None
    return Entry(
        request_id=request_id,
        model=question.model.id if question else None,
        status=status,
        request_hash=question.request_hash if question else hash_of(request.body.decode(errors="replace")),
        document_hash=question.document_hash if question else None,
        tokens=message.tokens if message else Tokens(),
        usd=cost(message.tokens, question.model) if message and question else Decimal(0),
        stop_reason=message.stop_reason if message else None,
        fault=outcome.fault if outcome else None,
        retry_count=_retry_count(request.headers),
    )


def _retry_count(headers: Mapping[str, str]) -> int:
    given = headers.get("x-stainless-retry-count", "0")
    return int(given) if given.isdecimal() else 0
