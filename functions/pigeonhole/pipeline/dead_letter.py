"""What no function could finish: unless the document has an outcome by now, its row says that we gave up."""

from __future__ import annotations

from dataclasses import replace

from pigeonhole.domain.error_codes import ErrorCode
from pigeonhole.domain.errors import DocumentError
from pigeonhole.guards.lease import Invocation, Leases
from pigeonhole.jobs.job import Task


def record_dead_letter(task: Task, invocation: Invocation, leases: Leases) -> None:
    """Fail the job with `gave_up`, or on escalation leave it to a person. TryLater."""
    if leases.is_parked(task):
        return  # a duplicate: what is parked has no message of its own
    claimed = leases.claim(task, replace(invocation, isolated=True))
    if claimed is None:
        return
    with leases.handling_failures(claimed):
        raise DocumentError(ErrorCode.GAVE_UP)
