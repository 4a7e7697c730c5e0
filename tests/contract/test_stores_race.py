"""Many at once over HTTP, each transaction as atomic as DynamoDB's: one wins, the others are told."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import cast

import pytest

from pigeonhole.adapters.dynamodb import DynamoLedger
from pigeonhole.domain.document import Stage, TryLater
from pigeonhole.domain.record import Status, begun
from pigeonhole.pipeline.process import triage
from pigeonhole.ports import Swap
from tests.contract import moto_cloud
from tests.support.builders import SHIFT, World, created, record, reply, upload, work
from tests.support.fakes import START, FakeLedger

AT_ONCE, ROUNDS = 8, 3


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoLedger]:
    moto_cloud.isolate(monkeypatch)
    with moto_cloud.served() as url:
        dynamodb = moto_cloud.client("dynamodb", endpoint_url=url)
        moto_cloud.make_tables(dynamodb)
        yield DynamoLedger(dynamodb, documents=moto_cloud.DOCUMENTS, ledger=moto_cloud.LEDGER)


def race(step: Callable[[int], bool]) -> Counter[bool]:
    """What comes of the steps 0, 1, … when they begin at the same moment."""
    gate = threading.Barrier(AT_ONCE)

    def run(number: int) -> bool:
        gate.wait()
        try:
            return step(number)
        except TryLater:
            return False

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(run, range(AT_ONCE)))


@pytest.mark.parametrize("number", range(ROUNDS))
def test_of_many_who_begin_the_same_work_at_once_one_wins(ledger: DynamoLedger, number: int) -> None:
    of = upload(f"finance/{number}.txt")

    def begin(name: int) -> bool:
        mine = work(of, rev=1, owner=str(name))
        return ledger.swap(Swap(before=None, after=mine), Swap(before=None, after=mine.draft))

    assert race(begin) == {True: 1, False: AT_ONCE - 1}


@pytest.mark.parametrize("number", range(ROUNDS))
def test_of_many_who_change_the_same_two_rows_at_once_one_wins(ledger: DynamoLedger, number: int) -> None:
    of = upload(f"finance/{number}.txt")
    before = work(of, rev=1)
    assert ledger.swap(Swap(before=None, after=before), Swap(before=None, after=before.draft))

    def change(name: int) -> bool:
        row = begun(of, 1, START).to(Status.DONE, START, title=str(name))
        after = replace(before, rev=2, stage=Stage.ENDED, draft=row)
        swaps = Swap(before=before, after=after), Swap(before=before.draft, after=row)
        return ledger.swap(*(swaps if name % 2 else reversed(swaps)))

    assert race(change) == {True: 1, False: AT_ONCE - 1}
    kept = ledger.work(of, 1)
    assert kept
    assert kept.draft == ledger.row(of.document)


def test_of_many_invocations_about_one_upload_at_once_one_asks(ledger: DynamoLedger) -> None:
    made = World(ledger=cast("FakeLedger", ledger))  # the real one in its place
    of = made.put(upload(), "Amount due: 12")
    made.analyst.answers += [reply()] * AT_ONCE

    def step(_: int) -> bool:
        triage(created(of), made.parts, SHIFT)
        return True

    race(step)
    assert len(made.analyst.requests) == 1
    row = ledger.row(of.document)
    assert row
    assert row.status is Status.DONE
    assert row.outcome_id == record(of).outcome_id
