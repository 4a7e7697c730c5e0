"""Builds the API's message from a completion: content blocks, stop reason and usage, within max_tokens."""

from dataclasses import dataclass
from typing import Any

from infra.local.offline_claude.generation.completion import Completion
from infra.local.offline_claude.metering.tokens import TokenCounter, TokenUsage
from infra.local.offline_claude.request.message_request import MessageRequest

# Invented, but always the same for an effort. The thinking block is empty, as on the 5.5 models by default.
THINKING_TOKENS = {"low": 40, "medium": 90, "high": 160, "xhigh": 260, "max": 400, "": 160}


@dataclass(frozen=True, kw_only=True)
class Message:
    """The JSON body of a message and the tokens that are billed for it."""

    body: dict[str, Any]
    tokens: TokenUsage

    @property
    def stop_reason(self) -> str:
        """Why the message ends."""
        return str(self.body["stop_reason"])


def build_message(
    request: MessageRequest,
    completion: Completion,
    counter: TokenCounter,
    *,
    prompt: TokenUsage,
    message_id: str,
) -> Message:
    """The message with this completion, cut off at `max_tokens`; thinking counts towards that limit."""
    limit = request.body["max_tokens"]
    thinking_tokens = min(THINKING_TOKENS[request.effort], limit) if request.thinks else 0
    text, stop_reason = _truncated(request, completion, counter, limit - thinking_tokens)
    call = completion.tool_call if stop_reason == "tool_use" else None
    answer_tokens = counter.count_text(text or str(call), request.model) if text or call else 0
    tokens = TokenUsage(**(prompt.as_dict() | {"output": max(1, thinking_tokens + answer_tokens)}))
    content = [_THINKING_BLOCK] if request.thinks else []
    content += [{"type": "text", "text": text}] if text else []
    content += [{"type": "tool_use", "id": message_id.replace("msg", "toolu")} | call] if call else []
    body = _envelope(request, message_id) | {
        "content": content,
        "stop_reason": stop_reason,
        "stop_details": completion.stop_details,
        "usage": usage_block(tokens, thinking_tokens),
    }
    return Message(body=body, tokens=tokens)


_THINKING_BLOCK: dict[str, Any] = {"type": "thinking", "thinking": "", "signature": "b2ZmbGluZQ=="}


def _truncated(
    request: MessageRequest, completion: Completion, counter: TokenCounter, max_tokens: int
) -> tuple[str, str]:
    full_text = completion.text or str(completion.tool_call or "")
    if counter.count_text(full_text, request.model) <= max_tokens:
        return completion.text, completion.stop_reason
    share = max(0, max_tokens) / counter.count_text(full_text, request.model)
    return completion.text[: int(len(completion.text) * share)], "max_tokens"


def _envelope(request: MessageRequest, message_id: str) -> dict[str, Any]:
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": request.model.id,
        "stop_sequence": None,
    }


def usage_block(tokens: TokenUsage, thinking_tokens: int) -> dict[str, Any]:
    """The `usage` object of a message."""
    return {
        "input_tokens": tokens.input,
        "cache_creation_input_tokens": tokens.cache_write_5m + tokens.cache_write_1h,
        "cache_read_input_tokens": tokens.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": tokens.cache_write_5m,
            "ephemeral_1h_input_tokens": tokens.cache_write_1h,
        },
        "output_tokens": tokens.output,
        "output_tokens_details": {"thinking_tokens": thinking_tokens},
        "service_tier": "standard",
        "inference_geo": "offline",
    }
