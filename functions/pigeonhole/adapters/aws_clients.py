"""boto3 clients, one a service and container: short time-outs, few retries, room for a batch of threads."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config


@cache
def client(service: str, *, attempts: int = 4) -> Any:
    """The service's client; credentials, region and endpoint are the environment's.

    With one attempt alone for what must not be done twice: an attempt whose answer was lost may have worked.
    """
    config = Config(
        connect_timeout=3,
        read_timeout=20,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=25,
        # Half of what a call costs us: the service checks what it is given too, and gathers no user agents.
        parameter_validation=False,
        user_agent="pigeonhole",
    )
    session: Any = boto3  # the stubs know each service's client by its literal name only
    return session.client(service, config=config)
