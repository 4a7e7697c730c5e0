"""An answer as the API's message: thinking first where the model thinks, cut at max_tokens, its usage."""

from dataclasses import dataclass
from typing import Any

from infra.local.offline_claude.generation.completion import Answer
from infra.local.offline_claude.metering.tokens import TokenCounter, TokenUsage
from infra.local.offline_claude.request.message_request import MessageRequest

# A made-up but steady length of thought for each effort; the text of it is not shown, as on the 5.5 models.
THOUGHT = {"low": 40, "medium": 90, "high": 160, "xhigh": 260, "max": 400, "": 160}


@dataclass(frozen=True, kw_only=True)
class Message:
    """The body of a message and what of it is billed."""

    body: dict[str, Any]
    tokens: TokenUsage

    @property
    def stop_reason(self) -> str:
        """Why the message ends."""
        return str(self.body["stop_reason"])


def write(
    request: MessageRequest, answer: Answer, counter: TokenCounter, *, prompt: TokenUsage, message_id: str
) -> Message:
    """The message that carries this answer."""
    limit = request.body["max_tokens"]
    thought = min(THOUGHT[request.effort], limit) if request.thinks else 0
    text, reason = _within(request, answer, counter, limit - thought)
    tool = answer.tool if reason == "tool_use" else None
    said = counter.count_text(text or str(tool or ""), request.model) if text or tool else 0
    tokens = TokenUsage(**(prompt.as_dict() | {"output": max(1, thought + said)}))
    content = [_THINKING] if request.thinks else []
    content += [{"type": "text", "text": text}] if text else []
    content += [{"type": "tool_use", "id": message_id.replace("msg", "toolu")} | tool] if tool else []
    body = _envelope(request, message_id) | {
        "content": content,
        "stop_reason": reason,
        "stop_details": answer.stop_details,
        "usage": usage(tokens, thought),
    }
    return Message(body=body, tokens=tokens)


_THINKING: dict[str, Any] = {"type": "thinking", "thinking": "", "signature": "b2ZmbGluZQ=="}


def _within(request: MessageRequest, answer: Answer, counter: TokenCounter, room: int) -> tuple[str, str]:
    whole = answer.text or str(answer.tool or "")
    if counter.count_text(whole, request.model) <= room:
        return answer.text, answer.stop_reason
    share = max(0, room) / counter.count_text(whole, request.model)
    return answer.text[: int(len(answer.text) * share)], "max_tokens"


def _envelope(request: MessageRequest, message_id: str) -> dict[str, Any]:
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": request.model.id,
        "stop_sequence": None,
    }


def usage(tokens: TokenUsage, thought: int) -> dict[str, Any]:
    """The usage block of a message."""
    return {
        "input_tokens": tokens.input,
        "cache_creation_input_tokens": tokens.cache_write_5m + tokens.cache_write_1h,
        "cache_read_input_tokens": tokens.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": tokens.cache_write_5m,
            "ephemeral_1h_input_tokens": tokens.cache_write_1h,
        },
        "output_tokens": tokens.output,
        "output_tokens_details": {"thinking_tokens": thought},
        "service_tier": "standard",
        "inference_geo": "offline",
    }
