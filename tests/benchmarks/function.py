"""The triage function against the local stack's AWS, with the stack's own settings and messages."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from math import nan
from pathlib import Path
from typing import Any

from infra.cli.inputs import find
from infra.local.build import FUNCTIONS
from infra.local.lifecycle import StackOptions, local_stack
from infra.ops import template
from infra.ops.stack import Stack
from tests.benchmarks.corpus import SAMPLES
from tests.benchmarks.offline import Offline, latency

LATENCY_S, JITTER_S = 1.0, 0.3
DEPLOYED_MB: int = template.load()["Resources"]["TriageFunction"]["Properties"]["MemorySize"]
# One of each format.
TEN = (
    "finance/invoice-QL-2026-4711.pdf", "finance/Rechnung 2026-0815.docx", "purchasing/PO-10482.xlsx",
    "research/third-quarter-report.pptx", "sales/regional-sales-2026-q3.csv", "support/deck-oven-manual.html",
    "support/RE flow meter shows zero.eml", "operations/minutes-2026-10-14.md",
    "support/Can't log in + 100% urgent 😀 (2).txt", "front-desk/visitor-form-photo.jpg",
)  # fmt: skip
SAMPLE_EVERY_S = 0.01
PATIENCE_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """How long the handler took, what of it its process worked, and the slowest of the model's calls."""

    seconds: float
    cpu_seconds: float
    slowest_call: float


@dataclass(kw_only=True)
class Function:
    """A process of the function."""

    stack: Stack
    process: subprocess.Popen[str]
    _batches: int = field(default=0)

    def sort(self, files: Sequence[Path]) -> Invocation:
        """One invocation with an upload of each file; none was ever seen before."""
        self._batches += 1
        names = [f"team-{self._batches}-{self.process.pid}/{at}/{file.name}" for at, file in enumerate(files)]
        bodies = [varied(file.read_bytes(), self._batches) for file in files]
        event = {"Records": _queued(self.stack, dict(zip(names, bodies, strict=True)))}
        offline = Offline(str(self.stack.claude_url))
        before = len(offline.calls())
        answer = self._invoke(event)
        calls = offline.calls()[before:]
        return Invocation(
            seconds=answer["seconds"],
            cpu_seconds=answer["cpu_seconds"],
            slowest_call=max((latency(one, LATENCY_S, JITTER_S) for one in calls), default=nan),
        )

    def _invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(event), file=self.process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        if answer["batchItemFailures"]:
            raise RuntimeError("the function left documents undone")
        return answer


def ten(on: Path | None) -> list[Path]:
    """What is sorted: ten of our samples, or the first of a folder's files."""
    return [file.path for file in find([on])[:10]] if on else [SAMPLES / name for name in TEN]


@contextmanager
def stack_at_rest() -> Iterator[Stack]:
    """A local stack whose own functions sleep, so that messages are ours and processors free."""
    options = ["--latency", str(LATENCY_S), "--jitter", str(JITTER_S)]
    with local_stack(StackOptions(claude_options=options)) as stack:
        functions = stack.client("lambda")
        for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        yield stack


@contextmanager
def function(stack: Stack, memory_mb: int = DEPLOYED_MB) -> Iterator[Function]:
    """A process of the function for as long as the block lasts."""
    command = [sys.executable, "-P", str(Path(__file__).with_name("invoked.py"))]
    with subprocess.Popen(
        command, env=_environment(stack, memory_mb), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Function(stack=stack, process=process)
        finally:
            process.kill()


def _environment(stack: Stack, memory_mb: int) -> dict[str, str]:
    found = stack.client("lambda").get_function_configuration(FunctionName=stack.outputs["TriageFunction"])
    variables: dict[str, str] = found["Environment"]["Variables"]
    return variables | {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join([str(FUNCTIONS), variables["PYTHONPATH"]]),
        "AWS_ENDPOINT_URL": str(stack.endpoint_url),
        "AWS_REGION": str(stack.region),
        "AWS_DEFAULT_REGION": str(stack.region),
        "AWS_ACCESS_KEY_ID": str(stack.access_key_id),
        "AWS_SECRET_ACCESS_KEY": str(stack.secret_access_key),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
    }


def _queued(stack: Stack, bodies: dict[str, bytes]) -> list[dict[str, Any]]:
    """S3's messages about these uploads, as Lambda hands them over."""
    for key, body in bodies.items():
        stack.upload(key, body)
    found: list[dict[str, Any]] = []
    deadline = time.monotonic() + PATIENCE_S
    while len(found) < len(bodies) and time.monotonic() < deadline:
        received = stack.client("sqs").receive_message(
            QueueUrl=stack.outputs["IntakeQueueUrl"], MaxNumberOfMessages=10, WaitTimeSeconds=1
        )
        found += [each for each in received.get("Messages", []) if "ObjectCreated" in each["Body"]]
    return [
        {
            "messageId": each["MessageId"],
            "receiptHandle": each["ReceiptHandle"],
            "body": each["Body"],
            "eventSource": "aws:sqs",
        }
        for each in found
    ]


def varied(body: bytes, number: int) -> bytes:
    """The same document of another year, so that no answer can be had again; where its text is in reach."""
    year = b"%d" % (2026 + number)
    if not body.startswith(b"PK"):
        return body.replace(b"2026", year)
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"2026", year))
    return changed.getvalue()


@contextmanager
def watched(running: Function) -> Iterator[list[float]]:
    """What the function and its children have in memory while the block lasts, again and again, in MB.

    To look costs time of theirs, so what is watched is not timed.
    """
    seen, over = [0.0], threading.Event()

    def look() -> None:
        while not over.wait(SAMPLE_EVERY_S):
            seen.append(sum(map(_megabytes, _tree(running.process.pid))))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _tree(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                yield from _tree(int(child))


def _megabytes(pid: int) -> float:
    """A process's proportional share: what it has in common with its children counts once."""
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)
    return 0.0
