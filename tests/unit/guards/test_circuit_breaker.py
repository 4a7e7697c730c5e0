"""The gate: it closes for as long as Claude said, is learned within seconds, and opens by one call."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pigeonhole.domain.document import StopAll, TryLater
from pigeonhole.guards.circuit_breaker import Gatekeeper
from pigeonhole.ports import Gate
from tests.support.builders import World, breaks
from tests.support.fakes import START

BUSY = TryLater("overloaded", seconds=60, busy=True)
LIMIT = StopAll("spend_cap", "the month's limit")
THROTTLED = TryLater("DynamoDB", seconds=2)


def container(world: World) -> Gatekeeper:
    return Gatekeeper(world.ledger, world.clock)


def closed(error: TryLater | StopAll) -> World:
    world = World()
    container(world).closed(error)
    return world


def gate(world: World) -> Gate:
    return world.ledger.gates["claude"]


def until(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_before_anybody_closed_it_the_gate_is_open():
    assert container(World()).enter(45) is False


def test_a_short_wait_only_delays_for_as_long_as_was_asked():
    world = closed(BUSY)
    world.clock.pass_by(10)

    with pytest.raises(TryLater) as told:
        container(world).enter(45)
    assert (told.value.seconds, told.value.busy, told.value.billed) == (50, False, False)


@pytest.mark.parametrize(("seconds", "error"), [(900, TryLater), (901, StopAll)])
def test_what_lasts_longer_than_fifteen_minutes_parks(seconds, error):
    world = closed(TryLater("overloaded", seconds=seconds, busy=True))

    with pytest.raises(error):
        container(world).enter(45)


def test_what_has_no_end_parks_and_says_why():
    world = closed(LIMIT)
    world.clock.pass_by(10**7)

    with pytest.raises(StopAll) as told:
        container(world).enter(45)
    assert (told.value.waiting_for, told.value.detail, told.value.until) == (
        "spend_cap",
        "the month's limit",
        None,
    )


def test_what_ends_by_the_calendar_parks_until_then():
    world = closed(StopAll("spend_cap", "the day's limit", until=until(86_400)))

    with pytest.raises(StopAll) as told:
        container(world).enter(45)
    assert told.value.until == until(86_400)


def test_when_its_time_has_come_one_probes_and_the_others_wait():
    world = closed(BUSY)
    world.clock.pass_by(60)

    assert container(world).enter(45) is True
    with pytest.raises(TryLater, match="one document tries the gate"):
        container(world).enter(45)


def test_of_two_that_saw_the_gate_at_once_one_probes():
    world = closed(BUSY)
    world.clock.pass_by(58)
    one, other = container(world), container(world)
    for each in (one, other):
        with pytest.raises(TryLater):
            each.enter(45)
    world.clock.pass_by(2)

    assert one.enter(45) is True
    with pytest.raises(TryLater, match="one document tries the gate"):
        other.enter(45)


def test_a_probe_that_came_through_opens_the_gate():
    world = closed(BUSY)
    world.clock.pass_by(60)
    prober = container(world)
    prober.enter(45)
    prober.opened()

    assert (prober.enter(45), container(world).enter(45)) == (False, False)


def test_a_probe_that_was_refused_closes_the_gate_again():
    world = closed(BUSY)
    world.clock.pass_by(60)
    prober = container(world)
    prober.enter(45)
    prober.closed(BUSY)

    assert (gate(world).is_closed, gate(world).until) == (True, until(120))


def test_after_a_probe_that_never_came_back_another_tries():
    world = closed(BUSY)
    world.clock.pass_by(60)
    container(world).enter(45)
    world.clock.pass_by(151)

    assert container(world).enter(45) is True


@pytest.mark.parametrize(
    ("first", "second", "waiting_for", "ends"),
    [
        (BUSY, LIMIT, "spend_cap", None),
        (LIMIT, BUSY, "spend_cap", None),
        (BUSY, TryLater("overloaded", seconds=90, busy=True), "claude", until(90)),
        (BUSY, TryLater("overloaded", seconds=30, busy=True), "claude", until(60)),
    ],
    ids=["endless after short", "short after endless", "longer", "shorter"],
)
def test_the_longest_closing_counts(first, second, waiting_for, ends):
    world = closed(first)
    container(world).closed(second)

    assert (gate(world).waiting_for, gate(world).until) == (waiting_for, ends)


def test_what_a_container_saw_is_good_for_five_seconds():
    world = World()
    mine = container(world)
    mine.enter(45)
    container(world).closed(LIMIT)
    world.clock.pass_by(5)
    assert mine.enter(45) is False

    world.clock.pass_by(0.1)
    with pytest.raises(StopAll):
        mine.enter(45)


def test_a_thousand_documents_read_the_gate_once_in_five_seconds():
    world, reads = World(), []
    mine, read = container(world), world.ledger.gate

    def counted() -> Gate | None:
        reads.append(world.clock.now())
        return read()

    world.ledger.gate = counted  # type: ignore[method-assign]
    for _ in range(1000):
        mine.enter(45)
        world.clock.pass_by(0.01)

    assert len(reads) == 2


def test_who_closed_the_gate_knows_at_once():
    world = World()
    mine = container(world)
    mine.enter(45)
    mine.closed(LIMIT)

    with pytest.raises(StopAll):
        mine.enter(45)


@pytest.mark.parametrize("method", ["gate", "swap"])
def test_a_closing_that_could_not_be_written_is_learned_by_the_next_call(method):
    world = World()
    breaks(world.ledger, method, THROTTLED)
    container(world).closed(LIMIT)

    assert container(world).enter(45) is False


@pytest.mark.parametrize("method", ["gate", "swap"])
def test_an_opening_that_could_not_be_written_leaves_the_gate_to_another_probe(method):
    world = closed(BUSY)
    world.clock.pass_by(60)
    prober = container(world)
    prober.enter(45)
    breaks(world.ledger, method, THROTTLED)
    prober.opened()
    world.clock.pass_by(151)

    assert container(world).enter(45) is True
