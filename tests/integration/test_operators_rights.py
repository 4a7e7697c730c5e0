"""What the operator's commands call on a stack is what OperatorPolicy grants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.cli import documents
from infra.cli.__main__ import app
from infra.ops import stack as stacks
from infra.ops.stack import Stack
from tests.support.template import STACK_ID, granted
from tests.support.template import stack as template

INVOICE = b"Invoice 4714\nBill to: Example Ltd\nTotal due: 120.00 EUR, payable within 30 days\n"
COMMANDS = (
    "list --category invoice",
    "list --status done",
    "show rights/invoice.txt",
    "status",
    "costs",
    "failures",
    "redrive rights/broken.zip --force --yes",
    "reconcile --heal",
    "review rights/invoice.txt --category letter",
    "resume",
)
# By the API's names, where they are not IAM's; a transaction takes the rights of what is in it.
RIGHTS = {"s3:HeadObject": "s3:GetObject", "s3:ListObjectVersions": "s3:ListBucketVersions"}
# Asked of a deployed stack alone, of uploads that are not there, and of a parked second opinion.
SELDOM = {
    ("cloudformation:DescribeStacks", STACK_ID),
    ("s3:GetObject", "arn:aws:s3:::own-bucket/sorting/taxonomy.toml"),
    ("s3:GetObject", "InboxBucket.Arn/*"),
    ("s3:ListBucket", "InboxBucket.Arn"),
    ("sqs:SendMessage", "EscalationQueue.Arn"),
}
pytestmark = pytest.mark.stack


class Recorder:
    """Which right each call of a client takes, and on which of the template's resources."""

    def __init__(self) -> None:
        self.taken: set[tuple[str, str]] = set()

    def __call__(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        service = model.service_model.service_name
        if service != "sts":  # who one is, everybody may ask
            self.taken |= set(self._rights(f"{service}:{model.name}", params))

    def _rights(self, call: str, params: dict[str, Any]) -> Iterator[tuple[str, str]]:
        for item in params.get("TransactItems", ()):
            ((kind, asked),) = item.items()
            yield f"dynamodb:{kind}Item", _arn(asked["TableName"])
        for table in params.get("RequestItems", ()):
            yield call, _arn(table)
        for name in {"TableName", "FunctionName", "QueueUrl", "QueueName", "Bucket"} & params.keys():
            inside = f"/index/{params['IndexName']}" if "IndexName" in params else ""
            inside = "/*" if name == "Bucket" and "Key" in params else inside
            yield RIGHTS.get(call, call), _arn(params[name]) + inside


def _arn(physical: str) -> str:
    names = [name for name in template().resources if f"-{name}-".lower() in f"-{physical}-".lower()]
    return f"{max(names, key=len)}.Arn"


def test_the_operators_policy_grants_what_the_commands_call(stack: Stack, monkeypatch: pytest.MonkeyPatch):
    for key, body in (("invoice.txt", INVOICE), ("broken.zip", b"PK\x03\x04"), ("lost.txt", INVOICE)):
        stack.wait_row(stack.upload(f"rights/{key}", body))
    lost = {"document": {"S": stack.uri("rights/lost.txt")}}
    stack.client("dynamodb").delete_item(TableName=stack.outputs["DocumentsTable"], Key=lost)
    recorder, client = Recorder(), stacks.client

    def recorded(*arguments: Any) -> Any:
        made = client(*arguments)
        made.meta.events.register("before-parameter-build.*.*", recorder)
        return made

    monkeypatch.setattr(stacks, "client", recorded)
    monkeypatch.setattr(documents, "running_stack", lambda: replace(stack, _clients={}))
    for command in COMMANDS:
        ended = CliRunner().invoke(app, command.split())
        assert ended.exit_code in (0, 1), (command, ended.output)
    policy = granted(template().of("IAM::ManagedPolicy")["OperatorPolicy"]["PolicyDocument"])
    may = {(action, resource) for resource, actions in policy.items() for action in actions}
    assert recorder.taken - may == set()
    assert may - recorder.taken <= SELDOM
