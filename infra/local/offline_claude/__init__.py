"""An offline stand-in for the Claude API on 127.0.0.1: its rules and shapes around a keyword classifier.

In a test: `with serve() as base_url:`. In a command: `run(port, faults=[parse_fault("refusal:rate=0.1")])`.
It imports nothing of the product, and the product does not know that it exists: only the base URL differs.
"""

from infra.local.offline_claude.control.faults import Fault
from infra.local.offline_claude.control.settings import Settings, parse_fault
from infra.local.offline_claude.server import run, serve
from infra.local.offline_claude.spec.errors import Rejection

__all__ = ["Fault", "Rejection", "Settings", "parse_fault", "run", "serve"]
