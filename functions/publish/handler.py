"""Every outcome becomes an event: parse, call, report."""

import os
from typing import Any

from pigeonhole.bootstrap import Settings, connect
from pigeonhole.domain import outcome_event
from pigeonhole.pipeline.publish import publish


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A batch of the documents table's stream; from the first event that was not taken on, it comes again."""
    bus = connect(Settings.load(os.environ), "stream").outside.bus
    refused = publish(outcome_event.parse(event), bus)
    return {"batchItemFailures": [{"itemIdentifier": each} for each in refused[:1]]}
