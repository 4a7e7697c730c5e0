"""An offline stand-in for the Claude API on 127.0.0.1: its rules and shapes around a keyword classifier.

In a test: `with serve() as base_url:`. In a command: `run(port, faults=[parse_fault("refusal:rate=0.1")])`.
It imports nothing of the product, and the product does not know that it exists: only the base URL differs.

Its packages, from the outside in; each imports only from those on the lines below its own:

- `api`: serves HTTP on the API's paths and the control paths, and keeps the state between requests.
- `control`: what those who start or test the server can change, namely its settings and the faults.
  `generation`: writes the answer to a valid request as a message in the shape that the request asks for.
- `metering`: counts tokens, prices them, caches prompts, limits rates, and keeps the ledger and the bill.
  `classifier`: works out what a document is; it is plain text analysis and knows nothing of the API.
- `request`: reads a request and answers the documented 400 to what the API would not accept.
- `spec`: what the documentation says of models, prices and errors.
"""

from infra.local.offline_claude.api.server import run, serve
from infra.local.offline_claude.control.faults import Fault
from infra.local.offline_claude.control.settings import Settings, parse_fault
from infra.local.offline_claude.spec.errors import ApiError

__all__ = ["ApiError", "Fault", "Settings", "parse_fault", "run", "serve"]
