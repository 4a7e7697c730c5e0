"""The operator's commands on the local stack: what was lost is mended, a person has the last word."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from infra.cli.reconcile import InboxComparison
from infra.ops import circuit_breaker, listing, operations
from infra.ops.operations import upload_of
from infra.ops.reconcile import Finding, heal
from infra.ops.services import operation_ports, operator
from infra.ops.stack import Stack
from pigeonhole.domain.errors import StopAll, WaitReason
from pigeonhole.domain.record import Record
from pigeonhole.jobs.job import Job
from pigeonhole.services import Services

INVOICE = b"Invoice 4713\nBill to: Example Ltd\nTotal due: 120.00 EUR, payable within 30 days\n"
pytestmark = pytest.mark.stack


@pytest.fixture
def services(stack: Stack) -> Iterator[Services]:
    found = operator(stack)
    yield found
    found.guards.breaker.reset()


def findings(stack: Stack, services: Services, prefix: str) -> list[Finding]:
    """All that is wrong now, repaired as it is found."""
    before = services.outside.clock.now() + timedelta(minutes=1)
    comparison = InboxComparison(stack=stack, services=services, prefix=prefix, before=before)
    found = list(comparison.findings())
    for finding, state in found:
        heal(finding, state, services)
    return [finding for finding, _ in found]


def forget(stack: Stack, uri: str) -> None:
    stack.client("dynamodb").delete_item(
        TableName=stack.outputs["DocumentsTable"], Key={"document": {"S": uri}}
    )


def test_a_lost_row_comes_back_and_costs_nothing(stack: Stack, services: Services, claude_ledger):
    uri = stack.upload("lost/invoice.txt", INVOICE)
    stack.wait_row(uri)
    calls = len(claude_ledger())
    forget(stack, uri)
    assert findings(stack, services, "lost/") == [Finding.NEVER_STARTED]
    assert stack.wait_row(uri)["category"] == "invoice"
    assert findings(stack, services, "lost/") == []
    assert len(claude_ledger()) == calls


def test_a_document_whose_event_was_lost_altogether_is_started(stack: Stack, services: Services):
    uri = stack.upload("eventless/invoice.txt", INVOICE)
    stack.wait_row(uri)
    record = services.outside.store.row(uri)
    assert record
    forget(stack, uri)
    key = {"pk": {"S": uri}, "sk": {"S": f"v#{record.version_id}#00001"}}
    stack.client("dynamodb").delete_item(TableName=ledger_table(stack), Key=key)
    assert findings(stack, services, "eventless/") == [Finding.NEVER_STARTED]
    assert stack.wait_row(uri)["category"] == "invoice"


def test_a_dry_run_of_redrive_leaves_no_trace_and_a_real_one_is_a_new_run(stack: Stack, services: Services):
    uri = stack.upload("again/invoice.txt", INVOICE)
    stack.wait_row(uri)
    record = services.outside.store.row(uri)
    assert record
    planned = redrive(record, operator(stack, dry_run=True))
    assert (planned.task.run, latest(services, uri).task.run) == (2, 1)
    redrive(record, services)
    assert latest(services, uri).task.run == 2


def test_a_persons_word_is_the_rows_and_is_listed_so(stack: Stack, services: Services):
    uri = stack.upload("decided/invoice.txt", INVOICE)
    stack.wait_row(uri)
    operations.review(uri, "letter", "someone", operation_ports(services), services.config.taxonomy)
    (row,) = (
        row
        for row in listing.full_rows(stack, listing.of_category(stack, "letter"))
        if row["document"] == uri
    )
    assert (row["tier"], row["reviewed_by"]) == ("human", "someone")


def test_a_circuit_breaker_that_tripped_without_an_end_is_reset(stack: Stack, services: Services):
    services.guards.breaker.trip(StopAll(WaitReason.CREDENTIALS, "made so"))
    assert circuit_breaker.state(operator(stack)) == {
        "state": "tripped",
        "waiting_for": "credentials",
        "detail": "made so",
    }
    assert circuit_breaker.reset(services) == circuit_breaker.state(operator(stack)) == {"state": "reset"}


def redrive(record: Record, services: Services) -> Job:
    visibility = services.config.visibility
    return operations.redrive(record, operation_ports(services), visibility, forced=False)


def latest(services: Services, uri: str) -> Job:
    record = services.outside.store.row(uri)
    assert record
    job = services.outside.store.latest_job(upload_of(record))
    assert job
    return job


def ledger_table(stack: Stack) -> str:
    (name,) = (each for each in stack.client("dynamodb").list_tables()["TableNames"] if "Ledger" in each)
    return str(name)
