"""The local stack enforces who may do what: each kind of client does its part and nothing else."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from infra.ops.stack import Stack


def as_user_with(stack: Stack, policy: str) -> Stack:
    """The stack as somebody sees it who has this policy alone."""
    iam, name = stack.client("iam"), policy
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=stack.outputs[policy])
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return replace(
        stack, access_key_id=key["AccessKeyId"], secret_access_key=key["SecretAccessKey"], _clients={}
    )


@pytest.fixture(scope="session")
def reader(stack: Stack) -> Stack:
    return as_user_with(stack, "ReaderPolicyArn")


@pytest.fixture(scope="session")
def dropper(stack: Stack) -> Stack:
    return as_user_with(stack, "DropperPolicyArn")


def denied(call: Callable[[], object]) -> bool:
    with pytest.raises(ClientError) as refused:
        call()
    return refused.value.response["Error"]["Code"].startswith("AccessDenied")


def test_one_drops_a_document_and_the_other_reads_its_row(dropper: Stack, reader: Stack):
    uri = dropper.upload("clients/invoice.txt", b"Invoice 12\nTotal due: 12.00 EUR, payable within 30 days")
    assert reader.wait_row(uri)["status"] == "done"


def test_a_reader_may_not_drop(reader: Stack):
    assert denied(lambda: reader.upload("clients/not-mine.txt", b"x"))


def test_a_dropper_may_not_read(dropper: Stack):
    assert denied(lambda: dropper.row(dropper.uri("clients/invoice.txt")))


def test_a_reader_may_not_look_into_the_inbox(reader: Stack):
    s3, bucket = reader.client("s3"), reader.outputs["InboxBucket"]
    assert denied(lambda: s3.get_object(Bucket=bucket, Key="clients/invoice.txt"))
