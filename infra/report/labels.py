"""Labels and sentences for the codes in a row, as the report and the commands show them."""

from __future__ import annotations

from infra.report.row_meanings import REASONS
from pigeonhole.domain.error_codes import EXPLANATIONS, ErrorCode

ENGINES = {
    "offline": "the offline Claude: a keyword classifier, not the real model",
    "api": "the Claude API",
}

# In the order in which the page shows them.
STATUSES = {
    "done": "Sorted",
    "needs_review": "For a person",
    "failed": "Failed",
    "parked": "Parked",
    "escalated": "Awaiting a second opinion",
    "processing": "Still being read",
    "removed": "Removed",
}

TIERS = {
    "fast": "fast model",
    "strong": "strong model",
    "final": "final model",
    "human": "a person",
    "none": "no model",
}

WAITING = {
    "spend_cap": "for the spend cap to allow it",
    "capacity": "for capacity",
    "claude": "for Claude to answer again",
    "credentials": "for valid credentials",
}

# The attributes under "Details", with their labels.
FACTS = {
    "document": "document",
    "version_id": "version",
    "team": "team",
    "media_type": "type",
    "size_bytes": "bytes",
    "uploaded_at": "uploaded",
    "processed_at": "decided",
    "model": "model",
    "prompt_version": "prompt",
    "taxonomy_version": "taxonomy",
    "run": "run",
    "attempts": "attempts",
    "sha256": "sha256",
    "text_uri": "text",
}


def reason(code: str) -> str:
    """A sentence for a review reason, an escalation reason or an error code; an unknown code as it is."""
    if code in REASONS:
        return REASONS[code].meaning
    return EXPLANATIONS[ErrorCode(code)].message if code in EXPLANATIONS else code.replace("_", " ")
