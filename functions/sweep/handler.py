"""What is parked, stuck or lost is put back, every few minutes: call, report."""

import os
from typing import Any

from pigeonhole.bootstrap import Settings, connect
from pigeonhole.pipeline.upkeep import sweep


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """How many orders were sent again."""
    parts = connect(Settings.load(os.environ), "schedule")
    sent = sweep(parts)
    parts.journal.count("Swept", sent)
    parts.journal.count("SpendPercent", parts.budget.percent())
    parts.journal.flush()
    return {"sent": sent}
