"""Every port twice: its fake, and the real adapter over an AWS in memory; and two Claudes over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.local import offline_claude
from pigeonhole.adapters.dynamodb import DynamoStore
from pigeonhole.stores import Store
from tests.contract import moto_cloud
from tests.contract.captured_output import Lines, listen
from tests.contract.claude_server import Api, OfflineClaude, serve
from tests.contract.port_harness import (
    ArtifactsBench,
    BusBench,
    EventBridgeBench,
    FakeArtifactsBench,
    FakeBusBench,
    FakeInbox,
    FakeQueuesBench,
    ObjectsBench,
    QueuesBench,
    S3Artifacts,
    S3Inbox,
    SqsBench,
)
from tests.support.fakes import FakeStore

both = pytest.fixture(params=["fake", "aws"])


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    """An AWS of this process's own, for one file of tests."""
    with pytest.MonkeyPatch.context() as patch:
        moto_cloud.isolate(patch)
        with moto_cloud.in_memory():
            moto_cloud.make_buckets(moto_cloud.client("s3"))
            yield


@pytest.fixture
def dynamo_store(aws: None) -> DynamoStore:
    dynamodb = moto_cloud.client("dynamodb")
    moto_cloud.make_tables(dynamodb)
    return DynamoStore(dynamodb, documents=moto_cloud.DOCUMENTS, ledger=moto_cloud.LEDGER)


@both
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "fake":
        return FakeStore()
    real: DynamoStore = request.getfixturevalue("dynamo_store")
    return real


@both
def inbox(request: pytest.FixtureRequest) -> ObjectsBench:
    if request.param == "fake":
        return FakeInbox()
    request.getfixturevalue("aws")
    return S3Inbox(moto_cloud.client("s3"))


@both
def artifacts(request: pytest.FixtureRequest) -> ArtifactsBench:
    if request.param == "fake":
        return FakeArtifactsBench()
    request.getfixturevalue("aws")
    return S3Artifacts(moto_cloud.client("s3"))


@both
def queues(request: pytest.FixtureRequest) -> QueuesBench:
    if request.param == "fake":
        return FakeQueuesBench()
    request.getfixturevalue("aws")
    return SqsBench(moto_cloud.client("sqs"))


@both
def bus(request: pytest.FixtureRequest) -> BusBench:
    if request.param == "fake":
        return FakeBusBench()
    request.getfixturevalue("aws")
    return EventBridgeBench(moto_cloud.client("events"), moto_cloud.client("sqs"))


@pytest.fixture(scope="session")
def offline_claude_url() -> Iterator[str]:
    with offline_claude.serve() as url:
        yield url


@pytest.fixture
def offline(offline_claude_url: str) -> OfflineClaude:
    """The offline Claude, with an empty ledger and in good health."""
    claude = OfflineClaude(offline_claude_url)
    claude.reset()
    return claude


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """A server that says whatever it is told to say."""
    with serve() as served:
        yield served


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    return listen(capsys)
