"""What the functions need, as the local stack takes it: our code as a zip, the libraries in a folder.

MiniStack unpacks the code for every worker, so the libraries stay out of it: they are built once for
each lock file and Python, and found through PYTHONPATH.
"""

import hashlib
import io
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from infra.dev.bootstrap import ROOT, exclusively, uv, uv_environment
from infra.local.server import SetupError

FUNCTIONS = ROOT / "functions"
REQUIREMENTS = FUNCTIONS / "requirements.txt"
BUILDS = ROOT / ".local" / "functions"
# The recipe of functions/Makefile, called without make since a machine may have none.
INSTALL = ("--quiet", "--require-hashes", "--only-binary", ":all:")
NOT_CODE = frozenset({"__pycache__", "Makefile", "requirements.txt"})


def libraries() -> Path:
    """The folder of everything in functions/requirements.txt, for this machine's Python."""
    folder = BUILDS / _fingerprint()
    if not folder.exists():
        with exclusively(BUILDS / "lock"):
            if not folder.exists():
                _build(folder)
    return folder


def code() -> bytes:
    """Our own code as a zip, the same bytes for the same code."""
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
    made = subprocess.run([*install, *here], env=uv_environment())
    if made.returncode:
        raise SetupError("The functions' libraries could not be installed; the message above says why.")
    unfinished.rename(folder)


def _fingerprint() -> str:
    locked = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    return f"{locked}-py{sys.version_info.major}.{sys.version_info.minor}-{sys.platform}-{platform.machine()}"
