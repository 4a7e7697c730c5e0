"""infra/check: every static check in parallel, then the tests; fails if any of them fails."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infra.dev.bootstrap import ROOT

TOOLS = Path(sys.executable).parent
CHECK_ENVIRONMENT = {
    **os.environ,
    "SAM_CLI_TELEMETRY": "0",
    "AWS_DEFAULT_REGION": "eu-west-1",  # sam requires one and calls no service
    "PATH": f"{TOOLS}{os.pathsep}{os.environ.get('PATH', '')}",
}
CHECKS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy"],
    "import-linter": ["lint-imports", "--no-cache"],
    "sam validate": ["sam", "validate", "--lint", "--template", "template.yaml"],
}


def main(pytest_arguments: list[str]) -> int:
    """Run all checks and return the exit code; the arguments go to pytest."""
    with ThreadPoolExecutor(2) as threads:
        passed = dict(zip(CHECKS, threads.map(_passes, CHECKS), strict=True))
    tests = _run([sys.executable, "-m", "pytest", *pytest_arguments]).returncode
    passed["pytest"] = tests == 0
    failed = [name for name, ok in passed.items() if not ok]
    print("Failed: " + ", ".join(failed) if failed else "All checks passed.", file=sys.stderr, flush=True)
    return 1 if failed else 0


def _passes(name: str) -> bool:
    result = _run([str(TOOLS / CHECKS[name][0]), *CHECKS[name][1:]], capture=True)
    if result.returncode:
        print(f"✗ {name}\n{result.stdout}", flush=True)
        return False
    print(f"✓ {name}", flush=True)
    return True


def _run(command: list[str], *, capture: bool = False) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env=CHECK_ENVIRONMENT,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if capture else None,
        stderr=subprocess.STDOUT if capture else None,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
