"""An operator's services: the functions' own composition, on this machine, with the stack's settings."""

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


def operator(stack: Stack, *, dry_run: bool = False) -> Services:
    """The services that triage has, except that no messages are received and no documents are read.

    In a dry run every read is real, every write succeeds without being written, and nothing is sent.
    StackError if the stack has other settings than this version knows, or a taxonomy that is not valid.
    """
    settings = settings_of(stack)
    outside = replace(bootstrap.outside(settings, None, _clients(stack)), telemetry=NullTelemetry())
    if dry_run:
        dynamodb = stack.client("dynamodb")
        tables = {"documents": settings.documents_table, "ledger": settings.ledger_table}
        outside = replace(outside, store=_DryRunStore(dynamodb, **tables), queues=_DryRunQueues())
    return Services(outside, _configured(settings, stack))


def operation_ports(services: Services) -> OperationPorts:
    """The ports that redrive and review need."""
    outside = services.outside
    return OperationPorts(jobs=outside.store, queues=outside.queues, system=services.system)


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


def _clients(stack: Stack) -> Any:
    def client(service: str, *, attempts: int = 0) -> Any:  # noqa: ARG001  a person can try again
        return stack.client(service)

    return client


def _configured(settings: Settings, stack: Stack) -> PipelineConfig:
    """With the stack's taxonomy; StackError, since without a valid one no function works on a document."""
    uri = settings.taxonomy_uri
    if not uri:
        return bootstrap.configured(settings, bootstrap.taxonomy_text_at(None))
    try:
        return bootstrap.configured(settings, taxonomy_text(stack.client("s3"), uri))
    except (TaxonomyError, UnicodeDecodeError, PigeonholeError) as error:
        raise StackError(
            f"The stack's taxonomy {uri} cannot be used, so triage and escalation do not start; "
            f"put a valid one there: {error}"
        ) from error


class NullTelemetry:
    """ports.Telemetry of a command, which prints its results itself: nothing is logged or counted."""

    def log(self, event: str, **fields: object) -> None:
        pass

    def metric(self, name: str, value: float = 1) -> None:
        pass

    def log_defect(self, event: str, error: BaseException, **fields: object) -> None:
        pass

    def flush(self) -> None:
        pass


class _DryRunStore(DynamoStore):
    """ports.Store that reads the tables and writes nothing."""

    def commit(self, *writes: AnyWrite, usage: Iterable[UsageLine] = ()) -> bool:  # noqa: ARG002  the port's
        """As if the conditional write had succeeded."""
        return bool(writes)


class _DryRunQueues:
    """ports.Queues that sends nothing."""

    def send(self, task: Task) -> None:
        pass

    def requeue(self, message: Message, seconds: float) -> None:
        pass
