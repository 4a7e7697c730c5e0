"""MiniStack, the local AWS: it enforces IAM, is reachable from this machine only, and hides nothing.

The functions run in its Python and see its whole environment, so both hold only what they must: a
dependency or a variable that the template or the build forgot is then missing here too.
"""

from pathlib import Path

from infra.dev.bootstrap import environment
from infra.local.server import Server, SetupError, free_port

REGION = "eu-west-1"
ACCESS_KEY_ID = "test"
SECRET_ACCESS_KEY = "test"  # noqa: S105 - MiniStack's own name for its root user
TRIES = 3


def start(folder: Path, *, watched: bool, outside: dict[str, str]) -> tuple[Server, str]:
    """The server and its endpoint URL; `outside` is what the functions need to reach the network."""
    for tries_left in reversed(range(TRIES)):
        port = free_port()
        command = [str(environment("local")), "-m", "ministack"]
        server = Server.start(folder, command, {**_variables(port), **outside}, watched=watched)
        try:
            server.wait_until(f"http://127.0.0.1:{port}/_ministack/ready")
        except SetupError as error:
            server.stop()
            if tries_left and "already in use" in str(error):
                continue
            raise
        return server, f"http://127.0.0.1:{port}"
    raise AssertionError("the last try either returns or raises")


def _variables(port: int) -> dict[str, str]:
    return {
        "LANG": "C.UTF-8",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "LAMBDA_EXECUTOR": "local",
        "AUTH": "true",
        # Servers that would listen on ports of their own.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }
