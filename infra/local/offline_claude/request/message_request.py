"""One valid request: the model it asks, what it says, and the shape that the answer must have."""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from infra.local.offline_claude.request.content import Content, read_content
from infra.local.offline_claude.request.parameters import check_parameters, effort_of, model_of, thinking_of
from infra.local.offline_claude.spec.errors import bad_request
from infra.local.offline_claude.spec.model_catalog import Model

_OPEN = re.compile(r"<document\b[^>]*>", re.IGNORECASE)
_CLOSE = re.compile(r"</document\s*>", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A request that passed every rule."""

    body: dict[str, Any]
    model: Model
    content: Content
    request_hash: str
    document: str
    effort: str
    thinks: bool

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON schema that the answer must have, if any."""
        wanted = (self.body.get("output_config") or {}).get("format")
        return wanted["schema"] if wanted else None

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
        """What tells two documents apart in the ledger."""
        return hashlib.sha256(self.document.encode(errors="replace")).hexdigest()


def hash_of(body: object) -> str:
    """The hash of a request's canonical JSON."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def read_question(body: object, *, counting: bool = False) -> Question:
    """The question in a request body, or the error that it deserves."""
    if not isinstance(body, dict):
        raise bad_request("The request body is not a JSON object")
    model = model_of(body)
    check_parameters(body, model, counting=counting)
    content = read_content(body, model)
    question = Question(
        body=body,
        model=model,
        content=content,
        request_hash=hash_of(body),
        document=_document(content),
        effort=effort_of(body, model),
        thinks=thinking_of(body, model) in ("adaptive", "enabled"),
    )
    # The models that think unasked do not do so before a tool that they must call.
    return question if not question.forced_tool else _without_thinking(question)


def _without_thinking(question: Question) -> Question:
    return Question(**(vars(question) | {"thinks": False}))


def _document(content: Content) -> str:
    """What stands between the document tags; without tags all the user says, or nothing beside images."""
    text = content.user
    start = _OPEN.search(text)
    if start is None:
        return "" if content.pictures else text
    ends = [end.start() for end in _CLOSE.finditer(text, start.end())]
    return text[start.end() : ends[-1] if ends else len(text)]
