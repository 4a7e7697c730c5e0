"""A server runs for as long as it is wanted, and none of its processes outlives that, however we end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.local.server import Server, SetupError, free_port

# A server with a child process, as MiniStack has workers; it writes both process ids to a file.
SERVER = """
import os, pathlib, subprocess, sys, time
folder = pathlib.Path(sys.argv[1])
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
(folder / "tmp" / "pids").write_text(f"{os.getpid()} {child.pid}")
time.sleep(60)
"""
STARTER = """
import sys, time
from pathlib import Path
from infra.local.server import Server
folder = Path(sys.argv[1])
Server.start(folder, [sys.executable, "-c", sys.argv[2], str(folder)], {}, watched=True)
time.sleep(60)
"""


def eventually(is_so: Callable[[], bool], seconds: float = 40) -> bool:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def pids(folder: Path) -> list[int]:
    written = folder / "tmp" / "pids"
    assert eventually(lambda: written.exists() and len(written.read_text().split()) == 2)
    return [int(pid) for pid in written.read_text().split()]


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").exists() and " Z " in Path(f"/proc/{pid}/stat").read_text()


@pytest.mark.parametrize("watched", [True, False], ids=["watched", "alone"])
def test_stopping_ends_the_server_its_children_and_its_folder(tmp_path: Path, watched: bool):
    folder = tmp_path / "run" / "server"
    server = Server.start(folder, [sys.executable, "-c", SERVER, str(folder)], {}, watched=watched)
    started = pids(folder)
    server.stop()
    assert eventually(lambda: all(map(is_gone, started)))
    assert not folder.exists()


def test_another_process_can_stop_a_server_that_is_not_watched(tmp_path: Path):
    folder = tmp_path / "run" / "server"
    Server.start(folder, [sys.executable, "-c", SERVER, str(folder)], {}, watched=False)
    started = pids(folder)
    Server(folder=folder).stop()
    assert eventually(lambda: all(map(is_gone, started)))
    assert not folder.exists()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
def test_a_watched_server_ends_with_its_starter_however_that_ends(tmp_path: Path, how: signal.Signals):
    folder = tmp_path / "run" / "server"
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder), SERVER],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    started = pids(folder)
    starter.send_signal(how)
    starter.wait()
    assert eventually(lambda: all(map(is_gone, started)))
    assert eventually(lambda: not folder.parent.exists())


def test_the_error_of_a_server_that_cannot_start_quotes_its_log(tmp_path: Path):
    dying = [sys.executable, "-c", "import sys; sys.exit('the port is already in use')"]
    server = Server.start(tmp_path / "server", dying, {}, watched=True)
    with pytest.raises(SetupError, match="the port is already in use"):
        server.wait_until_ready(f"http://127.0.0.1:{free_port()}/")
    server.stop()


def test_stopping_a_server_that_never_ran_does_nothing(tmp_path: Path):
    Server(folder=tmp_path / "nobody").stop()


def test_a_server_sees_only_the_environment_that_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_PROFILE", "mine")
    folder = tmp_path / "server"
    written = tmp_path / "environment"
    code = f"import os, pathlib; pathlib.Path({str(written)!r}).write_text(' '.join(sorted(os.environ)))"
    server = Server.start(folder, [sys.executable, "-c", code], {"GIVEN": "1"}, watched=True)
    assert eventually(lambda: written.exists() and written.read_text() != "")
    server.stop()
    assert set(written.read_text().split()) - {"LC_CTYPE"} == {"GIVEN", "HOME", "PATH", "TMPDIR"}
