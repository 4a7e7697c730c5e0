"""Creates a command's virtual environment, once per lock file, and executes the command in it.

Standard library only: it runs before anything is installed.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ROOT / ".local" / "envs"
ISOLATED = "local"  # the functions run in it, so it must have nothing but what their build has
BASE_PYTHON = str(Path(sys.executable).resolve())
UV_INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_CONFIG_FILE")
# pip's settings that uv gets as variables. Extra indexes are left out: uv takes all files of a release from
# the first index that has one, so an extra one with a single file would hide the others.
FROM_PIP = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE"}


def main(arguments: list[str]) -> None:
    """Called as `bootstrap.py ENVIRONMENT PYTHON-ARGUMENT…`; replaces this process."""
    name, *command = arguments
    try:
        python = environment(name)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(_setup_error(error))
    os.execv(python, [str(python), "-I", *command])  # noqa: S606 - our own interpreter, no shell wanted


def environment(name: str) -> Path:
    """The Python of the environment of `infra/requirements/NAME.txt`, created if it is not current."""
    folder, lock = ENVIRONMENTS / name, ROOT / "infra" / "requirements" / f"{name}.txt"
    python, stamp = folder / "bin" / "python", folder / "stamp"
    wanted = _stamp(lock)
    if _read(stamp) != wanted:
        with file_lock(ENVIRONMENTS / f"{name}.lock"):
            if _read(stamp) != wanted:
                _create(name, folder, lock)
                stamp.write_text(wanted)
    return python


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on this file, so that of two commands started at once only one builds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def uv() -> Path:
    """The pinned uv, in an environment of its own."""
    return environment("uv").with_name("uv")


def uv_environment() -> dict[str, str]:
    """The environment variables for uv.

    uv does not read pip's configuration, where a machine may name its package index, so that is passed on
    unless uv has settings of its own.
    """
    variables = {**_cache(), **os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    if any(name in variables for name in UV_INDEX_VARIABLES):
        return variables
    return {**_pip_settings(), **variables}


def _create(name: str, folder: Path, lock: Path) -> None:
    print(f"Setting up the {name} environment (once) …", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    (_install_by_pip if name == "uv" else _install_by_uv)(folder, lock)
    if name != ISOLATED:
        _add_import_paths(folder, ROOT, ROOT / "functions")


def _install_by_pip(folder: Path, lock: Path) -> None:
    _run([BASE_PYTHON, "-I", "-m", "venv", str(folder)])
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--require-hashes", "-r", str(lock)])


def _install_by_uv(folder: Path, lock: Path) -> None:
    installer, env = str(uv()), uv_environment()
    _run([installer, "venv", "--quiet", "--no-project", "--python", BASE_PYTHON, str(folder)], env)
    install = [installer, "pip", "install", "--quiet", "--require-hashes", "--compile-bytecode"]
    _run([*install, "--python", str(folder / "bin" / "python"), "-r", str(lock)], env)


def _add_import_paths(folder: Path, *sources: Path) -> None:
    (site_packages,) = folder.glob("lib/python*/site-packages")
    (site_packages / "pigeonhole.pth").write_text("".join(f"{source}\n" for source in sources))


def _run(command: list[str], env: Mapping[str, str] | None = None) -> None:
    subprocess.run(command, env=env, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)


def _cache() -> dict[str, str]:
    """Nothing where uv's own cache can be written to, else a cache in .local."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path(os.environ.get("HOME", "/"), ".cache"), "uv")
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError:
        return {"UV_CACHE_DIR": str(ROOT / ".local" / "cache")}
    return {} if os.access(cache, os.W_OK) else {"UV_CACHE_DIR": str(ROOT / ".local" / "cache")}


def _pip_settings() -> dict[str, str]:
    python = environment("uv")
    listing = subprocess.run([str(python), "-m", "pip", "config", "list"], capture_output=True, text=True)
    settings = re.findall(r"^[\w:-]+\.([\w-]+)='(.*)'$", listing.stdout, re.MULTILINE)
    return {FROM_PIP[key]: value for key, value in settings if key in FROM_PIP}


def _stamp(lock: Path) -> str:
    content = f"{ROOT}\n{BASE_PYTHON}\n{sys.version}\n".encode() + lock.read_bytes()
    return hashlib.sha256(content).hexdigest()


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def _setup_error(error: OSError | subprocess.CalledProcessError) -> str:
    return (
        f"Setting up failed: {error}\n"
        "The message above says why. Packages come from the index that pip or uv is configured to use here; "
        "run the command again once it can be reached."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
