"""Keeps a server going for as long as its starter wants it, then clears up; standard library only.

Called by path as: guard.py FOLDER watched|alone COMMAND…. Watched, standard input is a pipe that the
starter holds: when it ends, however the starter died, the server and all that it started go. Alone,
only a SIGTERM ends it. The lock in the folder is held for as long as this process lives, so whoever
finds it free knows that the server is gone.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

GRACE_SECONDS = 3.0


def main(folder: Path, *, watched: bool, command: list[str]) -> int:
    """Returns the server's own exit code if it ends by itself; its folder, with the log, then stays."""
    if not watched and os.fork():
        os._exit(0)  # the starter need not wait for what outlives it
    signal.signal(signal.SIGTERM, _ends)
    with (folder / "lock").open("w") as lock, (folder / "log").open("ab") as log:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (folder / "pid").write_text(str(os.getpid()))
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if watched:
            threading.Thread(target=_ends_with_the_pipe, daemon=True).start()
        try:
            return server.wait()
        except SystemExit:
            _stop(server)
            _clear(folder)
            raise
        finally:
            _leave_nobody_behind()


def _ends(*_: object) -> None:
    sys.exit(0)


def _ends_with_the_pipe() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _stop(server: subprocess.Popen[bytes]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    server.terminate()
    try:
        server.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()


def _clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        folder.parent.rmdir()  # the last of several servers


def _leave_nobody_behind() -> None:
    """The starter made us the leader of a group of our own: what is left of it are the server's children."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), watched=sys.argv[2] == "watched", command=sys.argv[3:]))
