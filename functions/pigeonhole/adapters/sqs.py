"""The two queues: a task is sent to its stage's, a message is requeued for as long as it makes sense."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pigeonhole.adapters.aws import classified
from pigeonhole.adapters.lambda_events import task_body
from pigeonhole.domain.document import Stage
from pigeonhole.jobs.job import Task
from pigeonhole.jobs.message import Message


class SqsQueues:
    """ports.Queues; `own` is the queue that feeds this function, where it may requeue messages."""

    def __init__(self, sqs: Any, urls: Mapping[Stage, str], *, own: str | None) -> None:
        self._sqs = sqs
        self._urls = urls
        self._own = own

    def send(self, task: Task) -> None:
        """One message; the team as its group keeps a busy team from starving the others."""
        with classified():
            self._sqs.send_message(
                QueueUrl=self._urls[task.stage],
                MessageBody=task_body(task),
                MessageGroupId=_group(task.upload.team),
            )

    def requeue(self, message: Message, seconds: float) -> None:
        """The message is invisible for that long; without a queue of our own it comes when it comes."""
        if not message.receipt or not self._own:
            return
        with classified():
            self._sqs.change_message_visibility(
                QueueUrl=self._own, ReceiptHandle=message.receipt, VisibilityTimeout=round(seconds)
            )


def _group(team: str) -> str:
    """A legal group id: printable ASCII, at most 128."""
    return "".join(char if char.isascii() and char.isalnum() else "-" for char in team)[:128]
