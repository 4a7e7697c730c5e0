"""`reconcile`: compares the inbox with the tables, document by document, and repairs what differs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Annotated, Any

import typer

from infra.cli.console import STDOUT, print_info, print_json_lines
from infra.cli.documents import AsJson, Region, StackName, find_stack
from infra.cli.table import plain_text
from infra.ops import listing
from infra.ops.listing import STATUSES
from infra.ops.operations import NotAllowedError, upload_of
from infra.ops.reconcile import MEANINGS, DocumentState, Finding, classify, heal, is_stuck
from infra.ops.services import operator
from infra.ops.stack import Stack
from pigeonhole.domain.errors import PigeonholeError
from pigeonhole.domain.record import Record, stamp
from pigeonhole.domain.row_attributes import OUTCOMES
from pigeonhole.domain.upload import Upload
from pigeonhole.jobs.stored import BreakerState
from pigeonhole.services import Services

_BATCH_SIZE = 100
_MAX_OVERDUE = 1000


def reconcile(
    prefix: Annotated[str, typer.Option(help="Only documents whose key begins with this.")] = "",
    older_than: Annotated[
        float,
        typer.Option(
            help="Leave out changes of the last so many minutes, whose events may be on their way.", min=0
        ),
    ] = 60,
    repair: Annotated[
        bool, typer.Option("--heal", help="Repair what is found; without it, nothing is changed.")
    ] = False,
    stack: StackName = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Compare the inbox with the tables and list what is never started, stuck, stale or orphaned.

    Exit code 1: something was found and not repaired.
    """
    chosen = find_stack(stack, region)
    services = operator(chosen)
    before = services.outside.clock.now() - timedelta(minutes=older_than)
    comparison = InboxComparison(stack=chosen, services=services, prefix=prefix, before=before)
    found = wrong = 0
    for finding, state in comparison.findings():
        why_not = _repair(finding, state, services) if repair else None
        result = _as_json(finding, state, is_repaired=repair and why_not is None, why_not=why_not)
        found, wrong = found + 1, wrong + (not result["healed"])
        if as_json:
            print_json_lines([result])
        else:
            STDOUT.print(plain_text(_sentence(finding, result)), soft_wrap=True)
    print_info(f"{comparison.compared} documents compared, {found} findings, {found - wrong} repaired.")
    if wrong and not repair:
        print_info("Nothing was changed: --heal repairs them.")
    raise typer.Exit(1 if wrong else 0)


@dataclass(kw_only=True)
class InboxComparison:
    """One comparison of the inbox with the tables; changes after `before` are left out."""

    stack: Stack
    services: Services
    prefix: str
    before: datetime
    compared: int = 0
    _breaker: BreakerState | None = None
    _open: set[str] = field(default_factory=set)

    def findings(self) -> Iterator[tuple[Finding, DocumentState]]:
        """Documents in the inbox first, then rows without one, then open jobs that sweep has left behind."""
        self._breaker = self.services.outside.store.breaker()
        in_inbox: set[str] = set()
        for state in chain(self._inbox(in_inbox), self._rows_alone(in_inbox)):
            self.compared += 1
            if finding := classify(state, breaker=self._breaker, before=self.before):
                yield finding, state
        yield from ((Finding.STUCK, state) for state in self._overdue())

    def _inbox(self, in_inbox: set[str]) -> Iterator[DocumentState]:
        uploads = current_versions(self.stack, self.prefix)
        while chunk := list(islice(uploads, _BATCH_SIZE)):
            rows = self.stack.rows(upload.document for upload in chunk)
            in_inbox.update(upload.document for upload in chunk)
            for upload in chunk:
                row = rows.get(upload.document)
                yield self._state(upload, Record.model_validate(row) if row else None)

    def _rows_alone(self, in_inbox: set[str]) -> Iterator[DocumentState]:
        """Rows whose key the listing did not have: each may be newer than it, so S3 is asked again."""
        for uri in listing.of_statuses(self.stack, [each for each in STATUSES if each != "removed"]):
            row = None if uri in in_inbox else self.services.outside.store.row(uri)
            if row and row.key.startswith(self.prefix):
                yield self._state(self.services.outside.objects.current(upload_of(row)), row)

    def _overdue(self) -> Iterator[DocumentState]:
        store = self.services.outside.store
        for job in store.due_jobs(self.before, _MAX_OVERDUE):
            document = job.upload.document
            is_known = document in self._open or not job.upload.key.startswith(self.prefix)
            if not is_known and is_stuck(job, breaker=self._breaker, before=self.before):
                yield DocumentState(current=job.upload, row=store.row(document), job=job)

    def _state(self, current: Upload | None, row: Record | None) -> DocumentState:
        """The document's state; only where the row is not an outcome is the ledger read for its job."""
        if row is None or row.status in OUTCOMES:
            return DocumentState(current=current, row=row)
        self._open.add(row.document)
        job = self.services.outside.store.latest_job(upload_of(row))
        return DocumentState(current=current, row=row, job=job)


def current_versions(stack: Stack, prefix: str) -> Iterator[Upload]:
    """The current version of every key; a key whose latest version is a delete marker has none."""
    bucket = stack.outputs["InboxBucket"]
    for page in (
        stack.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    ):
        for version in page.get("Versions", []):
            if version["IsLatest"]:
                yield Upload(
                    bucket=bucket,
                    key=version["Key"],
                    version_id=version["VersionId"],
                    sequencer="",
                    uploaded_at=version["LastModified"],
                    size_bytes=version["Size"],
                )


def _repair(finding: Finding, state: DocumentState, services: Services) -> str | None:
    """None when it is repaired; else why not."""
    try:
        heal(finding, state, services)
    except (NotAllowedError, PigeonholeError) as error:
        return str(error)
    return None


def _as_json(
    finding: Finding, state: DocumentState, *, is_repaired: bool, why_not: str | None
) -> dict[str, Any]:
    current, row = state.current, state.row
    about = current or row
    return {
        "finding": finding.value,
        "document": about.document if about else None,
        "current": current.version_id if current else None,
        "row": row.version_id if row else None,
        "status": row.status.value if row else None,
        "since": row.updated_at if row else stamp(current.uploaded_at) if current else None,
        "healed": is_repaired,
        "why_not": why_not,
    }


def _sentence(finding: Finding, result: dict[str, Any]) -> str:
    done = "repaired" if result["healed"] else result["why_not"]
    return f"{result['document']}: {MEANINGS[finding]}" + (f" ({done})" if done else "")
