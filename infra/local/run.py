"""The local stack's life: up for as long as a `with` lasts, or until somebody says `local down`."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from infra.dev.bootstrap import ROOT, exclusively
from infra.local import ministack
from infra.local.deploy import deploy
from infra.local.differences import Waits
from infra.local.server import Server, free_port
from infra.ops.stack import Stack, StackError

STAYING = ROOT / ".local" / "stack"
MINISTACK, CLAUDE = "ministack", "claude"
# The functions that ask the real Claude reach it as this machine does.
WAY_OUT = ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What kind of local stack; without an API key Claude is the offline one, started with these options.

    `taxonomy` is the text of another one than the built-in.
    """

    api_key: str | None = None
    claude_options: Sequence[str] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    taxonomy: str | None = None
    waits: Waits | None = None


@contextmanager
def local_stack(wanted: Wanted | None = None) -> Iterator[Stack]:
    """A fresh stack; all that it started is gone afterwards, also if this process is killed."""
    with tempfile.TemporaryDirectory(prefix="pigeonhole-", ignore_cleanup_errors=True) as folder:
        stack, servers = _start(Path(folder), wanted or Wanted(), watched=True)
        with servers:
            yield stack


def up(wanted: Wanted | None = None) -> Stack:
    """A fresh stack that stays after this process; the one before it is stopped."""
    with exclusively(STAYING.with_suffix(".lock")):
        _stop()
        STAYING.mkdir(parents=True, exist_ok=True)
        stack, _ = _start(STAYING, wanted or Wanted(), watched=False)
        _state().write_text(json.dumps(stack.described()))
        return stack


def down() -> bool:
    """Stop the stack that stays; whether there was one."""
    with exclusively(STAYING.with_suffix(".lock")):
        return _stop()


def standing() -> Stack:
    """The stack that `local up` left."""
    if not _state().exists() or not Server(folder=STAYING / MINISTACK).is_running:
        raise StackError(
            "No local stack is up: `infra/pigeonhole local up` starts one, --stack names a deployed one."
        )
    return Stack(**json.loads(_state().read_text()))


def _state() -> Path:
    return STAYING / "state.json"


def _stop() -> bool:
    running = Server(folder=STAYING / MINISTACK).is_running
    for name in (MINISTACK, CLAUDE):
        Server(folder=STAYING / name).stop()
    _state().unlink(missing_ok=True)
    return running


def _start(folder: Path, wanted: Wanted, *, watched: bool) -> tuple[Stack, ExitStack]:
    with ExitStack() as servers:
        claude = None if wanted.api_key else _offline_claude(folder / CLAUDE, wanted, watched=watched)
        if claude:
            servers.callback(claude[0].stop)
        outside = {name: os.environ[name] for name in WAY_OUT if name in os.environ} if wanted.api_key else {}
        aws, endpoint_url = ministack.start(folder / MINISTACK, watched=watched, outside=outside)
        servers.callback(aws.stop)
        stack = deploy(
            endpoint_url,
            claude_url=claude[1] if claude else None,
            api_key=wanted.api_key or "offline",
            parameters=wanted.parameters,
            taxonomy=wanted.taxonomy,
            waits=wanted.waits,
        )
        if claude:
            claude[0].wait_until(f"{claude[1]}/_offline/ledger")
        return stack, servers.pop_all()


def _offline_claude(folder: Path, wanted: Wanted, *, watched: bool) -> tuple[Server, str]:
    port = free_port()
    command = [
        sys.executable,
        "-I",
        "-m",
        "infra.cli",
        "offline-claude",
        "--port",
        str(port),
        *wanted.claude_options,
    ]
    return Server.start(folder, command, {"LANG": "C.UTF-8"}, watched=watched), f"http://127.0.0.1:{port}"
