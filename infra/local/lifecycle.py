"""Starts and stops the local stack: for the length of a `with` block, or until `local down`."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from infra.dev.bootstrap import ROOT, file_lock
from infra.local import ministack
from infra.local.deploy import deploy
from infra.local.differences import Timeouts
from infra.local.server import Server, free_port
from infra.ops.stack import Stack, StackError

KEPT_STACK = ROOT / ".local" / "stack"
MINISTACK, CLAUDE = "ministack", "claude"
# Functions that call the real Claude API reach it as this machine does.
NETWORK_VARIABLES = ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True, kw_only=True)
class StackOptions:
    """How a local stack is started.

    Without an API key the functions call the offline Claude, which gets `claude_options` as its command
    line. `parameters` are the template's; `taxonomy` is the text of a taxonomy file in the place of the
    built-in one; `timeouts` replace those of the template.
    """

    api_key: str | None = None
    claude_options: Sequence[str] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    taxonomy: str | None = None
    timeouts: Timeouts | None = None


@contextmanager
def local_stack(options: StackOptions | None = None) -> Iterator[Stack]:
    """A fresh stack; its servers are stopped at the end of the block, also if this process is killed."""
    with tempfile.TemporaryDirectory(prefix="pigeonhole-", ignore_cleanup_errors=True) as folder:
        stack, servers = _start(Path(folder), options or StackOptions(), watched=True)
        with servers:
            yield stack


def up(options: StackOptions | None = None) -> Stack:
    """Start a stack that outlives this process; one that was kept before is stopped."""
    with file_lock(KEPT_STACK.with_suffix(".lock")):
        _stop()
        KEPT_STACK.mkdir(parents=True, exist_ok=True)
        stack, _ = _start(KEPT_STACK, options or StackOptions(), watched=False)
        _state().write_text(json.dumps(stack.as_json()))
        return stack


def down() -> bool:
    """Stop the stack that is kept; returns whether it was running."""
    with file_lock(KEPT_STACK.with_suffix(".lock")):
        return _stop()


def running_stack() -> Stack:
    """The stack that `local up` has started; StackError if none is running."""
    if not _state().exists() or not Server(folder=KEPT_STACK / MINISTACK).is_running:
        raise StackError(
            "No local stack is running: `infra/pigeonhole local up` starts one, --stack names a deployed one."
        )
    return Stack(**json.loads(_state().read_text()))


def _state() -> Path:
    return KEPT_STACK / "state.json"


def _stop() -> bool:
    running = Server(folder=KEPT_STACK / MINISTACK).is_running
    for name in (MINISTACK, CLAUDE):
        Server(folder=KEPT_STACK / name).stop()
    _state().unlink(missing_ok=True)
    return running


def _start(folder: Path, options: StackOptions, *, watched: bool) -> tuple[Stack, ExitStack]:
    with ExitStack() as servers:
        claude = None if options.api_key else _offline_claude(folder / CLAUDE, options, watched=watched)
        if claude:
            servers.callback(claude[0].stop)
        network = (
            {name: os.environ[name] for name in NETWORK_VARIABLES if name in os.environ}
            if options.api_key
            else {}
        )
        aws, endpoint_url = ministack.start(folder / MINISTACK, watched=watched, network=network)
        servers.callback(aws.stop)
        stack = deploy(
            endpoint_url,
            claude_url=claude[1] if claude else None,
            api_key=options.api_key or "offline",
            parameters=options.parameters,
            taxonomy=options.taxonomy,
            timeouts=options.timeouts,
        )
        if claude:
            claude[0].wait_until_ready(f"{claude[1]}/_offline/ledger")
        return stack, servers.pop_all()


def _offline_claude(folder: Path, options: StackOptions, *, watched: bool) -> tuple[Server, str]:
    port = free_port()
    command = [
        sys.executable,
        "-I",
        "-m",
        "infra.cli",
        "offline-claude",
        "--port",
        str(port),
        *options.claude_options,
    ]
    return Server.start(folder, command, {"LANG": "C.UTF-8"}, watched=watched), f"http://127.0.0.1:{port}"
