"""What the server answers on each path, without any network; only the API's own paths ask for a key."""

import time
from collections.abc import Callable

from infra.local.offline_claude.api import messages_endpoint, models_endpoint
from infra.local.offline_claude.api.http_messages import Reply, Request
from infra.local.offline_claude.api.state import State
from infra.local.offline_claude.control.settings import Settings
from infra.local.offline_claude.spec.errors import ApiError, bad_request, not_found, unauthenticated


class App:
    """The endpoints over one state; the clock tells seconds since 1970."""

    def __init__(self, settings: Settings | None = None, clock: Callable[[], float] = time.time) -> None:
        self._state = State(settings or Settings(), clock)

    def next_id(self) -> str:
        """The id that the next reply carries."""
        return self._state.next_id()

    def handle(self, request: Request, request_id: str) -> Reply:
        """The reply to a request; every rejection is one too."""
        try:
            path = request.path.partition("?")[0].rstrip("/")
            return (
                self._control(request, path)
                if path.startswith("/_offline")
                else self._api(request, path, request_id)
            )
        except ApiError as error:
            return Reply(error=error, headers=error.headers)
        except RecursionError:
            return Reply(error=bad_request("The request is nested too deeply"))

    def _control(self, request: Request, path: str) -> Reply:
        match request.method, path:
            case "GET", "/_offline/ledger":
                return Reply(body=self._state.ledger.as_list())
            case "GET", "/_offline/bill":
                return Reply(body=self._state.ledger.bill())
            case "POST", "/_offline/faults":
                return Reply(body=self._state.configure(messages_endpoint.parse(request.body)).as_dict())
            case "POST", "/_offline/reset":
                return Reply(body=self._state.reset().as_dict())
        raise not_found(f"{request.method} {path}")

    def _api(self, request: Request, path: str, request_id: str) -> Reply:
        _authenticate(request)
        match request.method, path.split("/")[1:]:
            case "POST", ["v1", "messages"]:
                return messages_endpoint.create(request, self._state, request_id)
            case "POST", ["v1", "messages", "count_tokens"]:
                return messages_endpoint.count(request, self._state)
            case "GET", ["v1", "models"]:
                return Reply(body=models_endpoint.listing())
            case "GET", ["v1", "models", name]:
                return Reply(body=models_endpoint.one(name))
        raise not_found("Not Found")


def _authenticate(request: Request) -> None:
    bearer = request.headers.get("authorization", "").removeprefix("Bearer").strip()
    if not bearer and not request.headers.get("x-api-key", "").strip():
        raise unauthenticated()
