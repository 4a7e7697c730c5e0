"""Many at once over HTTP, each transaction as atomic as DynamoDB's: one wins, the others are told."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import cast

import pytest

from pigeonhole.adapters.dynamodb import DynamoStore
from pigeonhole.domain.document import Stage
from pigeonhole.domain.errors import TryLater
from pigeonhole.domain.record import Record
from pigeonhole.domain.row_attributes import Status
from pigeonhole.jobs.stored import Write
from tests.contract import moto_cloud
from tests.support.builders import World, created, job, record, reply, upload
from tests.support.fakes import START, FakeStore

AT_ONCE, ROUNDS = 8, 3


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoStore]:
    moto_cloud.isolate(monkeypatch)
    with moto_cloud.served() as url:
        dynamodb = moto_cloud.client("dynamodb", endpoint_url=url)
        moto_cloud.make_tables(dynamodb)
        yield DynamoStore(dynamodb, documents=moto_cloud.DOCUMENTS, ledger=moto_cloud.LEDGER)


def race(step: Callable[[int], bool]) -> Counter[bool]:
    """What comes of the steps 0, 1, … when they begin at the same moment."""
    barrier = threading.Barrier(AT_ONCE)

    def run(number: int) -> bool:
        barrier.wait()
        try:
            return step(number)
        except TryLater:
            return False

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(run, range(AT_ONCE)))


@pytest.mark.parametrize("number", range(ROUNDS))
def test_of_many_who_begin_the_same_job_at_once_one_wins(store: DynamoStore, number: int) -> None:
    of = upload(f"finance/{number}.txt")

    def begin(name: int) -> bool:
        mine = job(of, revision=1, owner=str(name))
        return store.commit(Write(before=None, after=mine), Write(before=None, after=mine.draft))

    assert race(begin) == {True: 1, False: AT_ONCE - 1}


@pytest.mark.parametrize("number", range(ROUNDS))
def test_of_many_who_change_the_same_two_rows_at_once_one_wins(store: DynamoStore, number: int) -> None:
    of = upload(f"finance/{number}.txt")
    before = job(of, revision=1)
    assert store.commit(Write(before=None, after=before), Write(before=None, after=before.draft))

    def change(name: int) -> bool:
        done = Record.new(of, 1, START).to(Status.DONE, START, title=str(name))
        row = Write.of(before.draft, done).after
        task = replace(before.task, stage=Stage.ENDED)
        after = replace(before, revision=2, task=task, draft=row)
        writes = Write(before=before, after=after), Write(before=before.draft, after=row)
        return store.commit(*(writes if name % 2 else reversed(writes)))

    assert race(change) == {True: 1, False: AT_ONCE - 1}
    found = store.job(of, 1)
    assert found
    assert found.draft == store.row(of.document)


def test_of_many_invocations_about_one_upload_at_once_one_asks(store: DynamoStore) -> None:
    world = World(store=cast("FakeStore", store))  # the real one in its place
    of = world.put(upload(), "Amount due: 12")
    world.claude.answers += [reply()] * AT_ONCE

    def step(_: int) -> bool:
        world.triage(created(of))
        return True

    race(step)
    assert len(world.claude.requests) == 1
    row = store.row(of.document)
    assert row
    assert row.status is Status.DONE
    assert row.outcome_id == record(of).outcome_id
