"""Every way an AWS call can fail becomes one of our errors: busy or unreachable is later, the rest ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from pigeonhole.domain.document import Defect, PigeonholeError, TryLater

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
        unsure = not isinstance(error, _UNSENT)
        return TryLater(f"no answer from AWS ({type(error).__name__})", seconds=_BUSY_SECONDS, unsure=unsure)
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code_of(error) in _BUSY_CODES or status >= 500 or status == 429:
            return TryLater(f"AWS is busy ({code_of(error)})", seconds=_BUSY_SECONDS, unsure=status >= 500)
    # botocore's own words may quote the values that it was given.
    said = f"{error!s:.300}" if isinstance(error, ClientError) else ""
    return Defect(f"{type(error).__name__}: {said}")
