"""The second opinion on hard cases: parse, call, report."""

import os
from typing import Any

from pigeonhole.adapters import lambda_events
from pigeonhole.bootstrap import Settings, connect, shift
from pigeonhole.domain.document import Stage
from pigeonhole.pipeline import process
from pigeonhole.pipeline.batch import settle


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Escalations from their queue; what is unfinished is reported by name."""
    parts = connect(Settings.load(os.environ), "escalation")
    batch = lambda_events.parse(event)
    unfinished = settle(batch, {Stage.ESCALATION: process.escalate}, parts, shift(context, parts))
    parts.journal.flush()
    return lambda_events.reply(batch, unfinished)
