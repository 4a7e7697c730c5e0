"""A request and a reply as values, so that everything but the socket is plain code."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.local.offline_claude.spec.errors import ApiError


@dataclass(frozen=True, kw_only=True)
class Request:
    """One HTTP request; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What goes back, after how long: a body or a rejection; cut means that the connection ends instead."""

    body: object = None
    error: ApiError | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_s: float = 0.0
    cut: bool = False

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.error.status if self.error else 200

    def content(self, request_id: str) -> object:
        """The JSON body."""
        return self.error.body(request_id) if self.error else self.body
