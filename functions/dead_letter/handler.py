"""What no function could finish gets a row that says so: parse, call, report."""

import os
from typing import Any

from pigeonhole.adapters import lambda_events
from pigeonhole.bootstrap import Settings, connect, invocation_of
from pigeonhole.pipeline.batch import finish, process_batch


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Messages of both dead-letter queues; each counts in the metric that an alarm watches."""
    services = connect(Settings.load(os.environ), "dead_letter")
    batch = lambda_events.parse(event)
    services.outside.telemetry.metric("DeadLettered", len(batch.messages))
    invocation = invocation_of(context, services)
    unfinished = process_batch(batch, services.dead_letter, services.batch_ports, invocation)
    finish(services.budget, services.outside.telemetry)
    return lambda_events.reply(batch, unfinished)
