"""The composition root: the environment becomes Settings, Settings become the services, once a container."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from pigeonhole.adapters.aws import client
from pigeonhole.adapters.dynamodb import DynamoStore
from pigeonhole.adapters.eventbridge import EventBridgeBus
from pigeonhole.adapters.lazy_claude import LazyClaude
from pigeonhole.adapters.powertools import PowertoolsTelemetry
from pigeonhole.adapters.s3 import ArtifactsBucket, InboxBucket, taxonomy_text
from pigeonhole.adapters.sqs import SqsQueues
from pigeonhole.adapters.system import NoReader, SystemClock, SystemRandomness, Threads
from pigeonhole.claude import model_catalog
from pigeonhole.claude.tiers import TierConfig, Tiers
from pigeonhole.domain import taxonomy
from pigeonhole.domain.document import RateLimits, Stage, Tier
from pigeonhole.domain.policy import FINAL_HELPS_WITH, Reason, Thresholds
from pigeonhole.extract.limits import Limits
from pigeonhole.guards.lease import Invocation
from pigeonhole.money.account import STACK, Cap, account_of
from pigeonhole.sandbox.extractor import Extractor
from pigeonhole.services import Outside, PipelineConfig, Services
from pigeonhole.settings import Settings, SettingsError

__all__ = ["Services", "Settings", "SettingsError", "connect", "invocation_of"]

Source = Literal["intake", "escalation", "dead_letter", "stream", "schedule"]
# Who reads documents, and whose queue it is.
_STAGES: Mapping[Source, Stage] = {"intake": Stage.TRIAGE, "escalation": Stage.ESCALATION}
# Kept free at the end of an invocation, for the last writes and the answer to Lambda.
_RESERVE = timedelta(seconds=5)


@cache
def connect(settings: Settings, source: Source) -> Services:
    """The services for what `source` feeds: `intake`, `escalation`, or one that reads no document."""
    stage = _STAGES.get(source)
    own_taxonomy = settings.taxonomy_uri if stage else None
    return Services(outside(settings, stage), configured(settings, taxonomy_text_at(own_taxonomy)))


def outside(settings: Settings, stage: Stage | None, client: Callable[..., Any] = client) -> Outside:
    """AWS and Claude behind the ports, for the function of that stage; None where no document is read.

    `client` makes or keeps the boto3 client of a service, which may be told how many `attempts` it makes.
    """
    s3, clock = client("s3"), SystemClock()
    urls = {
        Stage.TRIAGE: settings.intake_queue_url,
        Stage.ESCALATION: settings.escalation_queue_url,
        Stage.FINAL: settings.escalation_queue_url,
    }
    return Outside(
        objects=InboxBucket(s3),
        reader=Extractor(Limits.within(settings.aws_lambda_function_memory_size)) if stage else NoReader(),
        artifacts=ArtifactsBucket(s3, settings.artifacts_bucket),
        model=LazyClaude(
            lambda: client("secretsmanager"), settings.api_key_secret_arn, settings.claude_base_url, clock
        ),
        store=DynamoStore(
            client("dynamodb"),
            documents=settings.documents_table,
            ledger=settings.ledger_table,
            once=client("dynamodb", attempts=1),
        ),
        queues=SqsQueues(client("sqs"), urls, own=urls[stage] if stage else None),
        bus=EventBridgeBus(client("events"), settings.event_bus_name),
        runner=Threads(),
        clock=clock,
        randomness=SystemRandomness(),
        telemetry=PowertoolsTelemetry(settings.powertools_service_name),
    )


def configured(settings: Settings, taxonomy_toml: str) -> PipelineConfig:
    """What the operator decided. UnknownModelError, TaxonomyError."""
    return PipelineConfig(
        taxonomy=taxonomy.load(taxonomy_toml),
        tiers=tiers(settings),
        inbox=settings.inbox_bucket,
        max_bytes=settings.max_bytes,
        visibility={
            Stage.TRIAGE: timedelta(seconds=settings.intake_visibility),
            Stage.ESCALATION: timedelta(seconds=settings.escalation_visibility),
            Stage.FINAL: timedelta(seconds=settings.escalation_visibility),
        },
        caps=caps(settings),
        limits=RateLimits(
            requests=settings.requests_per_minute,
            input_tokens=settings.input_tokens_per_minute,
            output_tokens=settings.output_tokens_per_minute,
        ),
    )


def tiers(settings: Settings) -> Tiers:
    """The tiers in the order in which they are asked. UnknownModelError."""
    strong_model = model_catalog.model(settings.strong_model)
    fast = TierConfig(
        tier=Tier.FAST,
        model=model_catalog.model(settings.fast_model),
        max_tokens=1024,
        effort="low",
        thinks=False,
        likely_tokens=300,
        document_tokens=settings.fast_tokens,
        timeout=settings.fast_timeout,
        thresholds=Thresholds(
            confidence=settings.fast_confidence, margin=settings.fast_margin, heeds_category=True
        ),
        escalates_for=frozenset(Reason),
        compared_with=strong_model,
    )
    strong = TierConfig(
        tier=Tier.STRONG,
        model=strong_model,
        max_tokens=4096,
        effort="medium",
        thinks=True,
        likely_tokens=800,
        document_tokens=settings.strong_tokens,
        timeout=settings.strong_timeout,
        thresholds=Thresholds(confidence=settings.strong_confidence),
        escalates_for=FINAL_HELPS_WITH if settings.final_model else frozenset(),
    )
    final = {Stage.FINAL: _final(strong, settings)} if settings.final_model else {}
    return {Stage.TRIAGE: fast, Stage.ESCALATION: strong, **final}


def _final(strong: TierConfig, settings: Settings) -> TierConfig:
    """As the strong tier, but for what is its own."""
    return replace(
        strong,
        tier=Tier.FINAL,
        model=model_catalog.model(settings.final_model or ""),
        document_tokens=settings.final_tokens,
        timeout=settings.final_timeout,
        thresholds=Thresholds(confidence=settings.final_confidence),
        escalates_for=frozenset(),
    )


def caps(settings: Settings) -> dict[str, Cap]:
    """The caps by account: the stack's, and those of teams that have one of their own."""
    found = {STACK: Cap(day=settings.daily_cap_usd, month=settings.monthly_cap_usd)}
    for each in filter(None, settings.team_caps.split(",")):
        team, _, dollars = each.partition("=")
        day, month = map(Decimal, dollars.split("/"))
        found[account_of(team)] = Cap(day=day, month=month)
    return found


def invocation_of(context: Any, services: Services) -> Invocation:
    """This invocation, by Lambda's context: when its last step must be over."""
    left = timedelta(milliseconds=context.get_remaining_time_in_millis())
    return Invocation(deadline=services.outside.clock.now() + left - _RESERVE)


def taxonomy_text_at(uri: str | None) -> str:
    """The operator's own taxonomy, or the one that ships."""
    if uri:
        return taxonomy_text(client("s3"), uri)
    return (files("pigeonhole") / "domain" / "taxonomy.toml").read_text("utf-8")
