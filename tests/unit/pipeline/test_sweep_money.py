"""Work over a cap: it goes on by itself when there is money, the oldest first, and as far as that goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from pigeonhole.domain.document import StopAll, TryLater, Upload
from pigeonhole.domain.record import Status
from pigeonhole.guards.budget import STACK, account_of
from pigeonhole.jobs.job import Order
from pigeonhole.money.account import Cap
from pigeonhole.pipeline import upkeep
from pigeonhole.pipeline.process import triage
from pigeonhole.pipeline.upkeep import sweep
from pigeonhole.ports import Gate
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
    made = World(caps={STACK: cap(ROOMY)} | {name.replace("_", ":"): each for name, each in caps.items()})
    for key in keys:
        park(made, key, hours=keys.index(key))
    return made


def park(made: World, key: str, hours: int = 0) -> Upload:
    of = replace(upload(key), uploaded_at=START - timedelta(hours=hours))
    made.put(of, f"Amount due: 12 for {key}")
    triage(Order(upload=of), made.parts, made.shift())
    assert made.row(of).status is Status.PARKED
    return of


def sent(made: World) -> list[str]:
    """What one sweep sends on."""
    made.queues.orders.clear()
    sweep(made.parts)
    return [order.upload.key for order in made.queues.orders]


def price(made: World) -> Decimal:
    """What each of them may cost; they differ by nothing but a letter."""
    prices = {work.over_cap.usd for work in made.ledger.works.values() if work.over_cap}
    return max(prices)


KEYS = ("a/1", "a/2", "a/3", "a/4")
OLDEST_FIRST = ["a/4", "a/3", "a/2", "a/1"]


def test_while_the_cap_is_used_up_nothing_is_sent():
    made = over_cap(*KEYS, stack=cap(NONE))
    made.clock.pass_by(3600)

    assert sent(made) == []
    assert {work.draft.status for work in made.ledger.works.values()} == {Status.PARKED}


def test_when_the_day_is_over_it_goes_on_the_oldest_upload_first():
    made = over_cap(*KEYS, stack=cap(NONE))
    made.caps[STACK] = cap(ROOMY)
    made.clock.time = MIDNIGHT + timedelta(seconds=1)

    assert sent(made) == OLDEST_FIRST


def test_when_the_month_is_over_it_goes_on_and_not_when_the_day_is():
    made = over_cap(*KEYS, stack=cap(ROOMY, NONE))
    made.clock.time = MIDNIGHT + timedelta(hours=1)
    assert sent(made) == []
    made.caps[STACK] = cap(ROOMY)
    made.clock.time = DECEMBER + timedelta(seconds=1)

    assert sent(made) == OLDEST_FIRST


@pytest.mark.parametrize("was", [cap(NONE), cap(ROOMY, NONE)], ids=["day", "month"])
def test_when_the_cap_is_raised_it_goes_on_before_its_time(was):
    made = over_cap(*KEYS, stack=was)
    made.caps[STACK] = cap(ROOMY)

    assert sent(made) == OLDEST_FIRST


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("at", [START, MIDNIGHT + timedelta(seconds=1)], ids=["raised", "a new day"])
def test_it_goes_on_only_as_far_as_there_is_room(count, at):
    made = over_cap(*KEYS, stack=cap(NONE))
    made.caps[STACK] = cap(price(made) * count + NONE)
    made.clock.time = at

    assert sent(made) == OLDEST_FIRST[:count]


def test_what_there_was_no_room_for_on_the_new_day_goes_before_what_came_after_it():
    made = over_cap(*KEYS, stack=cap(NONE))
    made.clock.time = MIDNIGHT + timedelta(seconds=1)
    assert sent(made) == []
    made.clock.pass_by(100)
    newer = replace(upload("a/5"), uploaded_at=made.clock.now())
    made.put(newer, "Amount due: 12 for a/5")
    triage(Order(upload=newer), made.parts, made.shift())
    made.clock.pass_by(60)
    made.caps[STACK] = cap(price(made) * 2 + NONE)

    assert sent(made) == OLDEST_FIRST[:2]


def test_what_there_was_no_room_for_goes_on_with_the_next_day():
    made = over_cap(*KEYS, stack=cap(NONE))
    for day in (1, 2):
        made.clock.time = MIDNIGHT + timedelta(days=day - 1, seconds=1)
        assert sent(made) == []
    made.caps[STACK] = cap(ROOMY)
    made.clock.time = MIDNIGHT + timedelta(days=2, seconds=1)

    assert sent(made) == OLDEST_FIRST


def test_what_was_sent_goes_its_way_and_is_not_sent_again():
    made = over_cap("a/1", stack=cap(NONE))
    made.caps[STACK] = cap(ROOMY)
    sweep(made.parts)
    made.analyst.answers += [reply()]
    (order,) = made.queues.orders
    triage(order, made.parts, made.shift())

    assert sent(made) == []
    assert made.row(order.upload).status is Status.DONE
    assert made.work(order.upload).over_cap is None


def test_what_was_sent_and_lost_is_sent_again():
    made = over_cap("a/1", stack=cap(NONE))
    made.caps[STACK] = cap(ROOMY)
    assert sent(made) == ["a/1"]
    made.clock.pass_by(2 * 720 + 1)

    assert sent(made) == ["a/1"]


def test_one_teams_wait_does_not_hold_others():
    made = over_cap("finance/1", "finance/2", team_finance=cap(NONE))
    made.caps[STACK] = cap(NONE)
    park(made, "legal/1")
    made.caps[STACK] = cap(ROOMY)

    assert sent(made) == ["legal/1"]


def test_however_many_of_one_team_wait_they_hide_no_others(monkeypatch):
    monkeypatch.setattr(upkeep, "_AT_ONCE", 2)
    made = over_cap("finance/1", "finance/2", "finance/3", team_finance=cap(NONE))
    made.caps[STACK] = cap(NONE)
    park(made, "legal/1")
    made.caps[STACK] = cap(ROOMY)

    assert sent(made) == ["legal/1"]


def test_the_teams_own_room_is_what_its_work_waits_for():
    made = over_cap("finance/1", "finance/2", team_finance=cap(NONE))
    made.caps[FINANCE] = cap(price(made))

    assert sent(made) == ["finance/2"]


def test_for_a_teams_work_there_must_be_room_under_the_stacks_cap_too():
    made = over_cap("finance/1", "finance/2", team_finance=cap(NONE))
    made.caps |= {FINANCE: cap(ROOMY), STACK: cap(price(made))}

    assert sent(made) == ["finance/2"]


@pytest.mark.parametrize("at", [START, MIDNIGHT + timedelta(seconds=1)], ids=["before midnight", "after it"])
def test_where_a_teams_cap_was_taken_away_its_work_goes_on(at):
    made = over_cap("finance/1", "finance/2", team_finance=cap(NONE))
    del made.caps[FINANCE]
    made.clock.time = at

    assert sent(made) == ["finance/2", "finance/1"]


def test_two_sweeps_at_once_send_twice_and_nothing_is_paid_for_twice():
    made = over_cap("a/1", "a/2", stack=cap(NONE))
    made.caps[STACK] = cap(price(made) + NONE)
    waiting = made.ledger.over_cap(MIDNIGHT, lambda by: True, 10)
    sweep(made.parts)

    def lags(until, pays, limit):
        return [work for work in waiting if until == MIDNIGHT and pays(work.over_cap)]

    made.ledger.over_cap = lags  # type: ignore[method-assign]
    sweep(made.parts)
    made.analyst.answers += [reply(), reply()]
    for order in list(made.queues.orders):
        triage(order, made.parts, made.shift())

    assert len(made.queues.orders) == 2
    assert len(made.analyst.requests) == 1


def test_what_could_not_be_marked_goes_on_all_the_same():
    made = over_cap("a/1", stack=cap(NONE))
    made.caps[STACK] = cap(ROOMY)
    breaks(made.ledger, "swap", TryLater("TransactionConflict", seconds=2))

    assert sent(made) == ["a/1"]


def test_while_claude_says_stop_nothing_goes_on_however_much_there_is():
    made = over_cap(*KEYS, stack=cap(NONE))
    made.caps[STACK] = cap(ROOMY)
    made.ledger.gates["claude"] = Gate(rev=1, is_closed=True)
    assert sent(made) == []
    made.clock.time = MIDNIGHT + timedelta(seconds=1)
    assert sent(made) == []
    made.ledger.gates.clear()
    made.clock.pass_by(301)

    assert sent(made) == OLDEST_FIRST


def test_when_the_gate_may_open_the_oldest_of_them_tries_it():
    made = over_cap(*KEYS, stack=cap(NONE))
    made.caps[STACK] = cap(ROOMY)
    made.ledger.gates["claude"] = Gate(rev=1, is_closed=True, until=START)
    made.clock.pass_by(1)

    assert sent(made) == OLDEST_FIRST[:1]


def test_what_waits_for_claude_needs_no_room():
    made = World(caps={STACK: cap(ROOMY)})
    of = made.put(upload("a/1"), "Amount due: 12")
    made.analyst.answers += [StopAll("credentials", "401")]
    triage(Order(upload=of), made.parts, made.shift())
    made.caps[STACK] = cap(NONE)
    made.ledger.gates.clear()
    made.clock.pass_by(901)

    assert sent(made) == ["a/1"]
