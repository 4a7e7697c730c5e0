"""A deployed Pigeonhole, here or in an account: where its parts are, and what people do with them."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

OUTCOMES = frozenset({"done", "needs_review", "failed", "removed"})
QUEUES = {"intake": "IntakeQueueUrl", "escalation": "EscalationQueueUrl"}
Row = dict[str, Any]

_DEPTHS = {"waiting": "ApproximateNumberOfMessages", "in_hand": "ApproximateNumberOfMessagesNotVisible",
           "delayed": "ApproximateNumberOfMessagesDelayed"}  # fmt: skip
_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, max_pool_connections=25)
_ROWS_A_LOOK = 100  # what BatchGetItem takes


class StackError(Exception):
    """The stack cannot be used; the message says why and what to do."""


class NoNews(Exception):
    """No document has got its outcome for as long as we were willing to wait."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What `local up` prints is exactly these fields."""

    endpoint_url: str | None
    region: str | None
    access_key_id: str | None
    secret_access_key: str | None
    claude_url: str | None
    outputs: Mapping[str, str]
    _clients: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def client(self, service: str) -> Any:
        """The boto3 client of a service of this stack's account."""
        if service not in self._clients:
            self._clients[service] = client(
                service, self.endpoint_url, self.region, self.access_key_id, self.secret_access_key
            )
        return self._clients[service]

    def described(self) -> dict[str, Any]:
        """For people's own tools, which read it as JSON."""
        return {name: value for name, value in asdict(self).items() if not name.startswith("_")}

    def uri(self, key: str) -> str:
        """The name of the document at a key of the inbox."""
        return f"s3://{self.outputs['InboxBucket']}/{key}"

    def upload(self, key: str, body: bytes | Path) -> str:
        """Drop a document; its URI."""
        s3, bucket = self.client("s3"), self.outputs["InboxBucket"]
        if isinstance(body, Path):
            s3.upload_file(str(body), bucket, key)
        else:
            s3.put_object(Bucket=bucket, Key=key, Body=body)
        return self.uri(key)

    def row(self, uri: str) -> Row | None:
        """One document's row as it is now."""
        return self.rows([uri]).get(uri)

    def rows(self, uris: Iterable[str]) -> dict[str, Row]:
        """The rows of up to 100 documents that have one."""
        wanted = {
            self.outputs["DocumentsTable"]: {
                "Keys": [{"document": {"S": uri}} for uri in uris],
                **_CONSISTENT,
            }
        }
        found: list[Row] = []
        while wanted:
            answer = self.client("dynamodb").batch_get_item(RequestItems=wanted)
            found += [plain(item) for items in answer["Responses"].values() for item in items]
            wanted = answer.get("UnprocessedKeys", {})
        return {row["document"]: row for row in found}

    def depths(self, queue_url: str) -> dict[str, int]:
        """How many messages a queue has: those that wait, are being worked on, or come later."""
        asked = {"QueueUrl": queue_url, "AttributeNames": list(_DEPTHS.values())}
        found = self.client("sqs").get_queue_attributes(**asked)["Attributes"]
        return {name: int(found[attribute]) for name, attribute in _DEPTHS.items()}

    def is_idle(self) -> bool:
        """Whether neither queue has a message; an invocation has its messages until it has ended."""
        return not any(sum(self.depths(self.outputs[each]).values()) for each in QUEUES.values())

    def sweep(self) -> int:
        """Have sweep look at once for what may go on; how many it sent."""
        answer = self.client("lambda").invoke(FunctionName=self._function("SweepFunction"), Payload=b"{}")
        said = json.load(answer["Payload"])
        if "FunctionError" in answer:
            raise StackError(f"Sweep failed: {said.get('errorMessage', said)}")
        return int(said["sent"])

    def outcomes(
        self,
        uris: Iterable[str],
        *,
        patience: float,
        every: float = 0.25,
        is_over: Callable[[Sequence[Row]], bool] = lambda _: False,
    ) -> Iterator[Row]:
        """Each document's row once it has its outcome.

        NoNews after `patience` seconds without any, or as soon as `is_over` says so of the others' rows.
        """
        waiting: dict[str, Row | None] = dict.fromkeys(uris)
        last_news = time.monotonic()
        while waiting:
            looked_at = list(waiting)[:_ROWS_A_LOOK]
            waiting |= self.rows(looked_at)
            ready = [row for row in map(waiting.get, looked_at) if row and row["status"] in OUTCOMES]
            for row in ready:
                del waiting[row["document"]]
                yield row
            if ready:
                last_news = time.monotonic()
            elif time.monotonic() - last_news > patience or _are(is_over, waiting):
                raise NoNews
            _to_the_back(waiting, looked_at)
            time.sleep(0 if len(ready) == _ROWS_A_LOOK else every)

    def wait_row(self, uri: str, statuses: Iterable[str] = OUTCOMES, *, timeout: float = 60) -> Row:
        """The row once it has one of these statuses; TimeoutError tells what it was instead."""
        wanted, deadline = frozenset(statuses), time.monotonic() + timeout
        while (row := self.row(uri)) is None or row["status"] not in wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{uri} is {row and row['status']} after {timeout} s, not {sorted(wanted)}"
                )
            time.sleep(0.1)
        return row

    def _function(self, name: str) -> str:
        """The full name of one of the stack's functions: all of them begin as the stack is called."""
        prefix = self.outputs["TriageFunction"].partition("TriageFunction")[0] + name
        pages = self.client("lambda").get_paginator("list_functions").paginate()
        found = [each["FunctionName"] for page in pages for each in page["Functions"]]
        return str(next(each for each in found if each.startswith(prefix)))


def client(
    service: str, endpoint: str | None, region: str | None, key: str | None, secret: str | None
) -> Any:
    """A boto3 client; what is None comes from the user's own AWS configuration."""
    session = boto3.Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name=region)
    return session.client(service, endpoint_url=endpoint, config=_CONFIG)


def deployed(name: str, region: str | None = None) -> Stack:
    """The stack of that name in the account and region that AWS tools use here."""
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


def plain(item: Mapping[str, Any]) -> Row:
    """A row of DynamoDB's as JSON can say it."""
    return {name: _plain(_FROM_DYNAMODB.deserialize(value)) for name, value in item.items()}


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dict():
            return {name: _plain(inner) for name, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case set() | frozenset():
            return sorted(_plain(inner) for inner in value)
    return value


def _are(is_over: Callable[[Sequence[Row]], bool], waiting: Mapping[str, Row | None]) -> bool:
    rows = [row for row in waiting.values() if row]
    return len(rows) == len(waiting) and is_over(rows)


def _to_the_back(waiting: dict[str, Row | None], uris: Iterable[str]) -> None:
    """So that the next look is at others, and a few slow documents hide nobody's news."""
    for uri in uris:
        if uri in waiting:
            waiting[uri] = waiting.pop(uri)


_CONSISTENT = {"ConsistentRead": True}
_FROM_DYNAMODB = TypeDeserializer()
