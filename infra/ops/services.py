"""What the use cases need, for an operator's machine: built from the settings of the deployed stack."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from infra.ops.operations import OperationPorts
from infra.ops.stack import Stack, StackError
from pigeonhole import bootstrap
from pigeonhole.adapters.dynamodb import DynamoStore
from pigeonhole.adapters.s3 import taxonomy_text
from pigeonhole.domain.errors import PigeonholeError
from pigeonhole.domain.taxonomy import TaxonomyError
from pigeonhole.jobs.job import Task
from pigeonhole.jobs.message import Message
from pigeonhole.jobs.stored import AnyWrite
from pigeonhole.jobs.usage import UsageLine
from pigeonhole.services import PipelineConfig, Services
from pigeonhole.settings import Settings, SettingsError


def operator(stack: Stack, *, dry_run: bool = False) -> Parts:
    """The adapters that triage has, except those that receive messages and read documents.

    In a dry run every read is real, every write succeeds without being written, and nothing is sent.
    StackError if the stack has other settings than this version knows, or a taxonomy that is not valid.
    """
    settings = settings_of(stack)
    s3, clock = stack.client("s3"), bootstrap.SystemClock()
    tables = {"documents": settings.documents_table, "ledger": settings.ledger_table}
    ledger = (_DryRunLedger if dry_run else DynamoLedger)(stack.client("dynamodb"), **tables)
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
        queues=SqsQueues(stack.client("sqs"), urls, own=None) if not dry_run else _DryRunQueues(),
        bus=EventBus(stack.client("events"), settings.event_bus_name),
        runner=bootstrap.Threads(),
        clock=clock,
        chance=bootstrap.SystemChance(),
        journal=NullJournal(),
        rules=rules,
    )


def settings_of(stack: Stack) -> Settings:
    """The settings of the deployed functions, from the environment of triage; StackError."""
    name = stack.outputs.get("TriageFunction")
    if name is None:
        raise StackError("The stack is older than this command: deploy template.yaml again.")
    found = stack.client("lambda").get_function_configuration(FunctionName=name)
    try:
        return Settings.load(found["Environment"]["Variables"])
    except SettingsError as error:
        raise StackError(f"The stack has another version than this command: {error}") from error


def _own_taxonomy(s3: Any, uri: str) -> taxonomy.Taxonomy:
    """The taxonomy at this S3 URI; StackError, since without a valid one no function works on a document."""
    try:
        return bootstrap.configured(settings, taxonomy_text(stack.client("s3"), uri))
    except (TaxonomyError, UnicodeDecodeError, PigeonholeError) as error:
        raise StackError(
            f"The stack's taxonomy {uri} cannot be used, so triage and escalation do not start; "
            f"put a valid one there: {error}"
        ) from error


class NullJournal:
    """ports.Journal of a command, which prints its results itself: nothing is logged or counted."""

    def log(self, event: str, **fields: object) -> None:
        pass

    def metric(self, name: str, value: float = 1) -> None:
        pass

    def log_defect(self, event: str, error: BaseException, **fields: object) -> None:
        pass

    def flush(self) -> None:
        pass


class _DryRunLedger(DynamoLedger):
    """ports.Ledger that reads the tables and writes nothing."""

    def swap(self, *swaps: Swap, tallies: Iterable[Tally] = ()) -> bool:  # noqa: ARG002  the port's
        """As if the conditional write had succeeded."""
        return bool(swaps)


class _DryRunQueues:
    """ports.Queues that sends nothing."""

    def send(self, task: Task) -> None:
        pass

    def requeue(self, message: Message, seconds: float) -> None:
        pass
