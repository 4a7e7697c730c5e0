"""Both tables as one ledger: what was written comes back whole, and nothing is written over a change."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from pigeonhole.domain.document import Allowance, DocumentError, Reply, Stage, Tier, Upload
from pigeonhole.domain.policy import Signals
from pigeonhole.domain.record import Read, Record, Status, Tokens, Waiting
from pigeonhole.guards.row_updates import failed
from pigeonhole.jobs.job import OverCapBy, Reservation, Work
from pigeonhole.ports import Answer, Entry, Gate, Ledger, Swap
from tests.support.builders import record, reply, upload, work
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
    row = failed(record(UPLOAD, Status.PROCESSING), DocumentError("corrupt", "made so"), START)
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
        "tier": "fast",
        "model": "claude-haiku-5-5",
        "prompt_version": "1",
        "taxonomy_version": "0123456789ab",
        "escalation_reasons": ("low_confidence",),
        "review_reasons": (),
        "coverage": Read(pages_total=3, pages_read=2, chars_total=9, truncated=True),
        "text_uri": "s3://artifacts/text/a.txt",
        "usage": {"claude-haiku-5-5": Tokens(input_tokens=1000, output_tokens=7)},
        "cost_usd": Decimal("0.00012345678901"),
        "unsettled_usd": Decimal("0.02"),
        "waiting": Waiting.model_validate({"for": "claude", "since": row.updated_at, "stage": "triage"}),
        "reviewed_by": "somebody",
        "reviewed_at": row.updated_at,
        "attempts": 1,
        "expires_at": 1_800_000_000,
    }
    return row.model_copy(update=values)


def full_work() -> Work:
    """Work in which everything has a value that is not its default."""
    return Work(
        upload=UPLOAD,
        run=3,
        stage=Stage.ESCALATION,
        draft=full_row(),
        forced=True,
        rev=7,
        owner="somebody",
        lease_until=LATER,
        alone=True,
        crashes=1,
        failures=2,
        refusals=3,
        refused_since=LATER,
        put_backs=4,
        due=LATER,
        superseded=True,
        eyes=True,
        reserved=RESERVED,
        unsettled=(RESERVED, replace(RESERVED, by="another", accounts=())),
        over_cap=OverCapBy(account="stack", usd=Decimal("0.02")),
        replies={
            Tier.FAST: replace(reply(), left_out_tokens=9, allowance=Allowance(requests=60)),
            Tier.STRONG: replace(reply(text='{"half'), request_id=None, reused=True),
        },
        signals={
            Tier.FAST: Signals(defect="refused"),
            Tier.STRONG: Signals(
                issue="truncated", confidence=60, margin=20, quotes_missing=2, second_opinion=True
            ),
        },
    )


ANSWER = Answer(team="finance", key="k", run=2, rev=1, owner="somebody", lease_until=LATER, reply=reply())
GATE = Gate(rev=1, is_closed=True, until=LATER, waiting_for="spend_cap", detail="no more", probe_until=LATER)
ENTRIES: dict[str, Entry] = {
    "work": work(rev=1),
    "all of work": full_work(),
    "answer": Answer(team="-", key="k", run=1, rev=1),
    "all of an answer": ANSWER,
    "gate": Gate(rev=1),
    "all of a gate": GATE,
    "row": record(),
    "all of a row": full_row(),
}
each_entry = pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)


def put(ledger: Ledger, *entries: Entry) -> None:
    assert ledger.swap(*[Swap(before=None, after=each) for each in entries])


def found(ledger: Ledger, entry: Entry) -> Entry | None:
    """What stands in the place of this entry."""
    match entry:
        case Work():
            return ledger.work(entry.upload, entry.run)
        case Answer():
            return ledger.answer(entry.team, entry.key)
        case Gate():
            return ledger.gate()
        case Record():
            return ledger.row(entry.document)


def changed(entry: Entry) -> Entry:
    """The entry's next state."""
    if isinstance(entry, Record):
        return entry.model_copy(update={"status": Status.NEEDS_REVIEW, "title": "changed"})
    return replace(entry, rev=entry.rev + 1)


@each_entry
def test_where_nothing_was_written_nothing_is_found(ledger: Ledger, entry: Entry) -> None:
    assert found(ledger, entry) is None


@each_entry
def test_what_was_written_comes_back_whole(ledger: Ledger, entry: Entry) -> None:
    put(ledger, entry)
    assert found(ledger, entry) == entry


@each_entry
def test_what_was_changed_comes_back_as_it_was_changed(ledger: Ledger, entry: Entry) -> None:
    put(ledger, entry)
    assert ledger.swap(Swap(before=entry, after=changed(entry)))
    assert found(ledger, entry) == changed(entry)


@each_entry
def test_what_is_there_is_not_written_as_if_it_were_not(ledger: Ledger, entry: Entry) -> None:
    put(ledger, entry)
    assert not ledger.swap(Swap(before=None, after=changed(entry)))
    assert found(ledger, entry) == entry


@each_entry
def test_what_is_not_there_is_not_written_as_if_it_were(ledger: Ledger, entry: Entry) -> None:
    assert not ledger.swap(Swap(before=entry, after=changed(entry)))
    assert found(ledger, entry) is None


@each_entry
def test_what_has_changed_meanwhile_is_not_written_over(ledger: Ledger, entry: Entry) -> None:
    put(ledger, entry)
    assert ledger.swap(Swap(before=entry, after=changed(entry)))
    assert not ledger.swap(Swap(before=entry, after=changed(entry)))
    assert found(ledger, entry) == changed(entry)


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
def test_whatever_of_a_row_has_changed_it_is_not_written_over(ledger: Ledger, row: Record, name: str) -> None:
    put(ledger, row.model_copy(update={name: ROW_CHANGES[name]}))
    assert not ledger.swap(Swap(before=row, after=record(status=Status.FAILED)))


@pytest.mark.parametrize("stale", [0, 1, 2], ids=["the first", "one between", "the last"])
def test_all_is_written_or_nothing(ledger: Ledger, stale: int) -> None:
    before: list[Entry] = [work(rev=1), record(status=Status.PROCESSING), ANSWER]
    put(ledger, *before)
    after = [changed(each) for each in before]
    swaps = [Swap(before=old, after=new) for old, new in zip(before, after, strict=True)]
    late = [*swaps]
    late[stale] = Swap(before=after[stale], after=after[stale])
    assert not ledger.swap(*late)
    assert [found(ledger, each) for each in before] == before
    assert ledger.swap(*swaps)
    assert [found(ledger, each) for each in before] == after


def test_runs_versions_teams_and_questions_stand_apart(ledger: Ledger) -> None:
    entries: list[Entry] = [
        *[work(upload(version=version), run=run, rev=run) for version in ("v1", "v10") for run in (1, 2)],
        *[replace(ANSWER, team=team, key=key) for team in ("a", "b") for key in ("k", "l")],
    ]
    put(ledger, *entries)
    assert [found(ledger, each) for each in entries] == entries


@pytest.mark.parametrize("text", ["", "Grüße 😀\u0000 \u2028", "{" * 5000], ids=["empty", "odd", "long"])
def test_a_reply_is_kept_as_it_came(ledger: Ledger, text: str) -> None:
    said: Reply = reply("max_tokens", text)
    put(ledger, work(rev=1, replies={Tier.FAST: said}))
    kept = ledger.work(upload(), 1)
    assert kept
    assert kept.replies == {Tier.FAST: said}


def test_the_latest_work_is_that_of_the_highest_run(ledger: Ledger) -> None:
    runs = [work(run=run, rev=1) for run in (2, 10, 9, 1)]
    put(
        ledger,
        *runs,
        work(upload(version="v10"), run=99, rev=1),
        work(upload("finance/b.txt"), run=98, rev=1),
    )
    assert ledger.latest(upload()) == runs[1]
    assert ledger.latest(upload(version="v2")) is None


def due_at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def open_work(name: str, seconds: float | None) -> Work:
    return work(upload(f"finance/{name}.txt"), rev=1, due=None if seconds is None else due_at(seconds))


def test_open_work_is_found_when_it_is_due_the_longest_due_first(ledger: Ledger) -> None:
    third, first, second = open_work("a", 30), open_work("b", 10), open_work("c", 20)
    put(ledger, third, first, second, open_work("later", 31), open_work("ended", None))
    assert ledger.due(due_at(30), 10) == [first, second, third]
    assert ledger.due(due_at(30), 2) == [first, second]
    assert ledger.due(due_at(9), 10) == []


def test_work_that_has_ended_is_due_no_more_and_what_is_put_off_later(ledger: Ledger) -> None:
    ends, waits = open_work("a", 10), open_work("b", 10)
    put(ledger, ends, waits)
    assert ledger.swap(
        Swap(before=ends, after=replace(ends, rev=2, due=None)),
        Swap(before=waits, after=replace(waits, rev=2, due=due_at(50))),
    )
    assert ledger.due(due_at(49), 10) == []
    assert ledger.due(due_at(50), 10) == [replace(waits, rev=2, due=due_at(50))]


def test_a_version_of_any_name_is_found(ledger: Ledger) -> None:
    odd: Upload = upload("Büro/a#b.txt", "null")
    put(ledger, work(odd, rev=1))
    assert ledger.latest(odd) == ledger.work(odd, 1) == work(odd, rev=1)


@pytest.mark.parametrize("is_begun", [True, False], ids=["begun", "new"])
@pytest.mark.parametrize("is_shown", [True, False], ids=["shown", "not shown"])
def test_work_and_row_are_read_together(ledger: Ledger, is_begun: bool, is_shown: bool) -> None:
    mine, row = full_work(), full_row()
    if is_begun:
        assert ledger.swap(Swap(before=None, after=mine))
    if is_shown:
        assert ledger.swap(Swap(before=None, after=row))
    assert ledger.state(UPLOAD, mine.run) == (mine if is_begun else None, row if is_shown else None)
    assert ledger.state(UPLOAD, mine.run + 1)[0] is None
