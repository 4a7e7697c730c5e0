"""Routes requests to the endpoints, without a socket. The API's own paths require a key, any key."""

import time
from collections.abc import Callable

from infra.local.offline_claude.api import messages_endpoint, models_endpoint
from infra.local.offline_claude.api.http_messages import HttpRequest, HttpResponse
from infra.local.offline_claude.api.state import State
from infra.local.offline_claude.control.settings import Settings
from infra.local.offline_claude.spec.errors import ApiError, bad_request, not_found, unauthenticated


class App:
    """The application: all endpoints over one state. The clock gives seconds since 1970."""

    def __init__(self, settings: Settings | None = None, clock: Callable[[], float] = time.time) -> None:
        self._state = State(settings or Settings(), clock)

    def next_id(self) -> str:
        """A new request id."""
        return self._state.next_id()

    def handle(self, request: HttpRequest, request_id: str) -> HttpResponse:
        """The response to a request; errors of the API are responses too."""
        try:
            path = request.path.partition("?")[0].rstrip("/")
            if path.startswith("/_offline"):
                return self._control(request, path)
            return self._api(request, path, request_id)
        except ApiError as error:
            return HttpResponse(error=error, headers=error.headers)
        except RecursionError:
            return HttpResponse(error=bad_request("The request is nested too deeply"))

    def _control(self, request: HttpRequest, path: str) -> HttpResponse:
        match request.method, path:
            case "GET", "/_offline/ledger":
                return HttpResponse(body=self._state.ledger.as_list())
            case "GET", "/_offline/bill":
                return HttpResponse(body=self._state.ledger.bill())
            case "POST", "/_offline/faults":
                return HttpResponse(body=self._state.configure(request.json()).as_dict())
            case "POST", "/_offline/reset":
                return HttpResponse(body=self._state.reset().as_dict())
        raise not_found(f"{request.method} {path}")

    def _api(self, request: HttpRequest, path: str, request_id: str) -> HttpResponse:
        _authenticate(request)
        match request.method, path.split("/")[1:]:
            case "POST", ["v1", "messages"]:
                return messages_endpoint.create_message(request, self._state, request_id)
            case "POST", ["v1", "messages", "count_tokens"]:
                return messages_endpoint.count_tokens(request, self._state)
            case "GET", ["v1", "models"]:
                return HttpResponse(body=models_endpoint.list_models())
            case "GET", ["v1", "models", name]:
                return HttpResponse(body=models_endpoint.get_model(name))
        raise not_found("Not Found")


def _authenticate(request: HttpRequest) -> None:
    bearer = request.headers.get("authorization", "").removeprefix("Bearer").strip()
    if not bearer and not request.headers.get("x-api-key", "").strip():
        raise unauthenticated()
