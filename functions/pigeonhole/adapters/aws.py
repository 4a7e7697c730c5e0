"""boto3 clients, and what their errors mean: busy or out of reach is later, the rest is our mistake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from botocore import exceptions
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from pigeonhole.domain.errors import Defect, PigeonholeError, RetryCause, TryLater

_BUSY_SECONDS = 20.0
_BUSY_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "InternalError",
        "InternalException",
        "InternalServerError",
        "InternalServiceError",
        "KMS.ThrottlingException",
        "KmsThrottled",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "ReplicatedWriteConflictException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
# Out of reach, cut off, or garbled on the way.
_UNREACHED = (
    exceptions.ChecksumError,
    exceptions.ConnectionError,
    exceptions.CredentialRetrievalError,
    exceptions.FlexibleChecksumError,
    exceptions.HTTPClientError,
    exceptions.IncompleteReadError,
    exceptions.MetadataRetrievalError,
    ResponseParserError,
)
# Nothing of the request had left us.
_UNSENT = (
    exceptions.ConnectTimeoutError,
    exceptions.CredentialRetrievalError,
    exceptions.EndpointConnectionError,
    exceptions.MetadataRetrievalError,
    exceptions.ProxyConnectionError,
)


@cache
def client(service: str, *, attempts: int = 4) -> Any:
    """The service's client; credentials, region and endpoint are the environment's.

    With one attempt alone for what must not be done twice: an attempt whose answer was lost may have worked.
    """
    config = Config(
        connect_timeout=3,
        read_timeout=20,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=25,
        # Half of what a call costs us: the service checks what it is given too, and gathers no user agents.
        parameter_validation=False,
        user_agent="pigeonhole",
    )
    session: Any = boto3  # the stubs know each service's client by its literal name only
    return session.client(service, config=config)


def code_of(error: ClientError) -> str:
    """The service's own word for what went wrong; a bare HTTP status for a HEAD."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def classified() -> Iterator[None]:
    """AWS's exceptions leave this block as TryLater or Defect."""
    try:
        yield
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        raise classify(error) from error


def classify(error: ClientError | BotoCoreError | ResponseParserError) -> PigeonholeError:
    """Busy or out of reach: later. Anything else is a mistake in our requests or our permissions."""
    if isinstance(error, _UNREACHED):
        reason = f"no answer from AWS ({type(error).__name__})"
        cause = RetryCause.WAITING if isinstance(error, _UNSENT) else RetryCause.UNCERTAIN
        return TryLater(reason, seconds=_BUSY_SECONDS, cause=cause)
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code_of(error) in _BUSY_CODES or status >= 500 or status == 429:
            cause = RetryCause.UNCERTAIN if status >= 500 else RetryCause.WAITING
            return TryLater(f"AWS is busy ({code_of(error)})", seconds=_BUSY_SECONDS, cause=cause)
    # botocore's own words may quote the values that it was given.
    detail = f"{error!s:.300}" if isinstance(error, ClientError) else ""
    return Defect(f"{type(error).__name__}: {detail}")
