"""Starts MiniStack, the AWS emulator, on 127.0.0.1 with IAM enforced.

The functions run in its Python and inherit its environment variables, so both have only what they must: a
dependency or a variable that the build or the template lacks is then missing locally too.
"""

from pathlib import Path

from infra.dev.bootstrap import environment
from infra.local.server import Server, SetupError, free_port

REGION = "eu-west-1"
ACCESS_KEY_ID = "test"
SECRET_ACCESS_KEY = "test"  # noqa: S105 - MiniStack's credentials of its root user
TRIES = 3


def start(folder: Path, *, watched: bool, network: dict[str, str]) -> tuple[Server, str]:
    """The server and its endpoint URL; SetupError.

    `network` are the variables that the functions need to reach the internet, such as a proxy's.
    """
    for tries_left in reversed(range(TRIES)):
        port = free_port()
        command = [str(environment("local")), "-m", "ministack"]
        server = Server.start(folder, command, {**_variables(port), **network}, watched=watched)
        try:
            server.wait_until_ready(f"http://127.0.0.1:{port}/_ministack/ready")
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
        # Servers that would listen on further ports.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }
