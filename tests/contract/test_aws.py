"""AWS's errors, all of them: what passes by itself is tried later, the rest is ours to mend."""

from __future__ import annotations

import inspect
import string
from typing import Any

import pytest
from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from botocore.retries import standard

from pigeonhole.adapters.aws import classified, classify, code_of
from pigeonhole.domain.errors import Defect, PigeonholeError, RetryCause, TryLater
from tests.contract import moto_cloud

# What a call can raise because of the network, the machine's credentials or bytes lost on the way.
PASSING = {
    "ChecksumError",
    "ConnectTimeoutError",
    "ConnectionClosedError",
    "ConnectionError",
    "CredentialRetrievalError",
    "EndpointConnectionError",
    "FlexibleChecksumError",
    "HTTPClientError",
    "IncompleteReadError",
    "MetadataRetrievalError",
    "ProxyConnectionError",
    "ReadTimeoutError",
    "ResponseStreamingError",
    "SSLError",
}
RETRIES: Any = standard  # its lists are its own, but they say what it takes for passing
CLASSES = [
    each
    for _, each in inspect.getmembers(exceptions, inspect.isclass)
    if issubclass(each, BotoCoreError) and each.__module__ == exceptions.__name__
]
# The operations that we call: what their models say that they may answer.
CALLS = {
    "s3": ["GetObject", "HeadObject", "PutObject"],
    "dynamodb": ["TransactWriteItems", "UpdateItem", "GetItem", "Query"],
    "events": ["PutEvents"],
    "sqs": ["SendMessage", "ChangeMessageVisibility"],
    "secretsmanager": ["GetSecretValue"],
}
BUSY = {
    "InternalException",
    "InternalServerError",
    "InternalServiceError",
    "KmsThrottled",
    "ProvisionedThroughputExceededException",
    "ReplicatedWriteConflictException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
}
OURS = {
    "ConditionalCheckFailedException",
    "DecryptionFailure",
    "EncryptionTypeMismatch",
    "IdempotentParameterMismatchException",
    "InvalidAddress",
    "InvalidMessageContents",
    "InvalidObjectState",
    "InvalidParameterException",
    "InvalidRequest",
    "InvalidRequestException",
    "InvalidSecurity",
    "InvalidWriteOffset",
    "ItemCollectionSizeLimitExceededException",
    "KmsAccessDenied",
    "KmsDisabled",
    "KmsInvalidKeyUsage",
    "KmsInvalidState",
    "KmsNotFound",
    "KmsOptInRequired",
    "MessageNotInflight",
    "NoSuchKey",
    "QueueDoesNotExist",
    "ReceiptHandleIsInvalid",
    "ResourceNotFoundException",
    "TooManyParts",
    "TransactionCanceledException",
    "UnsupportedOperation",
}


def made(kind: type[BotoCoreError]) -> BotoCoreError:
    """One with every word that its message asks for."""
    words: dict[str, Any] = {name: "x" for _, name, _, _ in string.Formatter().parse(kind.fmt) if name}
    return kind(**words, last_response={})


def answered(code: str, status: int = 400) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "AnyCall")


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_of_botocore_becomes_one_of_our_errors(kind: type[BotoCoreError]) -> None:
    expected = TryLater if kind.__name__ in PASSING else Defect
    assert type(classify(made(kind))) is expected


def test_what_botocore_itself_would_try_again_is_no_mistake_of_ours() -> None:
    retried = RETRIES.TransientRetryableChecker._TRANSIENT_EXCEPTION_CLS
    assert not [kind for kind in CLASSES if issubclass(kind, retried) and kind.__name__ not in PASSING]


@pytest.mark.parametrize(
    "code",
    sorted(
        {
            *RETRIES.ThrottledRetryableChecker._THROTTLED_ERROR_CODES,
            *RETRIES.TransientRetryableChecker._TRANSIENT_ERROR_CODES,
        }
    ),
)
def test_every_code_that_botocore_itself_would_try_again_is_tried_later(code: str) -> None:
    later = classify(answered(code))
    assert isinstance(later, TryLater)
    assert 0 < later.seconds < 900
    assert later.cause is RetryCause.WAITING


def test_every_error_that_our_calls_may_get_is_known() -> None:
    known = set()
    for service, operations in CALLS.items():
        model = moto_cloud.client(service).meta.service_model
        for operation in operations:
            known |= {shape.name for shape in model.operation_model(operation).error_shapes}
    assert known == (BUSY | OURS)


@pytest.mark.parametrize("code", sorted(BUSY))
def test_a_busy_service_is_tried_later(code: str) -> None:
    assert isinstance(classify(answered(code)), TryLater)


@pytest.mark.parametrize("code", [*sorted(OURS), "AccessDenied", "ValidationException", "SomethingNew"])
def test_a_request_that_is_wrong_stays_wrong(code: str) -> None:
    assert type(classify(answered(code))) is Defect


@pytest.mark.parametrize("status", [*range(400, 430), *range(500, 512), 599])
def test_without_a_code_the_status_decides(status: int) -> None:
    expected = TryLater if status >= 500 or status == 429 else Defect
    assert type(classify(answered(str(status), status))) is expected


@pytest.mark.parametrize(
    ("error", "is_uncertain"),
    [
        (made(exceptions.ReadTimeoutError), True),
        (made(exceptions.ConnectionClosedError), True),
        (ResponseParserError("<html>"), True),
        (answered("InternalServerError", 500), True),
        (made(exceptions.ConnectTimeoutError), False),
        (made(exceptions.EndpointConnectionError), False),
        (answered("ProvisionedThroughputExceededException"), False),
        (answered("TransactionConflictException"), False),
    ],
    ids=["late", "cut", "garbled", "failed", "never connected", "no address", "throttled", "conflict"],
)
def test_it_is_known_whether_what_was_asked_may_have_been_done(error: Any, is_uncertain: bool) -> None:
    later = classify(error)
    assert isinstance(later, TryLater)
    assert later.cause is (RetryCause.UNCERTAIN if is_uncertain else RetryCause.WAITING)


def test_s3_asks_us_to_slow_down_with_either_status() -> None:
    assert isinstance(classify(answered("SlowDown", 503)), TryLater)
    assert isinstance(classify(answered("SlowDown", 400)), TryLater)


def test_an_answer_without_any_code_is_no_crash() -> None:
    bare = ClientError({}, "AnyCall")
    assert code_of(bare) == ""
    assert type(classify(bare)) is Defect


@pytest.mark.parametrize(
    "error", [answered("SlowDown", 503), made(exceptions.NoCredentialsError), ResponseParserError("<html>")]
)
def test_what_leaves_the_block_is_ours_and_says_what_it_was(error: Exception) -> None:
    with pytest.raises(PigeonholeError) as raised, classified():
        raise error
    assert raised.value.__cause__ is error


def test_other_peoples_errors_pass_through() -> None:
    with pytest.raises(KeyError), classified():
        raise KeyError("x")


def test_a_garbled_answer_is_tried_later() -> None:
    assert isinstance(classify(ResponseParserError("<html>")), TryLater)
