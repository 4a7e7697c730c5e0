"""The socket: 127.0.0.1 only, HTTP/1.1 with connections kept alive, each reply sent in one piece."""

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
from infra.local.offline_claude.api.http_messages import Reply, Request
from infra.local.offline_claude.control.faults import Fault
from infra.local.offline_claude.control.settings import Settings, with_changes
from infra.local.offline_claude.spec.errors import ApiError, bad_request, request_too_large

HOST = "127.0.0.1"
LARGEST = 32 * 1024 * 1024
DRAINED = 512 * 1024 * 1024
STATUS_WORDS = {529: "Overloaded"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, app: App) -> None:
        self.app = app
        self.stopping = threading.Event()
        # One at a time: threads that take turns at every instruction would all be ready last.
        self.turn = threading.Lock()
        self._open: set[socket] = set()
        super().__init__((HOST, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is a mistake of ours and is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """Stop listening, wake every waiting reply and close what is still open."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        for connection in tuple(self._open):
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
            return self._send(Reply(error=error), request_id)
        return self._serve(body, request_id)

    def _body(self) -> bytes:
        length = self.headers.get("content-length", "")
        if not length.isdecimal():
            raise bad_request("The offline Claude needs a content-length")
        if int(length) > LARGEST:
            self._drain(int(length))
            raise request_too_large()
        return self.rfile.read(int(length))

    def _drain(self, length: int) -> None:
        """Read on, so that the sender hears the answer instead of a broken pipe."""
        left = min(length, DRAINED)
        while left > 0 and (chunk := self.rfile.read(min(left, 1 << 20))):
            left -= len(chunk)

    def _serve(self, body: bytes, request_id: str = "") -> None:
        started = time.monotonic()
        request_id = request_id or self.server.app.next_id()
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(method=self.command, path=self.path, headers=headers, body=body)
        with self.server.turn:
            reply = self.server.app.handle(request, request_id)
        # What it took to answer is part of the latency, so that a busy server is not a slower Claude.
        if (left := reply.wait_s - (time.monotonic() - started)) > 0:
            self.server.stopping.wait(left)
        if reply.cut:
            self.close_connection = True
            return
        self._send(reply, request_id)

    def _send(self, reply: Reply, request_id: str) -> None:
        content = json.dumps(reply.content(request_id), ensure_ascii=False).encode(errors="replace")
        self.send_response(reply.status, STATUS_WORDS.get(reply.status) or HTTPStatus(reply.status).phrase)
        sent = {
            "content-type": "application/json",
            "content-length": str(len(content)),
            "request-id": request_id,
        }
        for name, value in (sent | dict(reply.headers)).items():
            self.send_header(name, value)
        if self.close_connection:
            # Unsaid, a client would ask again on a connection that is about to end.
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
    """Run the server in this process; gives its base URL. Port 0 takes a free one."""
    chosen = with_changes(settings or Settings(), {"faults": faults} if faults else {})
    server = _Server(port, App(chosen, clock))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield _url(server)
    finally:
        server.stop()
        thread.join()


def run(port: int = 0, *, ready: Callable[[str], None] = print, **settings: Any) -> None:
    """Serve until interrupted; `ready` gets the base URL, the settings are those of `Settings`."""
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
