"""infra/lock: compiles every hash-pinned requirements file from pyproject.toml, for Python 3.11 and later."""

import subprocess
import sys

from infra.dev.bootstrap import ROOT, uv, uv_environment

CHECK = "infra/requirements/check.txt"
PROJECT = "pyproject.toml"
# That of the checks comes first and constrains the others, so that the tested versions are those that ship.
LOCKS = {
    "infra/requirements/uv.txt": ["--group", "uv"],
    CHECK: [PROJECT, "--group", "cli", "--group", "check"],
    "infra/requirements/cli.txt": [PROJECT, "--group", "cli", "--constraints", CHECK],
    "functions/requirements.txt": [PROJECT, "--constraints", CHECK],
    "infra/requirements/local.txt": ["--group", "local"],
    "infra/requirements/markitdown.txt": ["--group", "markitdown"],
    "infra/requirements/audit.txt": ["--group", "audit"],
}


def main(options: list[str]) -> int:
    """Run `uv pip compile` with these options for each file; returns the first exit code that is not 0."""
    compiler = [str(uv()), "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
    plain = ["--generate-hashes", "--no-header", "--no-annotate"]
    for path, sources in LOCKS.items():
        print(path, file=sys.stderr, flush=True)
        command = [*compiler, *plain, *options, *sources, "--output-file", path]
        compiled = subprocess.run(command, cwd=ROOT, env=uv_environment(), stdout=subprocess.DEVNULL)
        if compiled.returncode:
            return compiled.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
