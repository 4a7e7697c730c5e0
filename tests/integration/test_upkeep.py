"""The operator's commands on the local stack: what was lost is mended, a person has the last word."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from infra.cli.reconcile import InboxComparison
from infra.ops import circuit_breaker, listing
from infra.ops.reconcile import Finding, heal
from infra.ops.services import operator
from infra.ops.stack import Stack
from pigeonhole.domain.document import StopAll
from pigeonhole.jobs.job import Work
from pigeonhole.pipeline import upkeep
from pigeonhole.pipeline.upkeep import upload_of
from pigeonhole.ports import Parts

INVOICE = b"Invoice 4713\nBill to: Example Ltd\nTotal due: 120.00 EUR, payable within 30 days\n"
pytestmark = pytest.mark.stack


@pytest.fixture
def parts(stack: Stack) -> Iterator[Parts]:
    made = operator(stack)
    yield made
    made.gate.opened()


def findings(stack: Stack, parts: Parts, prefix: str) -> list[Finding]:
    """All that is wrong now, mended as it is found."""
    comparison = InboxComparison(
        stack=stack, parts=parts, prefix=prefix, before=parts.clock.now() + timedelta(minutes=1)
    )
    found = list(comparison.findings())
    for finding, state in found:
        heal(finding, state, parts)
    return [finding for finding, _ in found]


def forget(stack: Stack, uri: str) -> None:
    stack.client("dynamodb").delete_item(
        TableName=stack.outputs["DocumentsTable"], Key={"document": {"S": uri}}
    )


def test_a_lost_row_comes_back_and_costs_nothing(stack: Stack, parts: Parts, claude_ledger):
    uri = stack.upload("lost/invoice.txt", INVOICE)
    stack.wait_row(uri)
    calls = len(claude_ledger())
    forget(stack, uri)
    assert findings(stack, parts, "lost/") == [Finding.NEVER_STARTED]
    assert stack.wait_row(uri)["category"] == "invoice"
    assert findings(stack, parts, "lost/") == []
    assert len(claude_ledger()) == calls


def test_a_document_whose_news_was_lost_altogether_is_started(stack: Stack, parts: Parts):
    uri = stack.upload("unheard/invoice.txt", INVOICE)
    stack.wait_row(uri)
    record = parts.ledger.row(uri)
    assert record
    forget(stack, uri)
    key = {"pk": {"S": uri}, "sk": {"S": f"v#{record.version_id}#00001"}}
    stack.client("dynamodb").delete_item(TableName=ledger_table(stack), Key=key)
    assert findings(stack, parts, "unheard/") == [Finding.NEVER_STARTED]
    assert stack.wait_row(uri)["category"] == "invoice"


def test_a_rehearsed_redrive_leaves_no_trace_and_a_real_one_is_a_new_run(stack: Stack, parts: Parts):
    uri = stack.upload("again/invoice.txt", INVOICE)
    stack.wait_row(uri)
    record = parts.ledger.row(uri)
    assert record
    rehearsed = upkeep.redrive(record, operator(stack, dry_run=True), forced=False)
    assert (rehearsed.run, latest(parts, uri).run) == (2, 1)
    upkeep.redrive(record, parts, forced=False)
    assert latest(parts, uri).run == 2


def test_a_persons_word_is_the_rows_and_is_listed_so(stack: Stack, parts: Parts):
    uri = stack.upload("decided/invoice.txt", INVOICE)
    stack.wait_row(uri)
    upkeep.review(uri, "letter", "someone", parts)
    (row,) = (
        row
        for row in listing.full_rows(stack, listing.of_category(stack, "letter"))
        if row["document"] == uri
    )
    assert (row["tier"], row["reviewed_by"]) == ("human", "someone")


def test_a_circuit_breaker_that_was_tripped_without_an_end_is_reset(stack: Stack, parts: Parts):
    parts.gate.closed(StopAll("credentials", "made so"))
    assert circuit_breaker.state(operator(stack)) == {
        "state": "tripped",
        "waiting_for": "credentials",
        "detail": "made so",
    }
    assert circuit_breaker.reset(parts) == circuit_breaker.state(operator(stack)) == {"state": "reset"}


def latest(parts: Parts, uri: str) -> Work:
    record = parts.ledger.row(uri)
    assert record
    work = parts.ledger.latest(upload_of(record))
    assert work
    return work


def ledger_table(stack: Stack) -> str:
    (name,) = (each for each in stack.client("dynamodb").list_tables()["TableNames"] if "Ledger" in each)
    return str(name)
