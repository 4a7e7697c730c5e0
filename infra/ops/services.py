"""An operator's parts: the use cases of upkeep from this machine, with the very settings of the stack."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from infra.ops.stack import Stack, StackError
from pigeonhole import bootstrap
from pigeonhole.adapters.dynamodb import DynamoLedger
from pigeonhole.adapters.eventbridge import EventBus
from pigeonhole.adapters.s3 import ArtifactsBucket, Inbox, taxonomy_text
from pigeonhole.adapters.sqs import SqsQueues
from pigeonhole.domain import taxonomy
from pigeonhole.domain.document import PigeonholeError, Stage
from pigeonhole.guards.circuit_breaker import Gatekeeper
from pigeonhole.jobs.job import Order
from pigeonhole.jobs.message import Message
from pigeonhole.jobs.usage import Tally
from pigeonhole.ports import Parts, Swap
from pigeonhole.settings import Settings, SettingsError


def operator(stack: Stack, *, acts: bool = True) -> Parts:
    """What triage works with, but for the readers of queues and documents.

    Without `acts` it is a rehearsal: nothing is written or sent, and what would be allowed is allowed.
    """
    settings = settings_of(stack)
    s3, clock = stack.client("s3"), bootstrap.SystemClock()
    tables = {"documents": settings.documents_table, "ledger": settings.ledger_table}
    ledger = (DynamoLedger if acts else _Unwritten)(stack.client("dynamodb"), **tables)
    urls = {Stage.TRIAGE: settings.intake_queue_url, Stage.ESCALATION: settings.escalation_queue_url}
    rules = bootstrap.rules(settings, None)
    if settings.taxonomy_uri:
        rules = replace(rules, taxonomy=_own_taxonomy(s3, settings.taxonomy_uri))
    return Parts(
        objects=Inbox(s3),
        reader=bootstrap.NoReader(),
        artifacts=ArtifactsBucket(s3, settings.artifacts_bucket),
        analyst=bootstrap.LateClaude(settings, clock),
        gate=Gatekeeper(ledger, clock),
        budget=bootstrap.budget(settings, ledger, clock),
        ledger=ledger,
        queues=SqsQueues(stack.client("sqs"), urls, own=None) if acts else _Unsent(),
        bus=EventBus(stack.client("events"), settings.event_bus_name),
        runner=bootstrap.Threads(),
        clock=clock,
        chance=bootstrap.SystemChance(),
        journal=Unheard(),
        rules=rules,
    )


def settings_of(stack: Stack) -> Settings:
    """What the functions of the stack were deployed with."""
    name = stack.outputs.get("TriageFunction")
    if name is None:
        raise StackError("The stack is older than this command: deploy template.yaml again.")
    found = stack.client("lambda").get_function_configuration(FunctionName=name)
    try:
        return Settings.load(found["Environment"]["Variables"])
    except SettingsError as error:
        raise StackError(f"The stack is of another version than this command: {error}") from error


def _own_taxonomy(s3: Any, uri: str) -> taxonomy.Taxonomy:
    """Where it is missing or wrong no document is worked on, and whoever looks for why has to be told."""
    try:
        return taxonomy.load(taxonomy_text(s3, uri))
    except (taxonomy.TaxonomyError, UnicodeDecodeError, PigeonholeError) as error:
        raise StackError(
            f"The stack's taxonomy {uri} cannot be used, so triage and escalation do not start; "
            f"put a right one there: {error}"
        ) from error


class Unheard:
    """ports.Journal of a command, which says itself what came of it."""

    def note(self, what: str, **fields: object) -> None:
        pass

    def count(self, metric: str, value: float = 1) -> None:
        pass

    def defect(self, what: str, error: BaseException, **fields: object) -> None:
        pass

    def flush(self) -> None:
        pass


class _Unwritten(DynamoLedger):
    """ports.Ledger that reads the tables and leaves them as they are."""

    def swap(self, *swaps: Swap, tallies: Iterable[Tally] = ()) -> bool:  # noqa: ARG002  the port's
        """As if nobody had been quicker."""
        return bool(swaps)


class _Unsent:
    """ports.Queues."""

    def send(self, order: Order) -> None:
        pass

    def put_back(self, message: Message, seconds: float) -> None:
        pass
