"""The two queues: a second opinion is asked for, a message is put back for as long as it makes sense."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pigeonhole.adapters.aws_errors import classified
from pigeonhole.adapters.lambda_events import order_body
from pigeonhole.domain.document import Stage
from pigeonhole.jobs.job import Order
from pigeonhole.jobs.message import Message


class SqsQueues:
    """ports.Queues; `own` is the queue that feeds this function, where it may put messages back."""

    def __init__(self, sqs: Any, urls: Mapping[Stage, str], *, own: str | None) -> None:
        self._sqs = sqs
        self._urls = urls
        self._own = own

    def send(self, order: Order) -> None:
        """One message; the team as its group keeps a busy team from starving the others."""
        with classified():
            self._sqs.send_message(
                QueueUrl=self._urls[order.stage],
                MessageBody=order_body(order),
                MessageGroupId=_group(order.upload.team),
            )

    def put_back(self, message: Message, seconds: float) -> None:
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
