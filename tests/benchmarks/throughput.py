"""Documents a second through the local stack, warm, with a model that takes 0.05 s."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from infra.cli.inputs import find
from infra.local.lifecycle import StackOptions, local_stack
from infra.ops.stack import Stack

DOCUMENTS = 600
WARM_UP = 40
LATENCY_S = 0.05
PATIENCE_S = 120.0


def run(on: Path | None) -> Iterator[dict[str, Any]]:
    """From the first upload to the last outcome; `on` gives other documents than small invoices."""
    with local_stack(
        StackOptions(parameters={"RequestsPerMinute": "100000"}, claude_options=["--latency", str(LATENCY_S)])
    ) as stack:
        _through(stack, "warm-up", WARM_UP, on)
        seconds = _through(stack, "measured", DOCUMENTS, on)
    yield {
        "documents": DOCUMENTS,
        "model_seconds": LATENCY_S,
        "seconds": seconds,
        "documents_per_second": DOCUMENTS / seconds,
    }


def _through(stack: Stack, folder: str, number: int, on: Path | None) -> float:
    bodies = [file.path.read_bytes() for file in find([on])] if on else None
    documents = islice(cycle(bodies), number) if bodies else map(_invoice, range(number))
    started = time.monotonic()
    with ThreadPoolExecutor(4) as side_by_side:
        keys = [f"{folder}/{at}" for at in range(number)]
        uris = list(side_by_side.map(stack.upload, keys, documents))
    for _ in stack.outcomes(uris, patience=PATIENCE_S):
        pass
    return time.monotonic() - started


def _invoice(number: int) -> bytes:
    lines = (f"{line}. Brass hinge, box of {line * 10}, {line * number % 97}.50 EUR" for line in range(1, 45))
    items = "\n".join(lines)
    total = f"Total due: {number}.00 EUR, payable within 30 days"
    return f"Invoice {number}\nBill to: Example Ltd\n\n{items}\n\n{total}\n".encode()
