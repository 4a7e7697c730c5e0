"""Claude's side of the wire: a server that says what it is told to, and the offline Claude's controls."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-5-5",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 2},
}


@dataclass
class Api:
    """What it says next, and what it was asked.

    More bytes `promised` than it sends are a cut connection; with a `pause` it sends one byte at a time.
    """

    url: str
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    promised: int | None = None
    pause: float = 0.0
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)

    def says(
        self,
        status: int,
        body: object = b"",
        *,
        promised: int | None = None,
        pause: float = 0.0,
        **headers: Any,
    ) -> None:
        self.status, self.promised, self.pause = status, promised, pause
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.asked.clear()
        self.keys.clear()

    def refuses(self, status: int, message: str = "no", code: str | None = None, **headers: Any) -> None:
        """The API's own shape of an error."""
        kinds = {400: "invalid_request_error", 413: "request_too_large", 429: "rate_limit_error"}
        error: dict[str, Any] = {"type": kinds.get(status, "api_error"), "message": message}
        details = {"details": {"error_code": code}} if code else {}
        self.says(status, {"type": "error", "error": error | details, "request_id": "req_1"}, **headers)


@contextmanager
def serve() -> Iterator[Api]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    api = Api(url=f"http://127.0.0.1:{server.server_address[1]}")
    server.api = api  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        api: Api = self.server.api  # type: ignore[attr-defined]
        api.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        api.keys.append(self.headers["authorization"])
        self.send_response(api.status)
        length = len(api.body) if api.promised is None else api.promised
        headers = {"content-type": "application/json", "content-length": str(length)}
        for name, value in (headers | dict(api.headers)).items():
            self.send_header(name, value)
        self.end_headers()
        if api.pause:
            self._trickle(api)
        else:
            self.wfile.write(api.body)
        self.close_connection = api.promised is not None

    def _trickle(self, api: Api) -> None:
        with suppress(OSError):  # who asked has hung up
            for byte in api.body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(api.pause)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
        pass


@dataclass(frozen=True)
class OfflineClaude:
    """The control paths of the offline Claude."""

    url: str

    def reset(self) -> None:
        self._post("reset", {})

    def suffers(self, kind: str, **how: Any) -> None:
        """This fault on every request, unless `how` says otherwise."""
        whom = {} if how.keys() & {"rate", "next", "marker"} else {"rate": 1.0}
        self._post("faults", {"faults": [{"kind": kind} | whom | how]})

    def ledger(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.url}/_offline/ledger", timeout=10) as response:
            entries: list[dict[str, Any]] = json.load(response)
            return entries

    def _post(self, path: str, content: object) -> None:
        request = urllib.request.Request(f"{self.url}/_offline/{path}", json.dumps(content).encode())
        with urllib.request.urlopen(request, timeout=10) as response:
            response.read()
