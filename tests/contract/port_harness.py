"""Each port with the other side in the hands of the test: the fake's, and the real adapter's."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Protocol

from pigeonhole.adapters import lambda_events
from pigeonhole.adapters.eventbridge import EventBridgeBus
from pigeonhole.adapters.s3 import ArtifactsBucket, InboxBucket
from pigeonhole.adapters.sqs import SqsQueues
from pigeonhole.domain.document import FetchedObject, Stage
from pigeonhole.domain.upload import Upload
from pigeonhole.jobs.job import Task
from pigeonhole.jobs.message import Message
from pigeonhole.ports import ArtifactStore, EventBus, ObjectStore, Queues
from tests.contract import moto_cloud
from tests.support.builders import upload
from tests.support.fakes import FakeArtifactStore, FakeBus, FakeObjectStore, FakeQueues

Published = tuple[str, dict[str, Any]]


class ObjectsBench(Protocol):
    """An inbox that the test can fill."""

    @property
    def port(self) -> ObjectStore: ...

    def put(self, key: str, content: bytes) -> Upload: ...
    def hide(self, upload: Upload) -> Upload: ...
    def erase(self, upload: Upload) -> None: ...
    def bytes_of(self, fetched: FetchedObject) -> bytes: ...


@dataclass
class FakeInbox:
    port: FakeObjectStore = field(default_factory=FakeObjectStore)
    _orders: count[int] = field(default_factory=lambda: count(1))

    def put(self, key: str, content: bytes) -> Upload:
        made = self._next(key)
        self.port.put(made, content)
        return made

    def hide(self, upload: Upload) -> Upload:
        marker = self._next(upload.key)
        self.port.put(marker, None)
        return marker

    def erase(self, upload: Upload) -> None:
        del self.port.versions[upload.bucket, upload.key, upload.version_id]

    def bytes_of(self, fetched: FetchedObject) -> bytes:
        return bytes.fromhex(fetched.path.name[1:])

    def _next(self, key: str) -> Upload:
        order = next(self._orders)
        return upload(key, f"v{order}", order)


class S3Inbox:
    def __init__(self, s3: Any) -> None:
        self._s3 = s3
        self.port = InboxBucket(s3)

    def put(self, key: str, content: bytes) -> Upload:
        made = self._s3.put_object(Bucket=moto_cloud.INBOX, Key=key, Body=content, ContentType="text/plain")
        return upload(key, made["VersionId"])

    def hide(self, upload: Upload) -> Upload:
        marker = self._s3.delete_object(Bucket=upload.bucket, Key=upload.key)
        return replace(upload, version_id=marker["VersionId"])

    def erase(self, upload: Upload) -> None:
        self._s3.delete_object(Bucket=upload.bucket, Key=upload.key, VersionId=upload.version_id)

    def bytes_of(self, fetched: FetchedObject) -> bytes:
        return fetched.path.read_bytes()


class ArtifactsBench(Protocol):
    """An artifacts bucket whose texts can expire."""

    @property
    def port(self) -> ArtifactStore: ...

    def expire(self, uri: str) -> None: ...
    def unreadable(self) -> list[tuple[str, str, str]]: ...


@dataclass
class FakeArtifactsBench:
    port: FakeArtifactStore = field(default_factory=FakeArtifactStore)

    def expire(self, uri: str) -> None:
        del self.port.texts[uri]

    def unreadable(self) -> list[tuple[str, str, str]]:
        return [(message.id, message.body, why) for message, why in self.port.unreadable]


class S3Artifacts:
    def __init__(self, s3: Any) -> None:
        self._s3 = s3
        self.port = ArtifactsBucket(s3, moto_cloud.ARTIFACTS)

    def expire(self, uri: str) -> None:
        self._s3.delete_object(
            Bucket=moto_cloud.ARTIFACTS, Key=uri.removeprefix(f"s3://{moto_cloud.ARTIFACTS}/")
        )

    def unreadable(self) -> list[tuple[str, str, str]]:
        listed = self._s3.list_objects_v2(Bucket=moto_cloud.ARTIFACTS, Prefix="unreadable/").get(
            "Contents", []
        )
        bodies = [
            self._s3.get_object(Bucket=moto_cloud.ARTIFACTS, Key=each["Key"])["Body"] for each in listed
        ]
        saved = [json.loads(body.read()) for body in bodies]
        return [(each["message_id"], each["body"], each["why"]) for each in saved]


class QueuesBench(Protocol):
    """Queues that the test can look into."""

    @property
    def port(self) -> Queues: ...

    def tasks(self, stage: Stage) -> list[Task]: ...


@dataclass
class FakeQueuesBench:
    port: FakeQueues = field(default_factory=FakeQueues)

    def tasks(self, stage: Stage) -> list[Task]:
        return [each for each in self.port.tasks if each.stage is stage]


class SqsBench:
    def __init__(self, sqs: Any) -> None:
        self.sqs = sqs
        self.intake = moto_cloud.make_queue(sqs)
        self._urls = {Stage.TRIAGE: self.intake, Stage.ESCALATION: moto_cloud.make_queue(sqs)}
        self.port = SqsQueues(sqs, self._urls, own=self.intake)

    def tasks(self, stage: Stage) -> list[Task]:
        event = {"Records": [as_lambda_sees(each) for each in receive(self.sqs, self._urls[stage])]}
        requests = [each for message in lambda_events.parse(event).messages for each in message.requests]
        return [each for each in requests if isinstance(each, Task)]

    def groups(self, stage: Stage) -> list[str]:
        """Which group each task waits in."""
        found = receive(self.sqs, self._urls[stage])
        return [each["Attributes"]["MessageGroupId"] for each in found]

    def received(self) -> list[Message]:
        """What the intake queue shows now, each invisible from then on."""
        return [
            Message(id=each["MessageId"], receipt=each["ReceiptHandle"], body=each["Body"])
            for each in receive(self.sqs, self.intake)
        ]


class BusBench(Protocol):
    """A bus that the test listens to."""

    @property
    def port(self) -> EventBus: ...

    def heard(self) -> list[Published]: ...


@dataclass
class FakeBusBench:
    port: FakeBus = field(default_factory=FakeBus)

    def heard(self) -> list[Published]:
        return [(each.detail_type, dict(each.detail)) for each in self.port.published]


class EventBridgeBench:
    """A bus with a rule that puts all of ours into a queue."""

    def __init__(self, bridge: Any, sqs: Any) -> None:
        self._sqs, self._url = sqs, moto_cloud.make_queue(sqs)
        name = self._url.rpartition("/")[2]
        bridge.create_event_bus(Name=name)
        pattern = json.dumps({"source": ["pigeonhole"]})
        bridge.put_rule(Name=name, EventBusName=name, EventPattern=pattern)
        arn = sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        bridge.put_targets(Rule=name, EventBusName=name, Targets=[{"Id": "queue", "Arn": arn}])
        self.port = EventBridgeBus(bridge, name)

    def heard(self) -> list[Published]:
        events: list[Published] = []
        while found := receive(self._sqs, self._url):
            bodies = [json.loads(each["Body"]) for each in found]
            events += [(body["detail-type"], body["detail"]) for body in bodies]
        return events


def receive(sqs: Any, url: str) -> list[dict[str, Any]]:
    found = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=720, AttributeNames=["All"]
    )
    messages: list[dict[str, Any]] = found.get("Messages", [])
    return messages


def as_lambda_sees(message: dict[str, Any]) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "eventSource": "aws:sqs",
    }
