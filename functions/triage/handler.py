"""The first pass over every upload: parse, call, report."""

import os
from typing import Any

from pigeonhole.adapters import lambda_events
from pigeonhole.bootstrap import Settings, connect, invocation_of
from pigeonhole.pipeline.batch import finish, process_batch


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """S3's events, from the intake queue or directly; what is unfinished is reported by name."""
    services = connect(Settings.load(os.environ), "intake")
    batch = lambda_events.parse(event)
    invocation = invocation_of(context, services)
    unfinished = process_batch(batch, services.triage, services.batch_ports, invocation)
    finish(services.budget, services.outside.telemetry)
    return lambda_events.reply(batch, unfinished)
