"""The composition root: the environment becomes Settings, Settings become the parts, once a container."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Literal, TypeVar

from pigeonhole.adapters.aws_clients import client
from pigeonhole.adapters.dynamodb import DynamoLedger
from pigeonhole.adapters.eventbridge import EventBus
from pigeonhole.adapters.powertools import PowertoolsJournal
from pigeonhole.adapters.s3 import ArtifactsBucket, Inbox, taxonomy_text
from pigeonhole.adapters.secrets_manager import api_key
from pigeonhole.adapters.sqs import SqsQueues
from pigeonhole.claude import model_catalog
from pigeonhole.claude.prompt import Asking
from pigeonhole.domain import taxonomy
from pigeonhole.domain.document import Allowance, Defect, Reply, Stage, StopAll, Text, Tier, TryLater
from pigeonhole.domain.policy import Thresholds
from pigeonhole.extract.limits import Limits
from pigeonhole.guards.budget import STACK, Budget, account_of
from pigeonhole.guards.circuit_breaker import Gatekeeper
from pigeonhole.guards.lease import Shift
from pigeonhole.money.account import Cap
from pigeonhole.ports import Analyst, Clock, Ledger, Parts, Rules
from pigeonhole.sandbox.extractor import Extractor
from pigeonhole.settings import Settings, SettingsError

__all__ = ["Settings", "SettingsError", "connect", "shift"]

T = TypeVar("T")
R = TypeVar("R")

Source = Literal["intake", "escalation", "dead_letter", "stream", "schedule"]
_READING: Mapping[Source, Stage] = {"intake": Stage.TRIAGE, "escalation": Stage.ESCALATION}
_BATCH_THREADS = 10
# Kept free at the end of an invocation, for the last writes and the answer to Lambda.
_RESERVE = timedelta(seconds=5)
_KEY_KEPT = timedelta(minutes=10)


@cache
def connect(settings: Settings, source: Source) -> Parts:
    """The parts for the function that `source` feeds: `intake`, `escalation`, or one that reads nothing."""
    s3, clock = client("s3"), SystemClock()
    ledger = DynamoLedger(
        client("dynamodb"),
        documents=settings.documents_table,
        ledger=settings.ledger_table,
        once=client("dynamodb", attempts=1),
    )
    urls = {Stage.TRIAGE: settings.intake_queue_url, Stage.ESCALATION: settings.escalation_queue_url}
    stage = _READING.get(source)
    return Parts(
        objects=Inbox(s3),
        reader=_extractor(settings) if stage else NoReader(),
        artifacts=ArtifactsBucket(s3, settings.artifacts_bucket),
        analyst=LateClaude(settings, clock),
        gate=Gatekeeper(ledger, clock),
        budget=budget(settings, ledger, clock),
        ledger=ledger,
        queues=SqsQueues(client("sqs"), urls, own=urls[stage] if stage else None),
        bus=EventBus(client("events"), settings.event_bus_name),
        runner=Threads(),
        clock=clock,
        chance=SystemChance(),
        journal=PowertoolsJournal(settings.powertools_service_name),
        rules=rules(settings, settings.taxonomy_uri if stage else None),
    )


def shift(context: Any, parts: Parts) -> Shift:
    """This invocation: when its last step must be over."""
    left = timedelta(milliseconds=context.get_remaining_time_in_millis())
    return Shift(deadline=parts.clock.now() + left - _RESERVE)


def _extractor(settings: Settings) -> Extractor:
    return Extractor(Limits.within(settings.aws_lambda_function_memory_size))


def rules(settings: Settings, taxonomy_uri: str | None) -> Rules:
    """What the operator decided; UnknownModelError, TaxonomyError."""
    fast = Asking(
        tier=Tier.FAST,
        model=model_catalog.model(settings.fast_model),
        max_tokens=1024,
        effort="low",
        thinks=False,
        likely_tokens=300,
        tokens=settings.fast_tokens,
        timeout=settings.fast_timeout,
    )
    strong = Asking(
        tier=Tier.STRONG,
        model=model_catalog.model(settings.strong_model),
        max_tokens=4096,
        effort="medium",
        thinks=True,
        likely_tokens=800,
        tokens=settings.strong_tokens,
        timeout=settings.strong_timeout,
    )
    return Rules(
        taxonomy=taxonomy.load(_taxonomy_text(taxonomy_uri)),
        thresholds=Thresholds(
            fast_confidence=settings.fast_confidence,
            fast_margin=settings.fast_margin,
            strong_confidence=settings.strong_confidence,
        ),
        fast=fast,
        strong=strong,
        inbox=settings.inbox_bucket,
        max_bytes=settings.max_bytes,
        visibility={
            Stage.TRIAGE: timedelta(seconds=settings.intake_visibility),
            Stage.ESCALATION: timedelta(seconds=settings.escalation_visibility),
        },
    )


def budget(settings: Settings, ledger: Ledger, clock: Clock) -> Budget:
    """The caps and the pace that the settings name."""
    caps = {STACK: Cap(day=settings.daily_cap_usd, month=settings.monthly_cap_usd)}
    for each in filter(None, settings.team_caps.split(",")):
        team, _, dollars = each.partition("=")
        day, month = map(Decimal, dollars.split("/"))
        caps[account_of(team)] = Cap(day=day, month=month)
    allowance = Allowance(
        requests=settings.requests_per_minute,
        input_tokens=settings.input_tokens_per_minute,
        output_tokens=settings.output_tokens_per_minute,
    )
    return Budget(ledger, clock, caps, allowance)


def _taxonomy_text(uri: str | None) -> str:
    if uri:
        return taxonomy_text(client("s3"), uri)
    return (Path(__file__).parent / "domain" / "taxonomy.toml").read_text("utf-8")


class NoReader:
    """ports.Reader for a function that has no business reading documents."""

    def read(self, path: Path, name: str, seconds: float) -> Text:  # noqa: ARG002  the port's signature
        """As ports.Reader."""
        raise Defect(f"this function reads no document: {name}")


class LateClaude:
    """ports.Analyst that loads Claude's SDK at the first question: it is two thirds of a cold start.

    The key is looked up anew from time to time: it may have been replaced.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = Lock()
        self._claude: Analyst | None = None
        self._look_again = clock.now()

    def ask(self, request: Mapping[str, Any], *, timeout: float) -> Reply:
        """As ports.Analyst. A key that is refused is fetched afresh once."""
        began = self._clock.now()
        claude = self._with_key()
        try:
            return claude.ask(request, timeout=timeout)
        except StopAll as error:
            if error.waiting_for != "credentials":
                raise
        left = max(timeout - (self._clock.now() - began).total_seconds(), 1.0)
        return self._with_key(refused=claude).ask(request, timeout=left)

    def _with_key(self, refused: Analyst | None = None) -> Analyst:
        with self._lock:
            claude = self._claude
            if claude is None or claude is refused:
                claude = self._made()
            elif self._clock.now() >= self._look_again:
                # The one that we have is good until it is refused.
                with suppress(TryLater):
                    claude = self._made()
            self._claude = claude
            return claude

    def _made(self) -> Analyst:
        from pigeonhole.adapters.anthropic_client import Claude

        self._look_again = self._clock.now() + _KEY_KEPT
        key = api_key(client("secretsmanager"), self._settings.api_key_secret_arn)
        return Claude(key, self._settings.claude_base_url)


class Threads:
    """ports.Runner with a thread for each message of a batch; none outlives the call."""

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """The function's results, in order."""
        with ThreadPoolExecutor(_BATCH_THREADS) as pool:
            return list(pool.map(function, items))


class SystemClock:
    """ports.Clock with the machine's time."""

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)

    def wait(self, seconds: float) -> None:
        """Let so much of it pass."""
        time.sleep(seconds)


class SystemChance:
    """ports.Chance with the machine's randomness."""

    def token(self) -> str:
        """A name that nobody else has."""
        return uuid.uuid4().hex

    def jitter(self, seconds: float) -> float:
        """Up to a fifth more."""
        return seconds * (1 + 0.2 * random.random())  # noqa: S311  it spreads load, it guards nothing
