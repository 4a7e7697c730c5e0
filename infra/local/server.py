"""A server process of ours: started in a clean environment and a folder of its own, and surely stopped."""

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

GUARD = Path(__file__).with_name("guard.py")
STOP_SECONDS = 10.0
READY_SECONDS = 60.0


class SetupError(Exception):
    """Something that the stack needs could not be set up; the message says what, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """Known by its folder: lock, pid, log, and tmp for what it writes."""

    folder: Path
    guard: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(cls, folder: Path, command: list[str], env: Mapping[str, str], *, watched: bool) -> "Server":
        """Watched, the server ends with this process, whatever ends it."""
        (folder / "tmp").mkdir(parents=True)
        guard = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-S",
                str(GUARD),
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
            return cls(folder=folder, guard=guard)
        guard.wait()
        return cls(folder=folder)

    @property
    def is_running(self) -> bool:
        """Whoever started it."""
        return _is_locked(self.folder / "lock")

    @property
    def has_ended(self) -> bool:
        """Whether it was started and is gone."""
        if self.guard is not None:
            return self.guard.poll() is not None
        return (self.folder / "pid").exists() and not self.is_running

    def wait_until(self, url: str) -> None:
        """Until the address answers."""
        deadline = time.monotonic() + READY_SECONDS
        while not _answers(url):
            if self.has_ended:
                raise SetupError(f"{self.folder.name} ended as it started:\n{self.last_words()}")
            if time.monotonic() > deadline:
                raise SetupError(
                    f"{self.folder.name} did not answer in {READY_SECONDS:.0f} s:\n{self.last_words()}"
                )
            time.sleep(0.05)

    def last_words(self, lines: int = 20) -> str:
        """The end of its log."""
        log = self.folder / "log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""

    def stop(self) -> None:
        """Ends the server, all that it started, and its folder; nothing if it is gone already."""
        if self.guard is not None:
            _end(self.guard)
        elif self.is_running:
            _end_other(int((self.folder / "pid").read_text()), self.folder / "lock")
        shutil.rmtree(self.folder, ignore_errors=True)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on just now."""
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


def _end(guard: subprocess.Popen[bytes]) -> None:
    guard.terminate()
    try:
        guard.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(guard.pid, signal.SIGKILL)
        guard.wait()
    if guard.stdin is not None:
        guard.stdin.close()


def _end_other(pid: int, lock: Path) -> None:
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
