"""Buckets, tables and what S3 may tell the queue: private, encrypted, kept as long as stated, no longer."""

from __future__ import annotations

import pytest

from pigeonhole.domain.record import Record
from tests.support.template import Properties, several, stack

BUCKETS = ["InboxBucket", "ArtifactsBucket"]
TABLES = ["DocumentsTable", "LedgerTable"]


def test_these_are_all():
    assert list(stack().of("S3::Bucket")) == BUCKETS
    assert list(stack().of("DynamoDB::Table")) == TABLES


@pytest.mark.parametrize("name", BUCKETS)
def test_a_bucket_is_private_and_encrypted(name):
    bucket = stack().of("S3::Bucket")[name]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]


@pytest.mark.parametrize("name", BUCKETS)
def test_a_bucket_refuses_everybody_who_comes_without_tls(name):
    (policy,) = (each for each in stack().of("S3::BucketPolicy").values() if each["Bucket"] == name)
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [f"{name}.Arn", f"{name}.Arn/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]


@pytest.mark.parametrize("name", BUCKETS)
def test_broken_uploads_do_not_stay(name):
    assert [rule for rule in lifecycle(name) if "AbortIncompleteMultipartUpload" in rule]


def test_the_inbox_keeps_what_is_current_and_forgets_what_was_replaced():
    assert stack().of("S3::Bucket")["InboxBucket"]["VersioningConfiguration"] == {"Status": "Enabled"}
    assert not [rule for rule in lifecycle("InboxBucket") if "ExpirationInDays" in rule]
    assert {"NoncurrentDays": 90} in [
        rule.get("NoncurrentVersionExpiration") for rule in lifecycle("InboxBucket")
    ]


def test_artifacts_are_gone_after_90_days_and_leave_no_version_behind():
    assert [rule["ExpirationInDays"] for rule in lifecycle("ArtifactsBucket")] == [90]
    assert "VersioningConfiguration" not in stack().of("S3::Bucket")["ArtifactsBucket"]


def test_the_inbox_notifies_the_intake_queue_of_everything_that_comes_and_goes():
    notified = stack().of("S3::Bucket")["InboxBucket"]["NotificationConfiguration"]["QueueConfigurations"]
    assert {(each["Event"], each["Queue"]) for each in notified} == {
        ("s3:ObjectCreated:*", "IntakeQueue.Arn"),
        ("s3:ObjectRemoved:*", "IntakeQueue.Arn"),
        ("s3:LifecycleExpiration:*", "IntakeQueue.Arn"),
    }


def test_s3_may_send_from_this_account_before_the_inbox_is_made_and_nobody_else_may():
    ((name, policy),) = stack().of("SQS::QueuePolicy").items()
    assert name in several(stack().resources["InboxBucket"]["DependsOn"])
    assert policy["Queues"] == ["IntakeQueue"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert (statement["Action"], statement["Resource"]) == ("sqs:SendMessage", "IntakeQueue.Arn")
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": "arn:aws:s3:::*-inboxbucket-*"},
    }


def test_the_inbox_has_the_name_that_the_queue_expects():
    # CloudFormation makes it of the stack's name and the logical name, in small letters.
    assert "BucketName" not in stack().of("S3::Bucket")["InboxBucket"]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_paid_by_use_encrypted_and_can_be_restored(name):
    table = stack().of("DynamoDB::Table")[name]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_the_documents_table_is_keyed_by_document_and_streams_both_images():
    documents = stack().of("DynamoDB::Table")["DocumentsTable"]
    assert keys(documents) == ["document"]
    assert documents["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_the_ledger_is_keyed_by_partition_and_sort_key_and_streams_nothing():
    ledger = stack().of("DynamoDB::Table")["LedgerTable"]
    assert keys(ledger) == ["pk", "sk"]
    assert "StreamSpecification" not in ledger


@pytest.mark.parametrize(
    ("name", "by"), [("by_category", ["category", "processed_at"]), ("by_status", ["status", "updated_at"])]
)
def test_an_index_lists_what_a_list_shows_and_nothing_twice(name, by):
    indexes = stack().of("DynamoDB::Table")["DocumentsTable"]["GlobalSecondaryIndexes"]
    (index,) = (each for each in indexes if each["IndexName"] == name)
    projected = index["Projection"]["NonKeyAttributes"]
    assert keys(index) == by
    assert index["Projection"]["ProjectionType"] == "INCLUDE"
    assert set(projected) == {"title", "team", "confidence", "tier", "processed_at"} - set(by)
    assert set(by) | set(projected) <= set(Record.model_fields)


def lifecycle(bucket: str) -> list[Properties]:
    rules = stack().of("S3::Bucket")[bucket]["LifecycleConfiguration"]["Rules"]
    return [rule for rule in rules if rule["Status"] == "Enabled"]


def keys(of: Properties) -> list[str]:
    assert [each["KeyType"] for each in of["KeySchema"]] == ["HASH", "RANGE"][: len(of["KeySchema"])]
    return [each["AttributeName"] for each in of["KeySchema"]]
