"""Builds the functions for the local stack: the code as a zip, the libraries as a folder.

MiniStack unpacks the zip for every worker, so the libraries are not in it: they are built once for each
lock file and Python version, and found through PYTHONPATH.
"""

import hashlib
import io
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from infra.dev.bootstrap import ROOT, file_lock, uv, uv_environment
from infra.local.server import SetupError

FUNCTIONS = ROOT / "functions"
REQUIREMENTS = FUNCTIONS / "requirements.txt"
BUILDS = ROOT / ".local" / "functions"
# As in functions/Makefile, but without make, which a machine may not have.
INSTALL = ("--quiet", "--require-hashes", "--only-binary", ":all:")
NOT_CODE = frozenset({"__pycache__", "Makefile", "README.md", "REFERENCE.md", "requirements.txt"})


def libraries() -> Path:
    """The folder with everything in functions/requirements.txt, built for this Python if it is not there."""
    folder = BUILDS / _fingerprint()
    if not folder.exists():
        with file_lock(BUILDS / "lock"):
            if not folder.exists():
                _build(folder)
    return folder


def code() -> bytes:
    """The code in functions/ as a zip; the same code gives the same bytes."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        for path in sorted(FUNCTIONS.rglob("*")):
            name = path.relative_to(FUNCTIONS)
            if path.is_file() and NOT_CODE.isdisjoint(name.parts):
                zipped.writestr(zipfile.ZipInfo(str(name)), path.read_bytes())
    return archive.getvalue()


def _build(folder: Path) -> None:
    print("Building the functions' libraries (once) …", file=sys.stderr, flush=True)
    for older in BUILDS.glob("*-py*"):
        shutil.rmtree(older)
    unfinished = folder.with_name("unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    install = [str(uv()), "pip", "install", *INSTALL, "--requirement", str(REQUIREMENTS)]
    here = ["--python", sys.executable, "--target", str(unfinished), "--compile-bytecode"]
    installed = subprocess.run([*install, *here], env=uv_environment())
    if installed.returncode:
        raise SetupError("The functions' libraries could not be installed; the message above says why.")
    unfinished.rename(folder)


def _fingerprint() -> str:
    locked = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    return f"{locked}-py{sys.version_info.major}.{sys.version_info.minor}-{sys.platform}-{platform.machine()}"
