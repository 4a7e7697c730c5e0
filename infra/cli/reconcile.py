"""`reconcile`: the inbox against the tables, document by document; what differs is said, or mended."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Annotated, Any

import typer

from infra.cli.console import DATA, print_json_lines, tell
from infra.cli.documents import AsJson, Region, StackName, find_stack
from infra.cli.table import inert
from infra.ops import listing
from infra.ops.listing import STATUSES
from infra.ops.operations import NotAllowedError, upload_of
from infra.ops.reconcile import MEANINGS, Finding, Seen, heal, is_forgotten, judge
from infra.ops.services import operator
from infra.ops.stack import Stack
from pigeonhole.domain.errors import PigeonholeError
from pigeonhole.domain.record import Record, stamp
from pigeonhole.domain.row_attributes import OUTCOMES
from pigeonhole.domain.upload import Upload
from pigeonhole.jobs.stored import BreakerState
from pigeonhole.services import Services

_AT_ONCE = 100
_MOST_OVERDUE = 1000


def reconcile(
    prefix: Annotated[str, typer.Option(help="Only documents whose key begins so.")] = "",
    older_than: Annotated[
        float,
        typer.Option(help="Minutes that an event may be on its way; younger changes are left out.", min=0),
    ] = 60,
    mend: Annotated[
        bool, typer.Option("--heal", help="Mend it; without it, only say what is wrong.")
    ] = False,
    stack: StackName = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Compare the inbox with the tables: never started, stuck, stale, orphaned.

    Exit code 1: something is wrong and was not mended.
    """
    chosen = find_stack(stack, region)
    services = operator(chosen)
    before = services.outside.clock.now() - timedelta(minutes=older_than)
    look = Look(stack=chosen, services=services, prefix=prefix, before=before)
    found = wrong = 0
    for finding, seen in look.findings():
        told = _told(finding, seen, tried=mend, why_not=_mended(finding, seen, services) if mend else None)
        found, wrong = found + 1, wrong + (not told["healed"])
        if as_json:
            print_json_lines([told])
        else:
            DATA.print(inert(_sentence(finding, told)), soft_wrap=True)
    tell(f"{look.compared} documents compared, {found} findings, {found - wrong} mended.")
    if wrong and not mend:
        tell("Nothing was changed: --heal mends them.")
    raise typer.Exit(1 if wrong else 0)


@dataclass(kw_only=True)
class Look:
    """One comparison; nothing that changed after `before` is held against anybody."""

    stack: Stack
    services: Services
    prefix: str
    before: datetime
    compared: int = 0
    _breaker: BreakerState | None = None
    _stuck: set[str] = field(default_factory=set)

    def findings(self) -> Iterator[tuple[Finding, Seen]]:
        """From the bucket to the tables, then back; at last the runs that sweep should have taken."""
        self._breaker = self.services.outside.store.breaker()
        in_inbox: set[str] = set()
        for seen in chain(self._inbox(in_inbox), self._rows_alone(in_inbox)):
            self.compared += 1
            if finding := judge(seen, breaker=self._breaker, before=self.before):
                yield finding, seen
        yield from ((Finding.STUCK, seen) for seen in self._overdue())

    def _inbox(self, in_inbox: set[str]) -> Iterator[Seen]:
        uploads = current(self.stack, self.prefix)
        while chunk := list(islice(uploads, _AT_ONCE)):
            rows = self.stack.rows(upload.document for upload in chunk)
            in_inbox.update(upload.document for upload in chunk)
            for upload in chunk:
                row = rows.get(upload.document)
                yield self._seen(upload, Record.model_validate(row) if row else None)

    def _rows_alone(self, in_inbox: set[str]) -> Iterator[Seen]:
        """What the listing did not show may have come since: S3 is asked about each."""
        for uri in listing.of_statuses(self.stack, [each for each in STATUSES if each != "removed"]):
            row = None if uri in in_inbox else self.services.outside.store.row(uri)
            if row and row.key.startswith(self.prefix):
                yield self._seen(self.services.outside.objects.current(upload_of(row)), row)

    def _overdue(self) -> Iterator[Seen]:
        for job in self.services.outside.store.due_jobs(self.before, _MOST_OVERDUE):
            document = job.upload.document
            told = document in self._stuck or not job.upload.key.startswith(self.prefix)
            if not told and is_forgotten(job, breaker=self._breaker, before=self.before):
                yield Seen(shown=job.upload, row=self.services.outside.store.row(document), job=job)

    def _seen(self, shown: Upload | None, row: Record | None) -> Seen:
        """Only for open job the ledger is asked."""
        if row is None or row.status in OUTCOMES:
            return Seen(shown=shown, row=row)
        self._stuck.add(row.document)
        return Seen(shown=shown, row=row, job=self.services.outside.store.latest_job(upload_of(row)))


def current(stack: Stack, prefix: str) -> Iterator[Upload]:
    """The current version of every key that shows one."""
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


def _mended(finding: Finding, seen: Seen, services: Services) -> str | None:
    """None when it is; else why not."""
    try:
        heal(finding, seen, services)
    except (NotAllowedError, PigeonholeError) as error:
        return str(error)
    return None


def _told(finding: Finding, seen: Seen, *, tried: bool, why_not: str | None) -> dict[str, Any]:
    about = seen.shown or seen.row
    return {
        "finding": finding.value,
        "document": about.document if about else None,
        "shown": seen.shown.version_id if seen.shown else None,
        "row": seen.row.version_id if seen.row else None,
        "status": seen.row.status.value if seen.row else None,
        "since": seen.row.updated_at if seen.row else stamp(seen.shown.uploaded_at) if seen.shown else None,
        "healed": tried and why_not is None,
        "why_not": why_not,
    }


def _sentence(finding: Finding, told: dict[str, Any]) -> str:
    done = "mended" if told["healed"] else told["why_not"]
    return f"{told['document']}: {MEANINGS[finding]}" + (f" ({done})" if done else "")
