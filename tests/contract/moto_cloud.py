"""An AWS in this process, its tables shaped by the template; nothing of a real one is in reach."""

from __future__ import annotations

import threading
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import cache
from typing import Any

import boto3
import pytest

from infra.ops import template

REGION = "eu-west-1"
INBOX, ARTIFACTS, DOCUMENTS, LEDGER = "inbox", "artifacts", "documents", "ledger"
_TABLES = {DOCUMENTS: "DocumentsTable", LEDGER: "LedgerTable"}
_SHAPE = ("KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "BillingMode")


def isolate(patch: pytest.MonkeyPatch) -> None:
    """No profile and no account of the machine's owner."""
    patch.setenv("AWS_CONFIG_FILE", "/dev/null")
    patch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    patch.setenv("AWS_ACCESS_KEY_ID", "testing")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    patch.setenv("AWS_DEFAULT_REGION", REGION)


@contextmanager
def in_memory() -> Iterator[None]:
    """moto's AWS, loaded by those tests alone that use it, one request at a time as it needs."""
    with warnings.catch_warnings():
        # requests, which moto stands on, says that it does not know our version of chardet.
        warnings.simplefilter("ignore")
        from moto import mock_aws
        from moto.core.botocore_stubber import BotocoreStubber
        from moto.dynamodb.models.dynamo_type import DynamoType
    answer, lock = BotocoreStubber.__call__, threading.RLock()

    def one_at_a_time(*asked: Any, **more: Any) -> Any:
        with lock:
            return answer(*asked, **more)

    def plus(one: Any, other: Any) -> Any:
        """DynamoDB's numbers are decimals; moto takes 0E-9 and the like for no number at all."""
        return DynamoType({"N": f"{Decimal(one.value) + Decimal(other.value):f}"})

    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setattr(BotocoreStubber, "__call__", one_at_a_time)
        patch.setattr(DynamoType, "__add__", plus)
        yield


@contextmanager
def served() -> Iterator[str]:
    """moto over HTTP, one request at a time; its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import make_server
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def client(service: str, **options: Any) -> Any:
    session: Any = boto3
    return session.client(service, region_name=REGION, **options)


def make_tables(dynamodb: Any) -> None:
    """Empty ones, whatever was there before."""
    for name, logical in _TABLES.items():
        if name in dynamodb.list_tables()["TableNames"]:
            dynamodb.delete_table(TableName=name)
        shape = _template()["Resources"][logical]["Properties"]
        dynamodb.create_table(TableName=name, **{key: shape[key] for key in _SHAPE if key in shape})


def make_buckets(s3: Any) -> None:
    """The inbox with its versions, the artifacts without."""
    for name in (INBOX, ARTIFACTS):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=INBOX, VersioningConfiguration={"Status": "Enabled"})


def make_queue(sqs: Any) -> str:
    """A new one; its URL."""
    url: str = sqs.create_queue(QueueName=uuid.uuid4().hex)["QueueUrl"]
    return url


@cache
def _template() -> template.Template:
    return template.load()
