"""A deployed stack, local or in an AWS account: its resources, uploads, rows and queues."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.ops.rows import Row, from_dynamodb

OUTCOMES = frozenset({"done", "needs_review", "failed", "removed"})
QUEUES = {"intake": "IntakeQueueUrl", "escalation": "EscalationQueueUrl"}

_DEPTHS = {"waiting": "ApproximateNumberOfMessages", "in_flight": "ApproximateNumberOfMessagesNotVisible",
           "delayed": "ApproximateNumberOfMessagesDelayed"}  # fmt: skip
_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, max_pool_connections=25)
_BATCH_SIZE = 100  # the limit of BatchGetItem


class StackError(Exception):
    """The stack cannot be used; the message says why and what to do."""


class NoProgress(Exception):
    """No document has got its outcome for so long that waiting for more was given up."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Where a stack is and how it is reached; `local up --json` prints exactly these fields.

    None stands for what the user's own AWS configuration says. `claude_url` is the offline Claude's.
    """

    endpoint_url: str | None
    region: str | None
    access_key_id: str | None
    secret_access_key: str | None
    claude_url: str | None
    outputs: Mapping[str, str]
    _clients: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def client(self, service: str) -> Any:
        """A boto3 client for a service in the stack's account and region."""
        if service not in self._clients:
            self._clients[service] = client(
                service, self.endpoint_url, self.region, self.access_key_id, self.secret_access_key
            )
        return self._clients[service]

    def as_json(self) -> dict[str, Any]:
        """The fields as a JSON object."""
        return {name: value for name, value in asdict(self).items() if not name.startswith("_")}

    def uri(self, key: str) -> str:
        """The S3 URI of the document at a key of the inbox."""
        return f"s3://{self.outputs['InboxBucket']}/{key}"

    def upload(self, key: str, body: bytes | Path) -> str:
        """Upload a document to the inbox; returns its S3 URI."""
        s3, bucket = self.client("s3"), self.outputs["InboxBucket"]
        if isinstance(body, Path):
            s3.upload_file(str(body), bucket, key)
        else:
            s3.put_object(Bucket=bucket, Key=key, Body=body)
        return self.uri(key)

    def row(self, uri: str) -> Row | None:
        """One document's row, by a consistent read; None if it has none."""
        return self.rows([uri]).get(uri)

    def rows(self, uris: Iterable[str]) -> dict[str, Row]:
        """The rows of up to 100 documents by URI, by consistent reads; those without a row are left out."""
        wanted = {
            self.outputs["DocumentsTable"]: {
                "Keys": [{"document": {"S": uri}} for uri in uris],
                "ConsistentRead": True,
            }
        }
        found: list[Row] = []
        while wanted:
            answer = self.client("dynamodb").batch_get_item(RequestItems=wanted)
            found += [from_dynamodb(item) for items in answer["Responses"].values() for item in items]
            wanted = answer.get("UnprocessedKeys", {})
        return {row["document"]: row for row in found}

    def depths(self, queue_url: str) -> dict[str, int]:
        """How many messages of a queue are waiting, in flight and delayed, as SQS estimates it."""
        request = {"QueueUrl": queue_url, "AttributeNames": list(_DEPTHS.values())}
        found = self.client("sqs").get_queue_attributes(**request)["Attributes"]
        return {name: int(found[attribute]) for name, attribute in _DEPTHS.items()}

    def is_idle(self) -> bool:
        """Whether both queues are empty; a message stays in flight until its invocation has ended."""
        return not any(sum(self.depths(self.outputs[each]).values()) for each in QUEUES.values())

    def sweep(self) -> int:
        """Invoke sweep and wait for it; returns how many messages it has sent. StackError if it fails."""
        answer = self.client("lambda").invoke(FunctionName=self._function("SweepFunction"), Payload=b"{}")
        payload = json.load(answer["Payload"])
        if "FunctionError" in answer:
            raise StackError(f"Sweep failed: {payload.get('errorMessage', payload)}")
        return int(payload["sent"])

    def outcomes(
        self,
        uris: Iterable[str],
        *,
        patience: float,
        every: float = 0.25,
        should_stop: Callable[[Sequence[Row]], bool] = lambda _: False,
    ) -> Iterator[Row]:
        """Each document's row as soon as it has its outcome, polled every `every` seconds.

        NoProgress after `patience` seconds without a new outcome, or as soon as `should_stop` is true of the
        rows of all that are left.
        """
        waiting: dict[str, Row | None] = dict.fromkeys(uris)
        last_outcome = time.monotonic()
        while waiting:
            batch = list(waiting)[:_BATCH_SIZE]
            waiting |= self.rows(batch)
            ready = [row for row in map(waiting.get, batch) if row and row["status"] in OUTCOMES]
            for row in ready:
                del waiting[row["document"]]
                yield row
            if ready:
                last_outcome = time.monotonic()
            elif time.monotonic() - last_outcome > patience or _holds_for_all(should_stop, waiting):
                raise NoProgress
            _move_to_back(waiting, batch)
            time.sleep(0 if len(ready) == _BATCH_SIZE else every)

    def wait_row(self, uri: str, statuses: Iterable[str] = OUTCOMES, *, timeout: float = 60) -> Row:
        """The row once it has one of these statuses; TimeoutError, naming its status, after `timeout` s."""
        wanted, deadline = frozenset(statuses), time.monotonic() + timeout
        while (row := self.row(uri)) is None or row["status"] not in wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{uri} is {row and row['status']} after {timeout} s, not {sorted(wanted)}"
                )
            time.sleep(0.1)
        return row

    def _function(self, name: str) -> str:
        """The full name of one of the functions; all of them begin with the stack's name."""
        prefix = self.outputs["TriageFunction"].partition("TriageFunction")[0] + name
        pages = self.client("lambda").get_paginator("list_functions").paginate()
        found = [each["FunctionName"] for page in pages for each in page["Functions"]]
        return str(next(each for each in found if each.startswith(prefix)))


def client(
    service: str, endpoint: str | None, region: str | None, key: str | None, secret: str | None
) -> Any:
    """A boto3 client; an argument that is None comes from the user's own AWS configuration."""
    session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name=region)
    return session.client(service, endpoint_url=endpoint, config=_CONFIG)


def deployed(name: str, region: str | None = None) -> Stack:
    """The deployed stack of this name, found with the user's AWS configuration; StackError."""
    try:
        cloudformation = client("cloudformation", None, region, None, None)
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except (BotoCoreError, ClientError) as error:
        raise StackError(f"The stack {name} cannot be read: {error}") from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    if "DocumentsTable" not in outputs:
        raise StackError(
            f"The stack {name} is not a Pigeonhole, or it is not finished: {stack['StackStatus']}"
        )
    return Stack(
        endpoint_url=None,
        region=cloudformation.meta.region_name,
        access_key_id=None,
        secret_access_key=None,
        claude_url=None,
        outputs=outputs,
    )


def _holds_for_all(condition: Callable[[Sequence[Row]], bool], waiting: Mapping[str, Row | None]) -> bool:
    rows = [row for row in waiting.values() if row]
    return len(rows) == len(waiting) and condition(rows)


def _move_to_back(waiting: dict[str, Row | None], uris: Iterable[str]) -> None:
    """The next batch is of others, so that a hundred slow documents do not hide the outcomes of the rest."""
    for uri in uris:
        if uri in waiting:
            waiting[uri] = waiting.pop(uri)
