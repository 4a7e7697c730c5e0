"""The real SDK in front of the offline Claude, with a request that every model takes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx2
from anthropic import Anthropic
from anthropic.types import Message

SLUGS = (
    "invoice", "purchase_order", "expense_report", "contract", "resume", "meeting_minutes", "report",
    "manual", "policy", "support_request", "letter", "form",
)  # fmt: skip
_KEYWORDS = {
    "invoice": "invoice number, amount due, bill to, subtotal",
    "purchase_order": "purchase order, PO number, ship to, vendor",
    "expense_report": "expense claim, reimbursement, receipts, per diem",
    "contract": "the parties, hereby, governing law, term and termination",
    "resume": "curriculum vitae, work experience, education, skills",
    "meeting_minutes": "attendees, agenda, action items, adjourned",
    "report": "executive summary, findings, methodology, conclusion",
    "manual": "user guide, instructions, troubleshooting, step",
    "policy": "scope, must not, compliance, applies to all employees",
    "support_request": "ticket, not working, error message, refund",
    "letter": "dear, yours sincerely, kind regards, enclosed",
    "form": "application form, date of birth, office use only, check box",
}
TAXONOMY = "".join(
    f'<category slug="{slug}"><name>{slug.replace("_", " ").capitalize()}</name>'
    f"<description>What people call a {slug.replace('_', ' ')}.</description>"
    f"<keywords>{_KEYWORDS[slug]}</keywords></category>\n"
    for slug in SLUGS
)
SYSTEM = f"Sort the document.\n<taxonomy>\n{TAXONOMY}</taxonomy>\nAnswer in JSON."
_STRINGS = {"type": "array", "items": {"type": "string"}}
PROPERTIES: dict[str, Any] = {
    "evidence": _STRINGS,
    "title": {"type": "string"},
    "summary": {"type": "string"},
    "language": {"type": "string"},
    "keywords": _STRINGS,
    "issue": {
        "type": "string",
        "enum": ["none", "unreadable", "truncated", "none_of_these", "mixed_documents"],
    },
    "category": {"type": "string", "enum": list(SLUGS)},
    "confidence": {"type": "integer"},
    "runner_up": {"type": "string", "enum": [*SLUGS, "none"]},
    "runner_up_confidence": {"type": "integer"},
}


def obj(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A closed object schema of these properties, all required."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    } | more


def output(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"format": {"type": "json_schema", "schema": schema}} | more


ANSWER_SCHEMA = obj(PROPERTIES)
SHORT_INVOICE = "Invoice number 7. Amount due: EUR 20."


def text_of(message: Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


@dataclass(frozen=True)
class Claude:
    """The offline Claude as a user of the SDK meets it, and its control paths."""

    url: str

    @cached_property
    def sdk(self) -> Anthropic:
        return Anthropic(base_url=self.url, api_key="any key", max_retries=0, timeout=10)

    def close(self) -> None:
        self.sdk.close()

    def create(self, document: str = SHORT_INVOICE, **changes: Any) -> Message:
        """One request; a change of None leaves the parameter out; what the SDK does not know goes along."""
        request: dict[str, Any] = {
            "model": "claude-haiku-5-5",
            "max_tokens": 2000,
            "system": SYSTEM,
            "messages": [{"role": "user", "content": f"<document>\n{document}\n</document>"}],
            "output_config": output(ANSWER_SCHEMA),
        }
        request = {name: value for name, value in (request | changes).items() if value is not None}
        extra = {name: request.pop(name) for name in ("temperature", "top_p", "top_k") if name in request}
        message: Message = self.sdk.messages.create(**request, extra_body=extra)
        return message

    def answer(self, document: str, **changes: Any) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(text_of(self.create(document, **changes)))
        return said

    def change_settings(self, **settings: Any) -> httpx2.Response:
        return httpx2.post(f"{self.url}/_offline/faults", json=settings)

    def reset(self) -> None:
        httpx2.post(f"{self.url}/_offline/reset", json={}).raise_for_status()

    def inject_fault(self, kind: str, **how: Any) -> None:
        self.change_settings(faults=[{"kind": kind} | how]).raise_for_status()

    def ledger(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = httpx2.get(f"{self.url}/_offline/ledger").json()
        return entries
