"""The second opinion on hard cases: parse, call, report."""

import os
from typing import Any

from pigeonhole import events, process
from pigeonhole.batch import settle
from pigeonhole.domain.document import Stage
from pigeonhole.wiring import Settings, connect, shift


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Escalations from their queue; what is unfinished is reported by name."""
    parts = connect(Settings.load(os.environ), "escalation")
    batch = events.parse(event)
    unfinished = settle(batch, {Stage.ESCALATION: process.escalate}, parts, shift(context, parts))
    parts.journal.flush()
    return events.reply(batch, unfinished)
