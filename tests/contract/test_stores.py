"""Both tables as one store: what was written comes back whole, and nothing is written over a change."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from pigeonhole.domain.document import Coverage, RateLimits, Stage, Tier, Usage
from pigeonhole.domain.errors import DocumentError, WaitReason
from pigeonhole.domain.policy import Reason, Signals
from pigeonhole.domain.record import Record
from pigeonhole.domain.row_attributes import Status, Waiting
from pigeonhole.domain.upload import Upload
from pigeonhole.jobs.job import Attempts, CapWait, Charges, Job, Lease, RecordedReply, Reservation, Task
from pigeonhole.jobs.stored import AnyWrite, BreakerState, CachedReply, Entry, Write
from pigeonhole.stores import Store
from tests.support.builders import job, record, reply, upload
from tests.support.fakes import START

LATER = START + timedelta(hours=1, microseconds=123456)
UPLOAD = replace(upload("finance/Rechnung + 50% 😀.pdf"), etag="abc")


RESERVED = Reservation(
    usd=Decimal("0.0012345"),
    day=START.date(),
    accounts=("team:finance", "stack"),
    model="claude-haiku-5-5",
    tier=Tier.FAST,
    by="somebody",
)


def full_row(status: Status = Status.DONE) -> Record:
    """A row in which everything has a value."""
    row = record(UPLOAD, Status.PROCESSING).failed(DocumentError("corrupt", "made so"), START)
    values = {
        "status": status,
        "sha256": "0" * 64,
        "content_type": "application/pdf",
        "media_type": "application/pdf",
        "category": "invoice",
        "runner_up": "letter",
        "confidence": Decimal("0.95"),
        "title": "Grüße 😀",
        "summary": "s" * 1500,
        "language": "de",
        "keywords": ("a", "b"),
        "evidence": ("Summe: 12 €",),
        "tier": Tier.FAST,
        "model": "claude-haiku-5-5",
        "prompt_version": "1",
        "taxonomy_version": "0123456789ab",
        "escalation_reasons": ("low_confidence",),
        "review_reasons": (),
        "coverage": Coverage(pages_total=3, pages_read=2, chars_total=9, truncated=True),
        "text_uri": "s3://artifacts/text/a.txt",
        "usage": {"claude-haiku-5-5": Usage(input_tokens=1000, output_tokens=7)},
        "cost_usd": Decimal("0.00012345678901"),
        "unsettled_usd": Decimal("0.02"),
        "waiting": Waiting.model_validate({"for": "claude", "since": row.updated_at, "stage": "triage"}),
        "reviewed_by": "somebody",
        "reviewed_at": row.updated_at,
        "attempts": 1,
        "expires_at": 1_800_000_000,
        "revision": 5,
    }
    return row.model_copy(update=values)


def full_job() -> Job:
    """A job in which everything has a value that is not its default."""
    return Job(
        task=Task(upload=UPLOAD, run=3, stage=Stage.ESCALATION, forced=True),
        draft=full_row(),
        revision=7,
        lease=Lease(owner="somebody", until=LATER, isolated=True),
        attempts=Attempts(crashes=1, billed_failures=2, throttles=3, throttled_since=LATER, requeues=4),
        charges=Charges(
            reserved=RESERVED,
            unsettled=(RESERVED, replace(RESERVED, by="another", accounts=())),
            over_cap=CapWait(account="stack", usd=Decimal("0.02")),
        ),
        replies={
            Tier.FAST: RecordedReply(
                reply=replace(reply(), left_out_tokens=9, rate_limits=RateLimits(requests=60)),
                signals=Signals(defect=Reason.REFUSED),
            ),
            Tier.STRONG: RecordedReply(
                reply=replace(reply(text='{"half'), request_id=None, reused=True),
                signals=Signals(
                    issue="truncated", confidence=60, margin=20, quotes_missing=2, second_opinion=True
                ),
            ),
        },
        needs_vision=True,
        superseded=True,
        wake_at=LATER,
    )


CACHED = CachedReply(
    team="finance",
    key="k",
    run=2,
    revision=1,
    lease=Lease(owner="somebody", until=LATER),
    reply=reply(),
)
BREAKER = BreakerState(
    revision=1,
    is_tripped=True,
    until=LATER,
    waiting_for=WaitReason.SPEND_CAP,
    detail="no more",
    probe_until=LATER,
)
ENTRIES: dict[str, Entry] = {
    "job": job(revision=1),
    "all of a job": full_job(),
    "cached reply": CachedReply(team="-", key="k", run=1, revision=1),
    "all of a cached reply": CACHED,
    "breaker": BreakerState(revision=1),
    "all of a breaker": BREAKER,
    "row": record(),
    "all of a row": full_row(),
}
each_entry = pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)


def put(store: Store, *entries: Entry) -> None:
    assert store.commit(*[AnyWrite(before=None, after=each) for each in entries])


def found(store: Store, entry: Entry) -> Entry | None:
    """What stands in the place of this entry."""
    match entry:
        case Job():
            return store.job(entry.upload, entry.task.run)
        case CachedReply():
            return store.cached_reply(entry.team, entry.key)
        case BreakerState():
            return store.breaker()
        case Record():
            return store.row(entry.document)


def changed(entry: Entry) -> Entry:
    """The entry's next state."""
    if isinstance(entry, Record):
        after = entry.model_copy(update={"status": Status.NEEDS_REVIEW, "title": "changed"})
        return Write.of(entry, after).after
    return replace(entry, revision=entry.revision + 1)


@each_entry
def test_where_nothing_was_written_nothing_is_found(store: Store, entry: Entry) -> None:
    assert found(store, entry) is None


@each_entry
def test_what_was_written_comes_back_whole(store: Store, entry: Entry) -> None:
    put(store, entry)
    assert found(store, entry) == entry


@each_entry
def test_what_was_changed_comes_back_as_it_was_changed(store: Store, entry: Entry) -> None:
    put(store, entry)
    assert store.commit(Write(before=entry, after=changed(entry)))
    assert found(store, entry) == changed(entry)


@each_entry
def test_what_is_there_is_not_written_as_if_it_were_not(store: Store, entry: Entry) -> None:
    put(store, entry)
    assert not store.commit(Write(before=None, after=changed(entry)))
    assert found(store, entry) == entry


@each_entry
def test_what_is_not_there_is_not_written_as_if_it_were(store: Store, entry: Entry) -> None:
    assert not store.commit(Write(before=entry, after=changed(entry)))
    assert found(store, entry) is None


@each_entry
def test_what_has_changed_meanwhile_is_not_written_over(store: Store, entry: Entry) -> None:
    put(store, entry)
    assert store.commit(Write(before=entry, after=changed(entry)))
    assert not store.commit(Write(before=entry, after=changed(entry)))
    assert found(store, entry) == changed(entry)


ROW_CHANGES = {
    "version_id": "v2",
    "sequencer": "F" * 64,
    "status": Status.NEEDS_REVIEW,
    "run": 2,
    "updated_at": "2026-11-22T12:00:00.001Z",
    "outcome_id": "another",
}


@pytest.mark.parametrize("name", ROW_CHANGES)
@pytest.mark.parametrize("row", [record(), record(status=Status.PROCESSING)], ids=["outcome", "processing"])
def test_whatever_of_a_row_has_changed_it_is_not_written_over(store: Store, row: Record, name: str) -> None:
    before = row.with_revision(1)
    put(store, Write.of(before, row.model_copy(update={name: ROW_CHANGES[name]})).after)
    assert not store.commit(Write.of(before, record(status=Status.FAILED)))


@pytest.mark.parametrize("stale", [0, 1, 2], ids=["the first", "one between", "the last"])
def test_all_is_written_or_nothing(store: Store, stale: int) -> None:
    before: list[Entry] = [job(revision=1), record(status=Status.PROCESSING), CACHED]
    put(store, *before)
    after = [changed(each) for each in before]
    writes = [AnyWrite(before=old, after=new) for old, new in zip(before, after, strict=True)]
    late = [*writes]
    late[stale] = AnyWrite(before=after[stale], after=after[stale])
    assert not store.commit(*late)
    assert [found(store, each) for each in before] == before
    assert store.commit(*writes)
    assert [found(store, each) for each in before] == after


def test_runs_versions_teams_and_requests_stand_apart(store: Store) -> None:
    entries: list[Entry] = [
        *[job(upload(version=version), run=run, revision=run) for version in ("v1", "v10") for run in (1, 2)],
        *[replace(CACHED, team=team, key=key) for team in ("a", "b") for key in ("k", "l")],
    ]
    put(store, *entries)
    assert [found(store, each) for each in entries] == entries


@pytest.mark.parametrize("text", ["", "Grüße 😀\u0000 \u2028", "{" * 5000], ids=["empty", "odd", "long"])
def test_a_reply_is_kept_as_it_came(store: Store, text: str) -> None:
    recorded = RecordedReply(reply=reply("max_tokens", text), signals=Signals())
    put(store, job(revision=1, replies={Tier.FAST: recorded}))
    found = store.job(upload(), 1)
    assert found
    assert found.replies == {Tier.FAST: recorded}


def test_the_latest_job_is_that_of_the_highest_run(store: Store) -> None:
    runs = [job(run=run, revision=1) for run in (2, 10, 9, 1)]
    put(
        store,
        *runs,
        job(upload(version="v10"), run=99, revision=1),
        job(upload("finance/b.txt"), run=98, revision=1),
    )
    assert store.latest_job(upload()) == runs[1]
    assert store.latest_job(upload(version="v2")) is None


def due_at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def open_job(name: str, seconds: float | None) -> Job:
    return job(
        upload(f"finance/{name}.txt"), revision=1, wake_at=None if seconds is None else due_at(seconds)
    )


def test_an_open_job_is_found_when_it_is_due_the_longest_due_first(store: Store) -> None:
    third, first, second = open_job("a", 30), open_job("b", 10), open_job("c", 20)
    put(store, third, first, second, open_job("later", 31), open_job("ended", None))
    assert store.due_jobs(due_at(30), 10) == [first, second, third]
    assert store.due_jobs(due_at(30), 2) == [first, second]
    assert store.due_jobs(due_at(9), 10) == []


def test_a_job_that_has_ended_is_due_no_more_and_one_that_is_put_off_is_due_later(store: Store) -> None:
    ends, waits = open_job("a", 10), open_job("b", 10)
    put(store, ends, waits)
    assert store.commit(
        Write(before=ends, after=replace(ends, revision=2, wake_at=None)),
        Write(before=waits, after=replace(waits, revision=2, wake_at=due_at(50))),
    )
    assert store.due_jobs(due_at(49), 10) == []
    assert store.due_jobs(due_at(50), 10) == [replace(waits, revision=2, wake_at=due_at(50))]


def test_a_version_of_any_name_is_found(store: Store) -> None:
    odd: Upload = upload("Büro/a#b.txt", "null")
    put(store, job(odd, revision=1))
    assert store.latest_job(odd) == store.job(odd, 1) == job(odd, revision=1)


@pytest.mark.parametrize("is_begun", [True, False], ids=["begun", "new"])
@pytest.mark.parametrize("is_shown", [True, False], ids=["shown", "not shown"])
def test_job_and_row_are_read_together(store: Store, is_begun: bool, is_shown: bool) -> None:
    mine, row = full_job(), full_row()
    if is_begun:
        assert store.commit(Write(before=None, after=mine))
    if is_shown:
        assert store.commit(Write(before=None, after=row))
    assert store.job_and_row(UPLOAD, mine.task.run) == (mine if is_begun else None, row if is_shown else None)
    assert store.job_and_row(UPLOAD, mine.task.run + 1)[0] is None
