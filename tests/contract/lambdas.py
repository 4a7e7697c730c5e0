"""What a deployed function finds, in memory: its environment, the services it names, and what it is sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import quote_plus

from pigeonhole.adapters.dynamodb import DynamoStore
from pigeonhole.domain.record import Record
from tests.contract import moto_cloud
from tests.contract.port_harness import as_lambda_sees, receive

_MOMENTS = count(1)


class Context:
    """Lambda's, with that many seconds left."""

    def __init__(self, seconds: float = 120) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds * 1000)


@dataclass(frozen=True)
class Stack:
    """The buckets, the tables and the queues, from outside."""

    s3: Any
    sqs: Any
    dynamodb: Any
    intake: str
    escalations: str
    secret: str

    @classmethod
    def made(cls) -> Stack:
        dynamodb, sqs, secrets = map(moto_cloud.client, ("dynamodb", "sqs", "secretsmanager"))
        moto_cloud.make_tables(dynamodb)
        secret = secrets.create_secret(Name=f"key-{next(_MOMENTS)}", SecretString="sk-ant-testing")["ARN"]
        return cls(
            s3=moto_cloud.client("s3"),
            sqs=sqs,
            dynamodb=dynamodb,
            intake=moto_cloud.make_queue(sqs),
            escalations=moto_cloud.make_queue(sqs),
            secret=secret,
        )

    def environment(self, claude_url: str) -> dict[str, str]:
        return {
            "INBOX_BUCKET": moto_cloud.INBOX,
            "DOCUMENTS_TABLE": moto_cloud.DOCUMENTS,
            "LEDGER_TABLE": moto_cloud.LEDGER,
            "ARTIFACTS_BUCKET": moto_cloud.ARTIFACTS,
            "INTAKE_QUEUE_URL": self.intake,
            "ESCALATION_QUEUE_URL": self.escalations,
            "EVENT_BUS_NAME": "default",
            "API_KEY_SECRET_ARN": self.secret,
            "CLAUDE_BASE_URL": claude_url,
        }

    def upload(self, key: str, text: str) -> dict[str, Any]:
        """The upload, and S3's event about it."""
        made = self.s3.put_object(Bucket=moto_cloud.INBOX, Key=key, Body=text.encode())
        return notified("ObjectCreated:Put", key, made["VersionId"])

    def remove(self, key: str) -> dict[str, Any]:
        marker = self.s3.delete_object(Bucket=moto_cloud.INBOX, Key=key)
        return notified("ObjectRemoved:DeleteMarkerCreated", key, marker["VersionId"])

    def queued(self, *contents: object) -> dict[str, Any]:
        """The event of a function that has just taken these messages from the intake queue."""
        for content in contents:
            body = content if isinstance(content, str) else json.dumps(content)
            self.sqs.send_message(QueueUrl=self.intake, MessageBody=body)
        return self.waiting(self.intake)

    def waiting(self, url: str) -> dict[str, Any]:
        """What the queue shows now, as its function gets it."""
        return {"Records": [as_lambda_sees(each) for each in receive(self.sqs, url)]}

    def row(self, key: str) -> Record:
        """The document's row, which has to be there."""
        tables = DynamoStore(self.dynamodb, documents=moto_cloud.DOCUMENTS, ledger=moto_cloud.LEDGER)
        row = tables.row(f"s3://{moto_cloud.INBOX}/{key}")
        assert row is not None
        return row

    def unreadable(self) -> list[str]:
        """The bodies of the messages that were quarantined."""
        listed = self.s3.list_objects_v2(Bucket=moto_cloud.ARTIFACTS, Prefix="unreadable/").get(
            "Contents", []
        )
        saved = [self.s3.get_object(Bucket=moto_cloud.ARTIFACTS, Key=each["Key"])["Body"] for each in listed]
        return [json.loads(each.read())["body"] for each in saved]


def notified(name: str, key: str, version: str) -> dict[str, Any]:
    """S3's own event, its newest of all."""
    thing = {"key": quote_plus(key), "versionId": version, "sequencer": f"{next(_MOMENTS):016X}"}
    record = {
        "eventVersion": "2.6",
        "eventSource": "aws:s3",
        "eventTime": "2026-11-22T12:00:00.000Z",
        "eventName": name,
        "s3": {"bucket": {"name": moto_cloud.INBOX}, "object": thing},
    }
    return {"Records": [record]}


def bridged(event: dict[str, Any], key: str) -> dict[str, Any]:
    """The same by way of EventBridge, where keys are plain."""
    thing = event["Records"][0]["s3"]["object"]
    found = {"key": key, "version-id": thing["versionId"], "sequencer": thing["sequencer"]}
    return {
        "detail-type": "Object Created",
        "source": "aws.s3",
        "time": "2026-11-22T12:00:00Z",
        "detail": {"bucket": {"name": moto_cloud.INBOX}, "object": found},
    }
