"""boto3 clients, one a service and container: short time-outs, few retries, room for a batch of threads."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

_CONFIG = Config(
    connect_timeout=3,
    read_timeout=20,
    retries={"mode": "standard", "max_attempts": 3},
    max_pool_connections=25,
)


@cache
def client(service: str) -> Any:
    """The service's client; credentials, region and endpoint are the environment's."""
    session: Any = boto3  # the stubs know each service's client by its literal name only
    return session.client(service, config=_CONFIG)
