"""HTTP requests and responses as values, so that everything but the server works without a socket."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.local.offline_claude.spec.errors import ApiError, bad_request


@dataclass(frozen=True, kw_only=True)
class HttpRequest:
    """One HTTP request; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        """The parsed body. Raises a 400 if it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise bad_request("The request body is not valid JSON") from None


@dataclass(frozen=True, kw_only=True)
class HttpResponse:
    """A body or an error, to be sent after `delay_s` seconds.

    With `disconnect` nothing is sent: the connection is closed instead.
    """

    body: object = None
    error: ApiError | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    disconnect: bool = False

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.error.status if self.error else 200

    def content(self, request_id: str) -> object:
        """The JSON value of the body, an error's envelope included."""
        return self.error.body(request_id) if self.error else self.body
