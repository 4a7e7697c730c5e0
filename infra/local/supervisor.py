"""Supervises a server: runs it, stops it with its children, and deletes its folder; standard library only.

Called by path as `supervisor.py FOLDER watched|alone COMMAND…`. Watched, standard input is a pipe whose
other end the starter holds: it closes when the starter ends, for whatever reason, and the server is
stopped. Alone, only SIGTERM stops it. The lock file in the folder is held for as long as this process
lives, so a free lock means that the server has ended.
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
    """Run the command until it ends or is to be stopped.

    Returns the server's exit code if it ends by itself; its folder, with the log, is then kept.
    """
    if not watched and os.fork():
        os._exit(0)  # the parent returns at once; the child outlives the starter
    signal.signal(signal.SIGTERM, _exit)
    with (folder / "lock").open("w") as lock, (folder / "log").open("ab") as log:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (folder / "pid").write_text(str(os.getpid()))
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if watched:
            threading.Thread(target=_stop_when_the_pipe_closes, daemon=True).start()
        try:
            return server.wait()
        except SystemExit:
            _stop(server)
            _clear(folder)
            raise
        finally:
            _stop_children()


def _exit(*_: object) -> None:
    sys.exit(0)


def _stop_when_the_pipe_closes() -> None:
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
        folder.parent.rmdir()  # fails while another server has its folder there


def _stop_children() -> None:
    """End the rest of the process group, which the starter made for this process: the server's children."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), watched=sys.argv[2] == "watched", command=sys.argv[3:]))
