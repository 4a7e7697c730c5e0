"""Simulated time on one thread: whatever waits is a greenlet, and a seeded choice says who goes on."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable
from itertools import count
from typing import TypeVar

from greenlet import GreenletExit, getcurrent, greenlet

T = TypeVar("T")
R = TypeVar("R")


class Scheduler:
    """Seconds since the start, and what is to happen when; ties are broken by chance."""

    def __init__(self, randomness: random.Random) -> None:
        self.random = randomness
        self.now = 0.0
        self._order = count()
        self._heap: list[tuple[float, float, int, Callable[[], object]]] = []
        self._main = getcurrent()
        self._until = 0.0

    def at(self, delay: float, action: Callable[[], object]) -> None:
        heapq.heappush(self._heap, (self.now + delay, self.random.random(), next(self._order), action))

    def start(self, action: Callable[[], object], delay: float = 0.0) -> None:
        """Run the action as a greenlet of its own, so that it may pause."""
        self.at(delay, greenlet(action, parent=self._main).switch)

    def pause(self, delay: float) -> None:
        """Nothing else is to happen meanwhile: then time passes, and that is all."""
        until = self.now + delay
        if until <= self._until and (not self._heap or until < self._heap[0][0]):
            self.now = until
        else:
            self.at(delay, getcurrent().switch)
            self._main.switch()

    def stop_for_ever(self) -> None:
        """What runs now is dead: nothing will resume it."""
        self._main.switch()

    def run(self, until: float, quiet: Callable[[], bool] = lambda: False) -> None:
        self._until = until
        while self._heap and self._heap[0][0] <= until and not quiet():
            self.now, _, _, action = heapq.heappop(self._heap)
            action()


class SimulatedInvocation:
    """One run of a function; once dead, whatever belongs to it never goes on."""

    def __init__(self, hub: Scheduler, *, skew: float, crash: float, alive_for: float) -> None:
        self.hub = hub
        self.skew = skew
        self.crash = crash
        self.ends = hub.now + alive_for
        self.dead = False
        self.finished = False

    def pause(self, delay: float, *, may_crash: bool = True) -> None:
        if self.dead:
            raise GreenletExit  # the corpse is cleared away: nothing it still tries to do is done
        if may_crash and self.crash and self.hub.random.random() < self.crash:
            self.dead = True
        if not self.dead:
            self.hub.pause(delay)
        if self.dead or self.hub.now > self.ends:
            self.dead = True
            self.hub.stop_for_ever()

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """ports.Runner: each item in a greenlet of its own."""
        todo, waiting = list(items), getcurrent()
        results: dict[int, R] = {}

        def job(number: int, item: T) -> None:
            results[number] = function(item)
            if len(results) == len(todo):
                self.hub.at(0.0, waiting.switch)

        for number, item in enumerate(todo):
            self.hub.start(lambda number=number, item=item: job(number, item))  # type: ignore[misc]
        if todo:
            self.hub.stop_for_ever()  # until the last of them is done, if ever
        self.pause(0.0)
        return [results[number] for number in range(len(todo))]
