"""The HTTP/1.1 server: on 127.0.0.1 only, with connections kept alive, one thread a connection."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from typing import Any

from infra.local.offline_claude.api.app import App
from infra.local.offline_claude.api.http_messages import HttpRequest, HttpResponse
from infra.local.offline_claude.control.faults import Fault
from infra.local.offline_claude.control.settings import Settings, with_changes
from infra.local.offline_claude.spec.errors import ApiError, bad_request, request_too_large

HOST = "127.0.0.1"
MAX_BODY_BYTES = 32 * 1024 * 1024
MAX_DRAINED_BYTES = 512 * 1024 * 1024
REASON_PHRASES = {529: "Overloaded"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, app: App) -> None:
        self.app = app
        self.stopping = threading.Event()
        # Requests are handled one after the other: threads that share the interpreter would all finish late.
        self.handling_lock = threading.Lock()
        self._connections: set[socket] = set()
        super().__init__((HOST, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnected; print anything else, since it is a bug of the server."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """Stop listening, wake all delayed responses and close the open connections."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        for connection in tuple(self._connections):
            with suppress(OSError):
                connection.shutdown(SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "offline-claude"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        request_id = self.server.app.next_id()
        try:
            body = self._body()
        except ApiError as error:
            self.close_connection = True
            return self._send(HttpResponse(error=error), request_id)
        return self._serve(body, request_id)

    def _body(self) -> bytes:
        length = self.headers.get("content-length", "")
        if not length.isdecimal():
            raise bad_request("The offline Claude needs a content-length")
        if int(length) > MAX_BODY_BYTES:
            self._drain(int(length))
            raise request_too_large()
        return self.rfile.read(int(length))

    def _drain(self, length: int) -> None:
        """Read the rest of the body, so that the client gets the response instead of a broken pipe."""
        left = min(length, MAX_DRAINED_BYTES)
        while left > 0 and (chunk := self.rfile.read(min(left, 1 << 20))):
            left -= len(chunk)

    def _serve(self, body: bytes, request_id: str = "") -> None:
        started = time.monotonic()
        request_id = request_id or self.server.app.next_id()
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = HttpRequest(method=self.command, path=self.path, headers=headers, body=body)
        with self.server.handling_lock:
            response = self.server.app.handle(request, request_id)
        # The time it took to handle counts towards the delay, so that a busy server does not answer later.
        if (left := response.delay_s - (time.monotonic() - started)) > 0:
            self.server.stopping.wait(left)
        if response.disconnect:
            self.close_connection = True
            return
        self._send(response, request_id)

    def _send(self, response: HttpResponse, request_id: str) -> None:
        content = json.dumps(response.content(request_id), ensure_ascii=False).encode(errors="replace")
        reason = REASON_PHRASES.get(response.status) or HTTPStatus(response.status).phrase
        self.send_response(response.status, reason)
        headers = {
            "content-type": "application/json",
            "content-length": str(len(content)),
            "request-id": request_id,
        }
        for name, value in (headers | dict(response.headers)).items():
            self.send_header(name, value)
        if self.close_connection:
            # Without it a client would send its next request on a connection that is about to close.
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """The ledger is the log."""


@contextmanager
def serve(
    port: int = 0,
    *,
    settings: Settings | None = None,
    faults: tuple[Fault, ...] = (),
    clock: Callable[[], float] = time.time,
) -> Iterator[str]:
    """Run the server in a thread of this process, as a context manager that gives its base URL.

    Port 0 takes a free one. `faults` are in force from the start, and again after a reset.
    """
    effective = with_changes(settings or Settings(), {"faults": faults} if faults else {})
    server = _Server(port, App(effective, clock))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield _url(server)
    finally:
        server.stop()
        thread.join()


def run(port: int = 0, *, ready: Callable[[str], None] = print, **settings: Any) -> None:
    """Serve until interrupted. `ready` is called with the base URL; the settings are those of `Settings`."""
    server = _Server(port, App(with_changes(Settings(), settings)))
    ready(_url(server))
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


def _url(server: _Server) -> str:
    return f"http://{HOST}:{server.server_address[1]}"
