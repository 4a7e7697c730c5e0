"""Who may do what in AWS: each function what its code calls, each client what it came for, no more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from tests.support.template import SECRET, STACK_ID, Stack, granted, stack

# The calls of each function, as the code makes them: what is granted is this, no less and no more.
DOCUMENTS, LEDGER = "DocumentsTable.Arn", "LedgerTable.Arn"
TAKE = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
SEND = ["sqs:SendMessage"]
LOG = {"Logs.Arn": ["logs:CreateLogStream", "logs:PutLogEvents"]}
# What is written, is written by transactions of puts. What a key shows after a removal is asked without
# a version, and the version that it shows may go on at either stage.
WORK = LOG | {
    DOCUMENTS: ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem"],
    LEDGER: [
        "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem",
        "dynamodb:Query",
    ],
    "IntakeQueue.Arn": SEND,
    "EscalationQueue.Arn": SEND,
    "InboxBucket.Arn/*": ["s3:GetObject"],
    "InboxBucket.Arn": ["s3:ListBucket"],
    "ArtifactsBucket.Arn/unreadable/*": ["s3:PutObject"],
}  # fmt: skip
ASK = {
    SECRET: ["secretsmanager:GetSecretValue"],
    "arn:aws:s3:::own-bucket/sorting/taxonomy.toml": ["s3:GetObject"],
}
CALLS = {
    "TriageFunction": WORK
    | ASK
    | {
        "IntakeQueue.Arn": [*TAKE, "sqs:ChangeMessageVisibility", *SEND],
        "InboxBucket.Arn/*": ["s3:GetObjectVersion", "s3:GetObject"],
        # Called by nobody: they make a missing key and a missing version a 404 instead of a 403.
        "InboxBucket.Arn": ["s3:ListBucket", "s3:ListBucketVersions"],
        "ArtifactsBucket.Arn/text/*": ["s3:PutObject"],
    },
    "EscalationFunction": WORK
    | ASK
    | {
        "EscalationQueue.Arn": [*TAKE, "sqs:ChangeMessageVisibility", *SEND],
        "InboxBucket.Arn/*": ["s3:GetObjectVersion", "s3:GetObject"],
        "InboxBucket.Arn": ["s3:ListBucket", "s3:ListBucketVersions"],
        "ArtifactsBucket.Arn": ["s3:ListBucket"],
        "ArtifactsBucket.Arn/text/*": ["s3:GetObject"],
    },
    "DeadLetterFunction": WORK | {"IntakeDeadLetters.Arn": TAKE, "EscalationDeadLetters.Arn": TAKE},
    "PublishFunction": LOG
    | {
        "DocumentsTable.StreamArn": [
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
        ],
        # Lambda asks for it before it takes the mapping.
        "DocumentsTable.Arn/stream/*": ["dynamodb:ListStreams"],
        "EventBus.Arn": ["events:PutEvents"],
        # Sent by Lambda in the function's name.
        "UnpublishedQueue.Arn": SEND,
    },
    "SweepFunction": LOG
    | {
        f"{LEDGER}/index/open_by_due": ["dynamodb:Query"],
        LEDGER: ["dynamodb:GetItem", "dynamodb:PutItem"],
        "IntakeQueue.Arn": SEND,
        "EscalationQueue.Arn": SEND,
    },
}
CLIENTS = {
    "ReaderPolicy": {
        DOCUMENTS: ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"],
        f"{DOCUMENTS}/index/by_category": ["dynamodb:Query"],
        f"{DOCUMENTS}/index/by_status": ["dynamodb:Query"],
        "ArtifactsBucket.Arn/text/*": ["s3:GetObject"],
    },
    "DropperPolicy": {
        "InboxBucket.Arn/*": [
            "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts",
        ],
    },
    # tests/integration/test_operators_rights.py runs the commands and holds their calls against this.
    "OperatorPolicy": {
        STACK_ID: ["cloudformation:DescribeStacks"],
        "TriageFunction.Arn": ["lambda:GetFunctionConfiguration"],
        DOCUMENTS: ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem"],
        LEDGER: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
        f"{DOCUMENTS}/index/by_category": ["dynamodb:Query"],
        f"{DOCUMENTS}/index/by_status": ["dynamodb:Query"],
        f"{LEDGER}/index/open_by_due": ["dynamodb:Query"],
        "InboxBucket.Arn": ["s3:ListBucket", "s3:ListBucketVersions"],
        "InboxBucket.Arn/*": ["s3:GetObject"],
        "IntakeQueue.Arn": ["sqs:GetQueueAttributes", *SEND],
        "EscalationQueue.Arn": ["sqs:GetQueueAttributes", *SEND],
        "IntakeDeadLetters.Arn": ["sqs:GetQueueAttributes", "sqs:GetQueueUrl"],
        "EscalationDeadLetters.Arn": ["sqs:GetQueueAttributes", "sqs:GetQueueUrl"],
        "arn:aws:s3:::own-bucket/sorting/taxonomy.toml": ["s3:GetObject"],
    },
}  # fmt: skip


@pytest.mark.parametrize("function", CALLS)
def test_a_function_is_granted_its_calls_and_nothing_else(function):
    assert role_of(function, stack()) == as_sets(CALLS[function])


def test_every_function_is_in_the_table_and_has_a_role_of_its_own():
    functions = stack().of("Lambda::Function")
    assert set(functions) == set(CALLS)
    assert len({each["Role"] for each in functions.values()}) == len(functions)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_is_granted_what_it_came_for_and_nothing_else(client):
    assert granted(stack().of("IAM::ManagedPolicy")[client]["PolicyDocument"]) == as_sets(CLIENTS[client])


def test_every_policy_belongs_to_functions_or_clients():
    roles = stack().of("IAM::Role").values()
    attached = {name for role in roles for name in role["ManagedPolicyArns"]}
    assert set(stack().of("IAM::ManagedPolicy")) == attached | set(CLIENTS)
    assert not stack().of("IAM::Policy")


def test_no_grant_is_for_every_action_or_every_resource():
    policies = [each["PolicyDocument"] for each in stack().of("IAM::ManagedPolicy").values()]
    policies += [
        policy["PolicyDocument"] for each in stack().of("IAM::Role").values() for policy in each["Policies"]
    ]
    for resource, actions in granted(*policies).items():
        assert resource.partition("*")[0]
        assert not [action for action in actions if "*" in action]


def test_without_a_taxonomy_of_ones_own_no_object_outside_the_stack_can_be_read():
    for function in CALLS:
        own = {
            resource for resource in role_of(function, stack(bare=True)) if resource.startswith("arn:aws:s3")
        }
        assert not own


def test_only_lambda_takes_the_roles_of_the_functions():
    for role in stack().of("IAM::Role").values():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}


def role_of(function: str, of: Stack) -> dict[str, set[str]]:
    """All that the function's role allows, by the policies in it and those attached to it."""
    role = of.of("IAM::Role")[of.of("Lambda::Function")[function]["Role"].removesuffix(".Arn")]
    attached = [of.of("IAM::ManagedPolicy")[name]["PolicyDocument"] for name in role["ManagedPolicyArns"]]
    return granted(*attached, *(policy["PolicyDocument"] for policy in role["Policies"]))


def as_sets(grants: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    return {resource: set(actions) for resource, actions in grants.items()}
