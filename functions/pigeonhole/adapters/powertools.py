"""The log as JSON lines and the metrics as EMF, by Powertools: what happened, never what a document says."""

from __future__ import annotations

import threading
import traceback

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from pigeonhole.domain.errors import PigeonholeError
from pigeonhole.domain.metrics import METRICS, NAMESPACE

# A line names the place that noted it, not this module: one call further out than Powertools looks.
_CALLER = 3


class PowertoolsTelemetry:
    """ports.Telemetry; `flush` writes an invocation's metrics, of which it may have none.

    `service` tells the stacks of an account apart.
    """

    def __init__(self, service: str) -> None:
        self._logger = Logger(service=service)
        self._metrics = Metrics(namespace=NAMESPACE, service=service)
        self._lock = threading.Lock()

    def log(self, event: str, **fields: object) -> None:
        """One line about what happened."""
        self._logger.info(event, extra=fields, stacklevel=_CALLER)

    def metric(self, name: str, value: float = 1) -> None:
        """Add to a metric of this invocation; ValueError for a name that the table of metrics lacks."""
        if name not in METRICS:
            raise ValueError(f"{name} is not in pigeonhole.domain.metrics.METRICS")
        with self._lock:
            self._metrics.add_metric(name=name, unit=MetricUnit(METRICS[name].unit), value=value)

    def log_defect(self, event: str, error: BaseException, **fields: object) -> None:
        """A mistake of ours, with its traceback; a foreign error's words may quote the document."""
        self.metric("Defect")
        details = {
            "error": type(error).__name__,
            "why": str(error) if isinstance(error, PigeonholeError) else None,
            "stack": traceback.format_tb(error.__traceback__),
        }
        self._logger.error(event, extra=fields | details, stacklevel=_CALLER)

    def flush(self) -> None:
        """Write this invocation's metrics."""
        with self._lock:
            if self._metrics.metric_set:
                self._metrics.flush_metrics()
