"""Server processes: started with a clean environment in their own folder, stopped with their children."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SUPERVISOR = Path(__file__).with_name("supervisor.py")
STOP_SECONDS = 10.0
READY_SECONDS = 60.0


class SetupError(Exception):
    """Something that the stack needs could not be set up; the message says what and why."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server, identified by its folder, which holds `lock`, `pid`, `log` and `tmp` (its TMPDIR).

    `supervisor` is the process of supervisor.py, where this process has started it to be watched.
    """

    folder: Path
    supervisor: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(cls, folder: Path, command: list[str], env: Mapping[str, str], *, watched: bool) -> "Server":
        """Start the command under a supervisor; watched, it ends with this process, however that ends."""
        (folder / "tmp").mkdir(parents=True)
        supervisor = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-S",
                str(SUPERVISOR),
                str(folder),
                "watched" if watched else "alone",
                *command,
            ],
            env={"PATH": os.defpath, "HOME": str(folder), "TMPDIR": str(folder / "tmp"), **env},
            stdin=subprocess.PIPE if watched else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        if watched:
            return cls(folder=folder, supervisor=supervisor)
        supervisor.wait()
        return cls(folder=folder)

    @property
    def is_running(self) -> bool:
        """Whether its supervisor lives, whichever process has started it."""
        return _is_locked(self.folder / "lock")

    @property
    def has_ended(self) -> bool:
        """Whether it was started and has ended."""
        if self.supervisor is not None:
            return self.supervisor.poll() is not None
        return (self.folder / "pid").exists() and not self.is_running

    def wait_until_ready(self, url: str) -> None:
        """Wait until the URL answers; SetupError if the server ends or does not answer in time."""
        deadline = time.monotonic() + READY_SECONDS
        while not _answers(url):
            if self.has_ended:
                raise SetupError(f"{self.folder.name} ended as it started:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise SetupError(
                    f"{self.folder.name} did not answer in {READY_SECONDS:.0f} s:\n{self.log_tail()}"
                )
            time.sleep(0.05)

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of its log."""
        log = self.folder / "log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""

    def stop(self) -> None:
        """Stop the server and its children and delete its folder; does nothing if it has ended already."""
        if self.supervisor is not None:
            _stop(self.supervisor)
        elif self.is_running:
            _stop_by_pid(int((self.folder / "pid").read_text()), self.folder / "lock")
        shutil.rmtree(self.folder, ignore_errors=True)


def free_port() -> int:
    """A port of 127.0.0.1 that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _stop(supervisor: subprocess.Popen[bytes]) -> None:
    supervisor.terminate()
    try:
        supervisor.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(supervisor.pid, signal.SIGKILL)
        supervisor.wait()
    if supervisor.stdin is not None:
        supervisor.stdin.close()


def _stop_by_pid(pid: int, lock: Path) -> None:
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _is_locked(lock):
        if time.monotonic() > deadline:
            os.killpg(os.getpgid(pid), signal.SIGKILL)
            return
        time.sleep(0.05)


def _is_locked(path: Path) -> bool:
    try:
        with path.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
