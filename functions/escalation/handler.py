"""The second opinion on hard cases: parse, call, report."""

import os
from typing import Any

from pigeonhole import process
from pigeonhole.adapters import lambda_events
from pigeonhole.batch import settle
from pigeonhole.bootstrap import Settings, connect, shift
from pigeonhole.domain.document import Stage


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Escalations from their queue; what is unfinished is reported by name."""
    parts = connect(Settings.load(os.environ), "escalation")
    batch = lambda_events.parse(event)
    unfinished = settle(batch, {Stage.ESCALATION: process.escalate}, parts, shift(context, parts))
    parts.journal.flush()
    return lambda_events.reply(batch, unfinished)
