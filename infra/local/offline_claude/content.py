"""What messages and system prompt hold: checked block by block, taken apart into text and images."""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any

from infra.local.offline_claude.models import Model
from infra.local.offline_claude.pictures import Picture, look
from infra.local.offline_claude.rejections import invalid

# Source: the vision and Messages API pages of platform.claude.com, 2026.

IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
IMAGE_BYTES = 10 * 1024 * 1024
IMAGE_PIXELS = 8_000
MANY_IMAGES, MANY_IMAGES_PIXELS = 20, 2_000
CACHE_BLOCKS = 4


@dataclass(kw_only=True)
class Content:
    """What a request says, in order: the system prompt, the user's texts, everybody's texts, the images."""

    system: str = ""
    user: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    breakpoints: int = 0


def read_content(body: dict[str, Any], model: Model) -> Content:
    """The content of a request, or the 400 that it deserves."""
    content = Content()
    content.system = _system(body.get("system"), content)
    messages = body.get("messages")
    if not isinstance(messages, list):
        raise invalid(
            "messages: Field required" if messages is None else "messages: Input should be a valid list"
        )
    if not messages:
        raise invalid("messages: at least one message is required")
    for number, message in enumerate(messages):
        _message(message, f"messages.{number}", content)
    _check_turns(body, messages, model)
    _check_pictures(content, model)
    if content.breakpoints > CACHE_BLOCKS:
        raise invalid(
            f"A maximum of 4 blocks with cache_control may be provided. Found {content.breakpoints}."
        )
    return content


def _system(system: Any, content: Content) -> str:
    if system is None or isinstance(system, str):
        return system or ""
    if not isinstance(system, list):
        raise invalid("system: Input should be a valid string or list")
    texts = [_text(block, f"system.{number}") for number, block in enumerate(system)]
    content.breakpoints += sum("cache_control" in block for block in system)
    return "\n".join(texts)


def _message(message: Any, where: str, content: Content) -> None:
    role = message.get("role") if isinstance(message, dict) else None
    if role not in ("user", "assistant"):
        raise invalid(f'{where}.role: Input should be "user" or "assistant"')
    blocks = message.get("content")
    if isinstance(blocks, str):
        blocks = [{"type": "text", "text": blocks}]
    if not isinstance(blocks, list):
        raise invalid(f"{where}.content: Input should be a valid string or list")
    if not blocks:
        raise invalid(f"{where}: all messages must have non-empty content")
    for number, block in enumerate(blocks):
        _block(
            block, f"{where}.content.{number}", content, content.user if role == "user" else content.others
        )


def _block(block: Any, where: str, content: Content, texts: list[str]) -> None:
    kind = block.get("type") if isinstance(block, dict) else None
    if kind == "text":
        texts.append(_text(block, where))
    elif kind == "image":
        content.pictures.append(_image(block, f"{where}.image.source"))
    elif kind == "document" and (block.get("source") or {}).get("type") == "text":
        texts.append(str(block["source"].get("data", "")))
    elif kind in ("thinking", "redacted_thinking", "tool_use", "tool_result"):
        content.others.append(str(block))
    else:
        raise invalid(
            f"{where}: The offline Claude takes text, image and plain-text document blocks, not {kind!r}"
        )
    content.breakpoints += "cache_control" in block


def _text(block: Any, where: str) -> str:
    if not isinstance(block, dict) or not isinstance(block.get("text"), str):
        raise invalid(f"{where}.text: Input should be a valid string")
    if not block["text"]:
        raise invalid(f"{where}: text content blocks must be non-empty")
    return str(block["text"])


def _image(block: dict[str, Any], where: str) -> Picture:
    source = block.get("source")
    if not isinstance(source, dict) or source.get("type") != "base64":
        raise invalid(f"{where}.type: The offline Claude reads base64 images only")
    if source.get("media_type") not in IMAGE_TYPES:
        raise invalid(f"{where}.base64.media_type: Input should be one of {', '.join(IMAGE_TYPES)}")
    data = _decoded(source.get("data"), where)
    picture = look(data)
    if picture is None:
        raise invalid("Could not process image")
    if picture.media_type != source["media_type"]:
        raise invalid(
            f"{where}.base64.data: The image was specified using the {source['media_type']} media type, but "
            f"the image appears to be a {picture.media_type} image"
        )
    return picture


def _decoded(data: Any, where: str) -> bytes:
    try:
        decoded = base64.b64decode(data, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise invalid(f"{where}.base64.data: invalid base64 data") from None
    if len(decoded) > IMAGE_BYTES:
        raise invalid(
            f"{where}.base64: image exceeds 10 MB maximum: {len(decoded)} bytes > {IMAGE_BYTES} bytes"
        )
    return decoded


def _check_turns(body: dict[str, Any], messages: list[Any], model: Model) -> None:
    if messages[-1]["role"] == "user":
        return
    if not model.prefill:
        raise invalid(
            "This model does not support assistant message prefill. "
            "The conversation must end with a user message."
        )
    if (body.get("thinking") or {}).get("type") == "enabled":
        raise invalid("Assistant message prefill is not supported when thinking is enabled.")
    if (body.get("output_config") or {}).get("format"):
        raise invalid("Assistant message prefill is not supported with output_config.format.")


def _check_pictures(content: Content, model: Model) -> None:
    count = len(content.pictures)
    if count > model.images:
        raise invalid(f"Too many images: {count} > {model.images}")
    longest = max((max(picture.width, picture.height) for picture in content.pictures), default=0)
    if longest > IMAGE_PIXELS:
        raise invalid(f"At least one of the image dimensions exceed max allowed size: {IMAGE_PIXELS} pixels")
    if count > MANY_IMAGES and longest > MANY_IMAGES_PIXELS:
        raise invalid("At least one of the image dimensions exceed max allowed size for many-image requests: "
                      f"{MANY_IMAGES_PIXELS} pixels")  # fmt: skip
