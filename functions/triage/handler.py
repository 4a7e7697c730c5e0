"""The first pass over every upload: parse, call, report."""

import os
from typing import Any

from pigeonhole.adapters import lambda_events
from pigeonhole.bootstrap import Settings, connect, shift
from pigeonhole.domain.document import Change, Stage
from pigeonhole.pipeline import process
from pigeonhole.pipeline.batch import Works, settle


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """S3's changes, from the intake queue or directly; what is unfinished is reported by name."""
    parts = connect(Settings.load(os.environ), "intake")
    batch = lambda_events.parse(event)
    works: Works = {Change: process.triage, Stage.TRIAGE: process.triage}
    unfinished = settle(batch, works, parts, shift(context, parts))
    parts.journal.flush()
    return lambda_events.reply(batch, unfinished)
