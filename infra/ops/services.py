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


def operator(stack: Stack, *, acts: bool = True) -> Services:
    """What triage works with, but for the readers of queues and documents.

    Without `acts` it is a dry run: nothing is written or sent, and what would be allowed is allowed.
    """
    settings = settings_of(stack)
    outside = replace(bootstrap.outside(settings, None, _clients(stack)), telemetry=Silent())
    if not acts:
        dynamodb = stack.client("dynamodb")
        tables = {"documents": settings.documents_table, "ledger": settings.ledger_table}
        outside = replace(outside, store=_ReadOnlyStore(dynamodb, **tables), queues=_NoQueues())
    return Services(outside, _configured(settings, stack))


def operation_ports(services: Services) -> OperationPorts:
    """What redrive and review work with."""
    outside = services.outside
    return OperationPorts(jobs=outside.store, queues=outside.queues, system=services.system)


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


def _clients(stack: Stack) -> Any:
    def client(service: str, *, attempts: int = 0) -> Any:  # noqa: ARG001  a person may try again
        return stack.client(service)

    return client


def _configured(settings: Settings, stack: Stack) -> PipelineConfig:
    """Where the taxonomy is missing or wrong no document is worked on, and whoever looks why has to know."""
    uri = settings.taxonomy_uri
    if not uri:
        return bootstrap.configured(settings, bootstrap.taxonomy_text_at(None))
    try:
        return bootstrap.configured(settings, taxonomy_text(stack.client("s3"), uri))
    except (TaxonomyError, UnicodeDecodeError, PigeonholeError) as error:
        raise StackError(
            f"The stack's taxonomy {uri} cannot be used, so triage and escalation do not start; "
            f"put a right one there: {error}"
        ) from error


class Silent:
    """ports.Telemetry of a command, which says itself what came of it."""

    def log(self, event: str, **fields: object) -> None:
        pass

    def metric(self, name: str, value: float = 1) -> None:
        pass

    def log_defect(self, event: str, error: BaseException, **fields: object) -> None:
        pass

    def flush(self) -> None:
        pass


class _ReadOnlyStore(DynamoStore):
    """ports.Store that reads the tables and leaves them as they are."""

    def commit(self, *writes: AnyWrite, usage: Iterable[UsageLine] = ()) -> bool:  # noqa: ARG002  the port's
        """As if nobody had been quicker."""
        return bool(writes)


class _NoQueues:
    """ports.Queues that sends nothing."""

    def send(self, task: Task) -> None:
        pass

    def requeue(self, message: Message, seconds: float) -> None:
        pass
