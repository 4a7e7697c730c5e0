"""The errors of the API, each with the documented status, type and body."""

from collections.abc import Mapping
from dataclasses import dataclass, field

ERROR_TYPES = {
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
class ApiError(Exception):
    """An error response; raised where a request is found to be wrong."""

    status: int
    message: str
    error_code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message

    def body(self, request_id: str) -> dict[str, object]:
        """The documented JSON envelope of an error."""
        error: dict[str, object] = {"type": ERROR_TYPES[self.status], "message": self.message}
        if self.error_code:
            error["details"] = {"error_code": self.error_code}
        return {"type": "error", "error": error, "request_id": request_id}


def bad_request(message: str) -> ApiError:
    """A 400: the request itself is wrong."""
    return ApiError(status=400, message=message)


def unauthenticated() -> ApiError:
    """A 401: the request carries no API key."""
    return ApiError(status=401, message="x-api-key header is required")


def not_found(message: str) -> ApiError:
    """A 404: there is no such path or model."""
    return ApiError(status=404, message=message)


def request_too_large() -> ApiError:
    """A 413: the request body is longer than the API accepts."""
    return ApiError(status=413, message="Request exceeds the maximum size")
