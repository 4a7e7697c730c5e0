"""The circuit breaker: it trips for as long as Claude said, all know within seconds, one call resets it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pigeonhole.domain.errors import RetryCause, StopAll, TryLater, WaitReason
from pigeonhole.guards.circuit_breaker import CircuitBreaker
from pigeonhole.jobs.stored import BreakerState
from tests.support.builders import World, breaks
from tests.support.fakes import START

BUSY = TryLater("overloaded", seconds=60, cause=RetryCause.THROTTLED)
LIMIT = StopAll(WaitReason.SPEND_CAP, "the month's limit")
THROTTLED = TryLater("DynamoDB", seconds=2)


def container(world: World) -> CircuitBreaker:
    return CircuitBreaker(world.store, world.clock)


def tripped(error: TryLater | StopAll) -> World:
    world = World()
    container(world).trip(error)
    return world


def state(world: World) -> BreakerState:
    return world.store.breakers["claude"]


def until(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_before_anybody_closed_it_the_gate_is_open():
    assert container(World()).check(45) is False


def test_a_short_wait_only_delays_for_as_long_as_was_asked():
    world = tripped(BUSY)
    world.clock.pass_by(10)

    with pytest.raises(TryLater) as exc_info:
        container(world).check(45)
    assert (exc_info.value.seconds, exc_info.value.cause) == (50, RetryCause.WAITING)


@pytest.mark.parametrize(("seconds", "error"), [(900, TryLater), (901, StopAll)])
def test_what_lasts_longer_than_fifteen_minutes_parks(seconds, error):
    world = tripped(TryLater("overloaded", seconds=seconds, cause=RetryCause.THROTTLED))

    with pytest.raises(error):
        container(world).check(45)


def test_what_has_no_end_parks_and_says_why():
    world = tripped(LIMIT)
    world.clock.pass_by(10**7)

    with pytest.raises(StopAll) as exc_info:
        container(world).check(45)
    assert (exc_info.value.waiting_for, exc_info.value.detail, exc_info.value.until) == (
        "spend_cap",
        "the month's limit",
        None,
    )


def test_what_ends_by_the_calendar_parks_until_then():
    world = tripped(StopAll(WaitReason.SPEND_CAP, "the day's limit", until=until(86_400)))

    with pytest.raises(StopAll) as exc_info:
        container(world).check(45)
    assert exc_info.value.until == until(86_400)


def test_when_its_time_has_come_one_probes_and_the_others_wait():
    world = tripped(BUSY)
    world.clock.pass_by(60)

    assert container(world).check(45) is True
    with pytest.raises(TryLater, match="another call is the probe"):
        container(world).check(45)


def test_of_two_that_saw_the_gate_at_once_one_probes():
    world = tripped(BUSY)
    world.clock.pass_by(58)
    one, other = container(world), container(world)
    for each in (one, other):
        with pytest.raises(TryLater):
            each.check(45)
    world.clock.pass_by(2)

    assert one.check(45) is True
    with pytest.raises(TryLater, match="another call is the probe"):
        other.check(45)


def test_a_probe_that_came_through_opens_the_gate():
    world = tripped(BUSY)
    world.clock.pass_by(60)
    prober = container(world)
    prober.check(45)
    prober.reset()

    assert (prober.check(45), container(world).check(45)) == (False, False)


def test_a_probe_that_was_refused_closes_the_gate_again():
    world = tripped(BUSY)
    world.clock.pass_by(60)
    prober = container(world)
    prober.check(45)
    prober.trip(BUSY)

    assert (state(world).is_tripped, state(world).until) == (True, until(120))


def test_after_a_probe_that_never_came_back_another_tries():
    world = tripped(BUSY)
    world.clock.pass_by(60)
    container(world).check(45)
    world.clock.pass_by(151)

    assert container(world).check(45) is True


@pytest.mark.parametrize(
    ("first", "second", "waiting_for", "ends"),
    [
        (BUSY, LIMIT, "spend_cap", None),
        (LIMIT, BUSY, "spend_cap", None),
        (BUSY, TryLater("overloaded", seconds=90, cause=RetryCause.THROTTLED), "claude", until(90)),
        (BUSY, TryLater("overloaded", seconds=30, cause=RetryCause.THROTTLED), "claude", until(60)),
    ],
    ids=["endless after short", "short after endless", "longer", "shorter"],
)
def test_the_longest_closing_counts(first, second, waiting_for, ends):
    world = tripped(first)
    container(world).trip(second)

    assert (state(world).waiting_for, state(world).until) == (waiting_for, ends)


def test_what_a_container_saw_is_good_for_five_seconds():
    world = World()
    mine = container(world)
    mine.check(45)
    container(world).trip(LIMIT)
    world.clock.pass_by(5)
    assert mine.check(45) is False

    world.clock.pass_by(0.1)
    with pytest.raises(StopAll):
        mine.check(45)


def test_a_thousand_documents_read_the_gate_once_in_five_seconds():
    world, reads = World(), []
    mine, read = container(world), world.store.breaker

    def counted() -> BreakerState | None:
        reads.append(world.clock.now())
        return read()

    world.store.breaker = counted  # type: ignore[method-assign]
    for _ in range(1000):
        mine.check(45)
        world.clock.pass_by(0.01)

    assert len(reads) == 2


def test_who_closed_the_gate_knows_at_once():
    world = World()
    mine = container(world)
    mine.check(45)
    mine.trip(LIMIT)

    with pytest.raises(StopAll):
        mine.check(45)


@pytest.mark.parametrize("method", ["breaker", "commit"])
def test_a_closing_that_could_not_be_written_is_learned_by_the_next_call(method):
    world = World()
    breaks(world.store, method, THROTTLED)
    container(world).trip(LIMIT)

    assert container(world).check(45) is False


@pytest.mark.parametrize("method", ["breaker", "commit"])
def test_an_opening_that_could_not_be_written_leaves_the_gate_to_another_probe(method):
    world = tripped(BUSY)
    world.clock.pass_by(60)
    prober = container(world)
    prober.check(45)
    breaks(world.store, method, THROTTLED)
    prober.reset()
    world.clock.pass_by(151)

    assert container(world).check(45) is True
