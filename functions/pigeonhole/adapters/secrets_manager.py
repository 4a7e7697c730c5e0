"""The API key: a secret fetched at first use, never an environment value."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from pigeonhole.adapters.aws_errors import classified, code_of
from pigeonhole.domain.document import StopAll

# The last one: it is about to be deleted.
_UNUSABLE = frozenset(
    {"ResourceNotFoundException", "AccessDeniedException", "DecryptionFailure", "InvalidRequestException"}
)


def api_key(secrets: Any, arn: str) -> str:
    """The secret's text. StopAll when there is none, or we may not have it: no document can go on."""
    with classified():
        try:
            value = secrets.get_secret_value(SecretId=arn).get("SecretString", "").strip()
        except ClientError as error:
            if code_of(error) in _UNUSABLE:
                raise StopAll("credentials", f"the API key's secret: {code_of(error)}") from error
            raise
    if not value:
        raise StopAll("credentials", "the API key's secret holds no text")
    return str(value)
