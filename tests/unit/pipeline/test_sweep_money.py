"""A job over a cap: it goes on by itself when there is money, the oldest first, and as far as that goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from pigeonhole.domain.errors import StopAll, TryLater, WaitReason
from pigeonhole.domain.row_attributes import Status
from pigeonhole.domain.upload import Upload
from pigeonhole.jobs.job import Task
from pigeonhole.jobs.stored import BreakerState
from pigeonhole.money.account import STACK, Cap, account_of
from pigeonhole.pipeline import sweep
from tests.support.builders import World, breaks, reply, upload
from tests.support.fakes import START

MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
NONE, ROOMY = Decimal("0.0001"), Decimal(10)
FINANCE = account_of("finance")


def cap(day: Decimal, month: Decimal = Decimal(100)) -> Cap:
    return Cap(day=day, month=month)


def over_cap(*keys: str, **caps: Cap) -> World:
    """A world in which these are parked for money, each uploaded an hour before the one before it."""
    world = World(caps={STACK: cap(ROOMY)} | {name.replace("_", ":"): each for name, each in caps.items()})
    for key in keys:
        park(world, key, hours=keys.index(key))
    return world


def park(world: World, key: str, hours: int = 0) -> Upload:
    of = replace(upload(key), uploaded_at=START - timedelta(hours=hours))
    world.put(of, f"Amount due: 12 for {key}")
    world.triage(Task(upload=of), world.invocation())
    assert world.row(of).status is Status.PARKED
    return of


def sent(world: World) -> list[str]:
    """What one sweep sends on."""
    world.queues.tasks.clear()
    world.sweep()
    return [task.upload.key for task in world.queues.tasks]


def price(world: World) -> Decimal:
    """What each of them may cost; they differ by nothing but a letter."""
    prices = {job.charges.over_cap.usd for job in world.store.jobs.values() if job.charges.over_cap}
    return max(prices)


KEYS = ("a/1", "a/2", "a/3", "a/4")
OLDEST_FIRST = ["a/4", "a/3", "a/2", "a/1"]


def test_while_the_cap_is_used_up_nothing_is_sent():
    world = over_cap(*KEYS, stack=cap(NONE))
    world.clock.pass_by(3600)

    assert sent(world) == []
    assert {job.draft.status for job in world.store.jobs.values()} == {Status.PARKED}


def test_when_the_day_is_over_it_goes_on_the_oldest_upload_first():
    world = over_cap(*KEYS, stack=cap(NONE))
    world.caps[STACK] = cap(ROOMY)
    world.clock.time = MIDNIGHT + timedelta(seconds=1)

    assert sent(world) == OLDEST_FIRST


def test_when_the_month_is_over_it_goes_on_and_not_when_the_day_is():
    world = over_cap(*KEYS, stack=cap(ROOMY, NONE))
    world.clock.time = MIDNIGHT + timedelta(hours=1)
    assert sent(world) == []
    world.caps[STACK] = cap(ROOMY)
    world.clock.time = DECEMBER + timedelta(seconds=1)

    assert sent(world) == OLDEST_FIRST


@pytest.mark.parametrize("was", [cap(NONE), cap(ROOMY, NONE)], ids=["day", "month"])
def test_when_the_cap_is_raised_it_goes_on_before_its_time(was):
    world = over_cap(*KEYS, stack=was)
    world.caps[STACK] = cap(ROOMY)

    assert sent(world) == OLDEST_FIRST


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("at", [START, MIDNIGHT + timedelta(seconds=1)], ids=["raised", "a new day"])
def test_it_goes_on_only_as_far_as_there_is_headroom(count, at):
    world = over_cap(*KEYS, stack=cap(NONE))
    world.caps[STACK] = cap(price(world) * count + NONE)
    world.clock.time = at

    assert sent(world) == OLDEST_FIRST[:count]


def test_what_there_was_no_headroom_for_on_the_new_day_goes_before_what_came_after_it():
    world = over_cap(*KEYS, stack=cap(NONE))
    world.clock.time = MIDNIGHT + timedelta(seconds=1)
    assert sent(world) == []
    world.clock.pass_by(100)
    newer = replace(upload("a/5"), uploaded_at=world.clock.now())
    world.put(newer, "Amount due: 12 for a/5")
    world.triage(Task(upload=newer), world.invocation())
    world.clock.pass_by(60)
    world.caps[STACK] = cap(price(world) * 2 + NONE)

    assert sent(world) == OLDEST_FIRST[:2]


def test_what_there_was_no_headroom_for_goes_on_with_the_next_day():
    world = over_cap(*KEYS, stack=cap(NONE))
    for day in (1, 2):
        world.clock.time = MIDNIGHT + timedelta(days=day - 1, seconds=1)
        assert sent(world) == []
    world.caps[STACK] = cap(ROOMY)
    world.clock.time = MIDNIGHT + timedelta(days=2, seconds=1)

    assert sent(world) == OLDEST_FIRST


def test_what_was_sent_goes_its_way_and_is_not_sent_again():
    world = over_cap("a/1", stack=cap(NONE))
    world.caps[STACK] = cap(ROOMY)
    world.sweep()
    world.claude.answers += [reply()]
    (task,) = world.queues.tasks
    world.triage(task, world.invocation())

    assert sent(world) == []
    assert world.row(task.upload).status is Status.DONE
    assert world.job(task.upload).charges.over_cap is None


def test_what_was_sent_and_lost_is_sent_again():
    world = over_cap("a/1", stack=cap(NONE))
    world.caps[STACK] = cap(ROOMY)
    assert sent(world) == ["a/1"]
    world.clock.pass_by(2 * 720 + 1)

    assert sent(world) == ["a/1"]


def test_one_teams_wait_does_not_hold_others():
    world = over_cap("finance/1", "finance/2", team_finance=cap(NONE))
    world.caps[STACK] = cap(NONE)
    park(world, "legal/1")
    world.caps[STACK] = cap(ROOMY)

    assert sent(world) == ["legal/1"]


def test_however_many_of_one_team_wait_they_hide_no_others(monkeypatch):
    monkeypatch.setattr(sweep, "_AT_ONCE", 2)
    world = over_cap("finance/1", "finance/2", "finance/3", team_finance=cap(NONE))
    world.caps[STACK] = cap(NONE)
    park(world, "legal/1")
    world.caps[STACK] = cap(ROOMY)

    assert sent(world) == ["legal/1"]


def test_a_teams_jobs_wait_for_the_teams_own_headroom():
    world = over_cap("finance/1", "finance/2", team_finance=cap(NONE))
    world.caps[FINANCE] = cap(price(world))

    assert sent(world) == ["finance/2"]


def test_for_a_teams_jobs_there_must_be_headroom_under_the_stacks_cap_too():
    world = over_cap("finance/1", "finance/2", team_finance=cap(NONE))
    world.caps |= {FINANCE: cap(ROOMY), STACK: cap(price(world))}

    assert sent(world) == ["finance/2"]


@pytest.mark.parametrize("at", [START, MIDNIGHT + timedelta(seconds=1)], ids=["before midnight", "after it"])
def test_where_a_teams_cap_was_taken_away_its_jobs_go_on(at):
    world = over_cap("finance/1", "finance/2", team_finance=cap(NONE))
    del world.caps[FINANCE]
    world.clock.time = at

    assert sent(world) == ["finance/2", "finance/1"]


def test_two_sweeps_at_once_send_twice_and_nothing_is_paid_for_twice():
    world = over_cap("a/1", "a/2", stack=cap(NONE))
    world.caps[STACK] = cap(price(world) + NONE)
    waiting = world.store.jobs_over_cap(MIDNIGHT, lambda wait: True, 10)
    world.sweep()

    def lags(until, fits, limit):
        return [job for job in waiting if until == MIDNIGHT and fits(job.charges.over_cap)]

    world.store.jobs_over_cap = lags  # type: ignore[method-assign]
    world.sweep()
    world.claude.answers += [reply(), reply()]
    for task in list(world.queues.tasks):
        world.triage(task, world.invocation())

    assert len(world.queues.tasks) == 2
    assert len(world.claude.requests) == 1


def test_what_could_not_be_marked_goes_on_all_the_same():
    world = over_cap("a/1", stack=cap(NONE))
    world.caps[STACK] = cap(ROOMY)
    breaks(world.store, "commit", TryLater("TransactionConflict", seconds=2))

    assert sent(world) == ["a/1"]


def test_while_the_circuit_breaker_is_tripped_nothing_goes_on_however_much_money_there_is():
    world = over_cap(*KEYS, stack=cap(NONE))
    world.caps[STACK] = cap(ROOMY)
    world.store.breakers["claude"] = BreakerState(revision=1, is_tripped=True)
    assert sent(world) == []
    world.clock.time = MIDNIGHT + timedelta(seconds=1)
    assert sent(world) == []
    world.store.breakers.clear()
    world.clock.pass_by(301)

    assert sent(world) == OLDEST_FIRST


def test_when_the_circuit_breaker_is_half_open_the_oldest_of_them_is_sent():
    world = over_cap(*KEYS, stack=cap(NONE))
    world.caps[STACK] = cap(ROOMY)
    world.store.breakers["claude"] = BreakerState(revision=1, is_tripped=True, until=START)
    world.clock.pass_by(1)

    assert sent(world) == OLDEST_FIRST[:1]


def test_what_waits_for_claude_needs_no_headroom():
    world = World(caps={STACK: cap(ROOMY)})
    of = world.put(upload("a/1"), "Amount due: 12")
    world.claude.answers += [StopAll(WaitReason.CREDENTIALS, "401")]
    world.triage(Task(upload=of), world.invocation())
    world.caps[STACK] = cap(NONE)
    world.store.breakers.clear()
    world.clock.pass_by(901)

    assert sent(world) == ["a/1"]
