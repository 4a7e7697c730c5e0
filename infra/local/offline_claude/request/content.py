"""The content blocks of a request in the order in which the model reads them: tools, system, messages."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from infra.local.offline_claude.request.cache_control import apply_request_ttl, parse_cache_control
from infra.local.offline_claude.request.image_header import ImageHeader
from infra.local.offline_claude.request.images import check_images, parse_image
from infra.local.offline_claude.spec.errors import bad_request
from infra.local.offline_claude.spec.model_catalog import Model

# Source: the Messages API pages of platform.claude.com, 2026.


@dataclass(frozen=True, kw_only=True)
class ContentBlock:
    """One block: whose it is, the block as sent, its text or image, and its cache breakpoint.

    `role` is `tools`, `system`, `user`, `assistant`, or `other` for blocks that are no prose of anybody, such
    as thinking and tool results. `ttl` is `5m` or `1h` where the prompt is to be cached up to this block.
    """

    role: str
    raw: dict[str, Any]
    text: str = ""
    image: ImageHeader | None = None
    ttl: str | None = None


@dataclass(frozen=True)
class Content:
    """All content blocks of a request."""

    blocks: tuple[ContentBlock, ...]

    @cached_property
    def system_text(self) -> str:
        """The text of the system prompt."""
        return "\n".join(block.text for block in self.blocks if block.role == "system")

    @cached_property
    def user_text(self) -> str:
        """The text of all user messages."""
        return "\n".join(block.text for block in self.blocks if block.role == "user" and not block.image)

    @cached_property
    def images(self) -> tuple[ImageHeader, ...]:
        """All images of the request."""
        return tuple(block.image for block in self.blocks if block.image)


def parse_content(body: dict[str, Any], model: Model) -> Content:
    """The content of a request. Raises the documented 400 if the API would not accept it."""
    prefix = (*_tool_blocks(body.get("tools") or ()), *_system_blocks(body.get("system")))
    messages = body.get("messages")
    if not isinstance(messages, list):
        raise bad_request(
            "messages: Field required" if messages is None else "messages: Input should be a valid list"
        )
    if not messages:
        raise bad_request("messages: at least one message is required")
    turns = (
        block
        for number, message in enumerate(messages)
        for block in _message_blocks(message, f"messages.{number}")
    )
    content = Content(_with_request_ttl((*prefix, *turns), body))
    _check_last_turn(body, messages, model)
    check_images(content.images, model)
    return content


def _with_request_ttl(blocks: tuple[ContentBlock, ...], body: dict[str, Any]) -> tuple[ContentBlock, ...]:
    request_ttl = parse_cache_control(body.get("cache_control"), "cache_control")
    ttls = apply_request_ttl([block.ttl for block in blocks], request_ttl)
    return (*blocks[:-1], replace(blocks[-1], ttl=ttls[-1]))


def _tool_blocks(tools: Any) -> Iterator[ContentBlock]:
    for number, tool in enumerate(tools):
        ttl = parse_cache_control(tool.get("cache_control"), f"tools.{number}.cache_control")
        yield ContentBlock(role="tools", raw=tool, text=json.dumps(tool, ensure_ascii=False), ttl=ttl)


def _system_blocks(system: Any) -> Iterator[ContentBlock]:
    if isinstance(system, str):
        system = [{"type": "text", "text": system}] if system else []
    if system is not None and not isinstance(system, list):
        raise bad_request("system: Input should be a valid string or list")
    for number, raw in enumerate(system or ()):
        text = _text(raw, f"system.{number}")
        ttl = parse_cache_control(raw.get("cache_control"), f"system.{number}.cache_control")
        yield ContentBlock(role="system", raw=raw, text=text, ttl=ttl)


def _message_blocks(message: Any, path: str) -> Iterator[ContentBlock]:
    role = message.get("role") if isinstance(message, dict) else None
    if role not in ("user", "assistant"):
        raise bad_request(f'{path}.role: Input should be "user" or "assistant"')
    blocks = message.get("content")
    if isinstance(blocks, str):
        blocks = [{"type": "text", "text": blocks}]
    if not isinstance(blocks, list):
        raise bad_request(f"{path}.content: Input should be a valid string or list")
    if not blocks:
        raise bad_request(f"{path}: all messages must have non-empty content")
    for number, raw in enumerate(blocks):
        block = _content_block(raw, f"{path}.content.{number}", role)
        yield replace(
            block,
            ttl=parse_cache_control(raw.get("cache_control"), f"{path}.content.{number}.cache_control"),
        )


def _content_block(raw: Any, path: str, role: str) -> ContentBlock:
    kind = raw.get("type") if isinstance(raw, dict) else None
    if kind == "text":
        return ContentBlock(role=role, raw=raw, text=_text(raw, path))
    if kind == "image":
        return ContentBlock(role=role, raw=raw, image=parse_image(raw, f"{path}.image.source"))
    if kind == "document" and (raw.get("source") or {}).get("type") == "text":
        return ContentBlock(role=role, raw=raw, text=str(raw["source"].get("data", "")))
    if kind in ("thinking", "redacted_thinking", "tool_use", "tool_result"):
        return ContentBlock(role="other", raw=raw, text=str(raw))
    raise bad_request(
        f"{path}: The offline Claude takes text, image and plain-text document blocks, not {kind!r}"
    )


def _text(raw: Any, path: str) -> str:
    if not isinstance(raw, dict) or not isinstance(raw.get("text"), str):
        raise bad_request(f"{path}.text: Input should be a valid string")
    if not raw["text"]:
        raise bad_request(f"{path}: text content blocks must be non-empty")
    return str(raw["text"])


def _check_last_turn(body: dict[str, Any], messages: list[Any], model: Model) -> None:
    if messages[-1]["role"] == "user":
        return
    if not model.prefill:
        raise bad_request(
            "This model does not support assistant message prefill. "
            "The conversation must end with a user message."
        )
    if (body.get("thinking") or {}).get("type") == "enabled":
        raise bad_request("Assistant message prefill is not supported when thinking is enabled.")
    if (body.get("output_config") or {}).get("format"):
        raise bad_request("Assistant message prefill is not supported with output_config.format.")
