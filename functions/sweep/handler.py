"""What is parked, stuck or lost goes on, every minute: call, report."""

import os
from typing import Any

from pigeonhole.bootstrap import Settings, connect
from pigeonhole.pipeline.sweep import sweep


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """How many tasks were sent again."""
    services = connect(Settings.load(os.environ), "schedule")
    telemetry = services.outside.telemetry
    sent = sweep(services.sweep_ports, services.config.visibility)
    telemetry.metric("Swept", sent)
    telemetry.metric("SpendPercent", services.budget.percent_used())
    telemetry.flush()
    return {"sent": sent}
