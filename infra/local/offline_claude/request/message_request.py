"""Parses the body of a messages request into one value with everything that the server needs to answer it."""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from infra.local.offline_claude.request.content import Content, parse_content
from infra.local.offline_claude.request.parameters import (
    check_parameters,
    effort_of,
    requested_model,
    thinking_of,
)
from infra.local.offline_claude.spec.errors import bad_request
from infra.local.offline_claude.spec.model_catalog import Model

_OPEN = re.compile(r"<document\b[^>]*>", re.IGNORECASE)
_CLOSE = re.compile(r"</document\s*>", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class MessageRequest:
    """A valid request; `thinks` says whether the model thinks before it answers."""

    body: dict[str, Any]
    model: Model
    content: Content
    request_hash: str
    document: str
    effort: str
    thinks: bool

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON schema that the answer must follow, if any."""
        output_format = (self.body.get("output_config") or {}).get("format")
        return output_format["schema"] if output_format else None

    @property
    def forced_tool(self) -> dict[str, Any] | None:
        """The tool that must be called, if one must."""
        choice = self.body.get("tool_choice") or {}
        if choice.get("type") not in ("any", "tool"):
            return None
        named = [tool for tool in self.body["tools"] if tool["name"] == choice.get("name", tool["name"])]
        return dict(named[0])

    @property
    def document_hash(self) -> str:
        """The SHA-256 of the document's text."""
        return hashlib.sha256(self.document.encode(errors="replace")).hexdigest()


def canonical_hash(body: object) -> str:
    """The SHA-256 of a JSON value, the same for every order of its keys."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def parse_message_request(body: object, *, counting: bool = False) -> MessageRequest:
    """The request in a JSON body; `counting` leaves out the checks that counting tokens does not need.

    Raises the documented 400 or 404 if the API would not accept it.
    """
    if not isinstance(body, dict):
        raise bad_request("The request body is not a JSON object")
    model = requested_model(body)
    check_parameters(body, model, counting=counting)
    content = parse_content(body, model)
    request = MessageRequest(
        body=body,
        model=model,
        content=content,
        request_hash=canonical_hash(body),
        document=_document(content),
        effort=effort_of(body, model),
        thinks=thinking_of(body, model) in ("adaptive", "enabled"),
    )
    # Models that think by default do not do so when the request forces a tool call.
    return request if not request.forced_tool else _without_thinking(request)


def _without_thinking(request: MessageRequest) -> MessageRequest:
    return MessageRequest(**(vars(request) | {"thinks": False}))


def _document(content: Content) -> str:
    """The text between `<document>` tags; without tags all user text, or nothing if there are images."""
    text = content.user_text
    start = _OPEN.search(text)
    if start is None:
        return "" if content.images else text
    ends = [end.start() for end in _CLOSE.finditer(text, start.end())]
    return text[start.end() : ends[-1] if ends else len(text)]
