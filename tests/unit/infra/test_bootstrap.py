"""The commands find a Python that runs, and create their environments once per lock file."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.dev import bootstrap

SHELL = shutil.which("sh") or "/bin/sh"


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """A command whose bootstrap.py only prints its arguments."""
    shutil.copy(bootstrap.ROOT / "infra" / "bootstrap.sh", tmp_path)
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "bootstrap.py").write_text("import sys; print(sys.argv[1:])")
    path = tmp_path / "command"
    path.write_text('. "$(dirname -- "$0")/bootstrap.sh"\nbecome cli -m infra.cli run "$@"\n')
    return path


def call(command: Path, pythons: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call it with a PATH that has only these Pythons, each a shell script."""
    path = command.parent / "bin"
    path.mkdir()
    for name in ("dirname", "sh"):
        (path / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    for name, script in pythons.items():
        (path / name).write_text(f"#!{SHELL}\n{script}\n")
        (path / name).chmod(0o755)
    env = {"PATH": str(path), "HOME": str(command.parent)}
    return subprocess.run(
        [SHELL, str(command), *arguments], env=env, capture_output=True, text=True, check=False
    )


RUNS = f'exec {sys.executable} "$@"'
BROKEN_SHIM = "echo 'not installed' >&2; exit 127"


@pytest.mark.parametrize("name", ["python3.13", "python3.12", "python3.11", "python3"])
def test_any_usual_name_of_a_python_is_found(command: Path, name: str):
    assert call(command, {name: RUNS}).stdout == "['cli', '-m', 'infra.cli', 'run']\n"


def test_a_python_that_does_not_run_is_skipped(command: Path):
    ended = call(command, {"python3.13": BROKEN_SHIM, "python3": RUNS}, "a folder", "--out", "b*")
    assert ended.stdout == "['cli', '-m', 'infra.cli', 'run', 'a folder', '--out', 'b*']\n"
    assert ended.stderr == ""


def test_without_a_python_the_error_says_what_to_install(command: Path):
    ended = call(command, {"python3": BROKEN_SHIM})
    assert ended.returncode == 2
    assert "needs Python 3.11 or newer" in ended.stderr


@pytest.fixture
def created(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the environments that were created, in a temporary checkout; nothing is installed."""
    names: list[str] = []

    def make(name: str, folder: Path, lock: Path) -> None:
        names.append(name)
        folder.mkdir(parents=True, exist_ok=True)

    (tmp_path / "infra" / "requirements").mkdir(parents=True)
    (tmp_path / "infra" / "requirements" / "cli.txt").write_text("rich==15.0.0")
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "ENVIRONMENTS", tmp_path / "envs")
    monkeypatch.setattr(bootstrap, "_create", make)
    return names


def test_an_environment_is_created_once_for_each_lock_file(created: list[str], tmp_path: Path):
    for _ in range(3):
        bootstrap.environment("cli")
    assert created == ["cli"]
    (tmp_path / "infra" / "requirements" / "cli.txt").write_text("rich==15.0.1")
    bootstrap.environment("cli")
    assert created == ["cli", "cli"]


def test_uv_uses_the_index_of_pips_configuration_unless_it_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pip = tmp_path / "python"
    setting = "global.index-url='https://mirror.example/simple'"
    pip.write_text(f'#!{SHELL}\necho "{setting}"\n')
    pip.chmod(0o755)
    monkeypatch.setattr(bootstrap, "environment", lambda _: pip)
    for name in [name for name in os.environ if name.startswith("UV_")]:
        monkeypatch.delenv(name)
    assert bootstrap.uv_environment()["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    monkeypatch.setenv("UV_INDEX_URL", "https://own.example/simple")
    assert "UV_DEFAULT_INDEX" not in bootstrap.uv_environment()


def test_without_a_writable_home_the_cache_of_uv_is_in_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("UV_CACHE_DIR", raising=False)
    monkeypatch.setenv("UV_INDEX_URL", "https://own.example/simple")
    assert bootstrap.uv_environment()["UV_CACHE_DIR"] == str(bootstrap.ROOT / ".local" / "cache")


def test_lock_files_hold_packages_and_hashes_and_no_url():
    locks = [
        bootstrap.ROOT / "functions" / "requirements.txt",
        *(bootstrap.ROOT / "infra/requirements").glob("*.txt"),
    ]
    assert len(locks) == 7
    for lock in locks:
        lines = [line.strip() for line in lock.read_text().splitlines()]
        assert all("==" in line or line.startswith("--hash=sha256:") for line in lines), lock
        assert not any("://" in line for line in lines), lock


def test_the_versions_that_ship_are_those_that_are_tested():
    pinned = {lock: _pins(lock) for lock in ("functions/requirements.txt", "infra/requirements/cli.txt")}
    tested = _pins("infra/requirements/check.txt")
    for lock, pins in pinned.items():
        assert pins <= tested, lock


def _pins(lock: str) -> set[str]:
    lines = (bootstrap.ROOT / lock).read_text().splitlines()
    return {line.removesuffix(" \\") for line in lines if "==" in line and not line.startswith(" ")}
