"""An offline stand-in for the Claude API on 127.0.0.1: the documented rules of the API around a classifier.

In a test: `with serve() as base_url:`. In a command: `run(port, faults=[parse_fault("refusal:rate=0.1")])`.
It imports nothing of the product, and the product does not know that it exists: only the base URL differs.

Its layers, from the top; a package imports from lower layers only:

1. `api` serves HTTP on the API's paths and the control paths, and keeps the state between requests.
2. `control` parses the settings and the faults to inject, which commands and the control paths change.
   `generation` writes the answer to a valid request as a message in the form that the request asks for.
3. `metering` counts and prices tokens, caches prompts, limits rates, and keeps the ledger and the bill.
   `classifier` finds out what a document is by plain text analysis, and knows nothing of the API.
4. `request` parses and checks requests, and raises the documented 400 for what the API would not accept.
5. `spec` holds what the documentation says of models, prices and errors.
"""

from infra.local.offline_claude.api.server import run, serve
from infra.local.offline_claude.control.faults import Fault
from infra.local.offline_claude.control.settings import Settings, parse_fault
from infra.local.offline_claude.spec.errors import ApiError

__all__ = ["ApiError", "Fault", "Settings", "parse_fault", "run", "serve"]
