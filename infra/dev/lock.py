"""Makes every requirements file from pyproject.toml: names, versions and hashes, for Python 3.11 and up."""

import subprocess
import sys

from infra.dev.bootstrap import ROOT, uv, uv_environment

CHECK = "infra/requirements/check.txt"
PROJECT = "pyproject.toml"
# The gate's lock comes first and constrains the others: what was tested is what ships.
LOCKS = {
    "infra/requirements/uv.txt": ["--group", "uv"],
    CHECK: [PROJECT, "--group", "cli", "--group", "check"],
    "infra/requirements/cli.txt": [PROJECT, "--group", "cli", "--constraints", CHECK],
    "functions/requirements.txt": [PROJECT, "--constraints", CHECK],
    "infra/requirements/local.txt": ["--group", "local"],
    "infra/requirements/markitdown.txt": ["--group", "markitdown"],
}


def main(options: list[str]) -> int:
    """Options go to `uv pip compile`."""
    compiler = [str(uv()), "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
    plain = ["--generate-hashes", "--no-header", "--no-annotate"]
    for path, sources in LOCKS.items():
        print(path, file=sys.stderr, flush=True)
        command = [*compiler, *plain, *options, *sources, "--output-file", path]
        made = subprocess.run(command, cwd=ROOT, env=uv_environment(), stdout=subprocess.DEVNULL)
        if made.returncode:
            return made.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
