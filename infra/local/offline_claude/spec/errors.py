"""The API's ways of saying no: each has the documented status, type and body."""

from collections.abc import Mapping
from dataclasses import dataclass, field

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}


@dataclass(kw_only=True, eq=False)
class Rejection(Exception):
    """A request that is answered with an error."""

    status: int
    message: str
    error_code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message

    def body(self, request_id: str) -> dict[str, object]:
        """The documented error envelope."""
        error: dict[str, object] = {"type": TYPES[self.status], "message": self.message}
        if self.error_code:
            error["details"] = {"error_code": self.error_code}
        return {"type": "error", "error": error, "request_id": request_id}


def invalid(message: str) -> Rejection:
    """The request itself is wrong."""
    return Rejection(status=400, message=message)


def unauthenticated() -> Rejection:
    """No key was sent."""
    return Rejection(status=401, message="x-api-key header is required")


def not_found(what: str) -> Rejection:
    """There is no such path or model."""
    return Rejection(status=404, message=what)


def too_large() -> Rejection:
    """The request is longer than the edge lets through."""
    return Rejection(status=413, message="Request exceeds the maximum size")
