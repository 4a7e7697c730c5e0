"""What no function could finish gets a row that says so: parse, call, report."""

import os
from typing import Any

from pigeonhole.adapters import lambda_events
from pigeonhole.bootstrap import Settings, connect, shift
from pigeonhole.domain.document import Change, Stage
from pigeonhole.pipeline import process
from pigeonhole.pipeline.batch import Works, settle


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Messages of both dead-letter queues; each counts in the metric that an alarm watches."""
    parts = connect(Settings.load(os.environ), "dead_letter")
    batch = lambda_events.parse(event)
    parts.journal.count("DeadLettered", len(batch.messages))
    works: Works = dict.fromkeys((Change, Stage.TRIAGE, Stage.ESCALATION), process.bury)
    unfinished = settle(batch, works, parts, shift(context, parts))
    parts.journal.flush()
    return lambda_events.reply(batch, unfinished)
