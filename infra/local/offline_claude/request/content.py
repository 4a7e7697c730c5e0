"""What a request says, block by block in the order that it is read: tools, system prompt, messages."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from infra.local.offline_claude.request.cache_control import ttl_of, with_last
from infra.local.offline_claude.request.image_header import Picture
from infra.local.offline_claude.request.images import check_pictures, read_image
from infra.local.offline_claude.spec.errors import bad_request
from infra.local.offline_claude.spec.model_catalog import Model

# Source: the Messages API pages of platform.claude.com, 2026.


@dataclass(frozen=True, kw_only=True)
class Part:
    """One block, who says it, what in it counts (a text or a picture), and how long it is to be cached."""

    role: str
    block: dict[str, Any]
    text: str = ""
    picture: Picture | None = None
    ttl: str | None = None


@dataclass(frozen=True)
class Content:
    """The parts of a request."""

    parts: tuple[Part, ...]

    @cached_property
    def system(self) -> str:
        """The system prompt."""
        return "\n".join(part.text for part in self.parts if part.role == "system")

    @cached_property
    def user(self) -> str:
        """All that the user says."""
        return "\n".join(part.text for part in self.parts if part.role == "user" and not part.picture)

    @cached_property
    def pictures(self) -> tuple[Picture, ...]:
        """All that is shown."""
        return tuple(part.picture for part in self.parts if part.picture)


def read_content(body: dict[str, Any], model: Model) -> Content:
    """The content of a request, or the 400 that it deserves."""
    before = (*_tools(body.get("tools") or ()), *_system(body.get("system")))
    messages = body.get("messages")
    if not isinstance(messages, list):
        raise bad_request(
            "messages: Field required" if messages is None else "messages: Input should be a valid list"
        )
    if not messages:
        raise bad_request("messages: at least one message is required")
    said = (
        part for number, message in enumerate(messages) for part in _message(message, f"messages.{number}")
    )
    content = Content(_marked((*before, *said), body))
    _check_turns(body, messages, model)
    check_pictures(content.pictures, model)
    return content


def _marked(parts: tuple[Part, ...], body: dict[str, Any]) -> tuple[Part, ...]:
    whole = ttl_of(body.get("cache_control"), "cache_control")
    ttls = with_last([part.ttl for part in parts], whole)
    return (*parts[:-1], replace(parts[-1], ttl=ttls[-1]))


def _tools(tools: Any) -> Iterator[Part]:
    for number, tool in enumerate(tools):
        ttl = ttl_of(tool.get("cache_control"), f"tools.{number}.cache_control")
        yield Part(role="tools", block=tool, text=json.dumps(tool, ensure_ascii=False), ttl=ttl)


def _system(system: Any) -> Iterator[Part]:
    if isinstance(system, str):
        system = [{"type": "text", "text": system}] if system else []
    if system is not None and not isinstance(system, list):
        raise bad_request("system: Input should be a valid string or list")
    for number, block in enumerate(system or ()):
        text = _text(block, f"system.{number}")
        ttl = ttl_of(block.get("cache_control"), f"system.{number}.cache_control")
        yield Part(role="system", block=block, text=text, ttl=ttl)


def _message(message: Any, where: str) -> Iterator[Part]:
    role = message.get("role") if isinstance(message, dict) else None
    if role not in ("user", "assistant"):
        raise bad_request(f'{where}.role: Input should be "user" or "assistant"')
    blocks = message.get("content")
    if isinstance(blocks, str):
        blocks = [{"type": "text", "text": blocks}]
    if not isinstance(blocks, list):
        raise bad_request(f"{where}.content: Input should be a valid string or list")
    if not blocks:
        raise bad_request(f"{where}: all messages must have non-empty content")
    for number, block in enumerate(blocks):
        part = _part(block, f"{where}.content.{number}", role)
        yield replace(part, ttl=ttl_of(block.get("cache_control"), f"{where}.content.{number}.cache_control"))


def _part(block: Any, where: str, role: str) -> Part:
    kind = block.get("type") if isinstance(block, dict) else None
    if kind == "text":
        return Part(role=role, block=block, text=_text(block, where))
    if kind == "image":
        return Part(role=role, block=block, picture=read_image(block, f"{where}.image.source"))
    if kind == "document" and (block.get("source") or {}).get("type") == "text":
        return Part(role=role, block=block, text=str(block["source"].get("data", "")))
    if kind in ("thinking", "redacted_thinking", "tool_use", "tool_result"):
        return Part(role="nobody", block=block, text=str(block))
    raise bad_request(
        f"{where}: The offline Claude takes text, image and plain-text document blocks, not {kind!r}"
    )


def _text(block: Any, where: str) -> str:
    if not isinstance(block, dict) or not isinstance(block.get("text"), str):
        raise bad_request(f"{where}.text: Input should be a valid string")
    if not block["text"]:
        raise bad_request(f"{where}: text content blocks must be non-empty")
    return str(block["text"])


def _check_turns(body: dict[str, Any], messages: list[Any], model: Model) -> None:
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
