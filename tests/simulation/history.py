"""One history: what a seed lets happen, and what must hold once everything has come to rest."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from infra.ops import operations
from infra.ops.services import operation_ports
from pigeonhole.domain.document import Stage
from pigeonhole.domain.errors import TryLater
from pigeonhole.domain.row_attributes import OUTCOMES, Status
from pigeonhole.money.account import STACK, Cap, account_of
from tests.simulation.scheduler import Scheduler
from tests.simulation.simulated_aws import Faults, SimulatedAws
from tests.support.builders import CONFIG, with_final

_KEYS = ("sales/a.txt", "sales/b.txt", "legal/a.txt")
_CONTENTS = (
    b"Amount due: 1",
    b"Amount due: 2",
    b"Amount due: 3",
    b"broken",
    b"Dear all",
    b"perhaps",
    b"or perhaps",
)
# A call of the strong model may cost 0.022 at most; some days have room for hardly more.
_ROOMY = Cap(day=Decimal(10), month=Decimal(100))
_TIGHT = Cap(day=Decimal("0.03"), month=Decimal("0.4"))
_CAPS: tuple[Mapping[str, Cap], ...] = (
    {STACK: _ROOMY},
    {STACK: _ROOMY},
    {STACK: _TIGHT},
    {STACK: _ROOMY, account_of("sales"): _TIGHT},
)
_UNKIND_UNTIL = 2400.0
_HURRIED_UNTIL = 6 * 3600.0
_REST_BY = 40 * 86_400.0


def _widened(caps: Mapping[str, Cap], times: int) -> Mapping[str, Cap]:
    """A call that no day has room for would wait for ever."""
    return {name: Cap(day=cap.day * times, month=cap.month * times) for name, cap in caps.items()}


@dataclass(frozen=True)
class Op:
    """Something that people do, at that second."""

    at: float
    what: str
    key: str
    content: bytes = b""


@dataclass
class Verdict:
    """What a history broke, by invariant, and what was thrown at it."""

    seed: int
    broken: Counter[str] = field(default_factory=Counter)
    details: list[str] = field(default_factory=list)
    thrown: Counter[str] = field(default_factory=Counter)
    double_paid: int = 0
    trace: list[Any] = field(default_factory=list, repr=False)

    def breaks(self, invariant: str, detail: str) -> None:
        self.broken[invariant] += 1
        self.details.append(f"{invariant}: {detail}")


def ops_of(seed: int) -> list[Op]:
    randomness = random.Random(f"ops {seed}")
    ops = [_op(randomness) for _ in range(randomness.randint(3, 10))]
    return sorted([Op(0.0, "put", randomness.choice(_KEYS), _CONTENTS[0]), *ops], key=lambda op: op.at)


def _op(randomness: random.Random) -> Op:
    whats = ("put", "delete", "delete_newest", "delete_any", "expire", "redrive", "force", "review")
    what = randomness.choices(whats, weights=(10, 2, 2, 1, 1, 1, 1, 2))[0]
    # A person may be quicker than the strong model.
    soon = randomness.uniform(2, 20) if what == "review" else randomness.uniform(0, 5)
    at = randomness.choice([soon, randomness.uniform(0, 2000)])
    return Op(at, what, randomness.choice(_KEYS), randomness.choice(_CONTENTS))


def play(seed: int, ops: list[Op] | None = None) -> Verdict:
    """Let it happen, let it come to rest, and look."""
    randomness = random.Random(seed)
    unkind = randomness.uniform(0.2, 1.0)
    hub = Scheduler(randomness)
    has_final = seed % 2 == 1  # every second history has a third tier, whose calls cost up to 0.06
    outside = SimulatedAws(
        hub=hub,
        faults=Faults(
            crash=randomness.choice([0, 0.004, 0.02]) * unkind,
            throttle=randomness.choice([0, 0.02, 0.1]) * unkind,
            unsaid=randomness.choice([0, 0.01, 0.03]) * unkind,
            busy=randomness.choice([0, 0.1, 0.4]) * unkind,
            lost_answer=randomness.choice([0, 0.2, 0.5]) * unkind,
            cut_before=randomness.choice([0.1, 0.4, 0.7]) * unkind,
            stop=randomness.choice([0, 0, 0.1]) * unkind,
            duplicate=0.4 * unkind,
            late=0.4 * unkind,
            refused_news=0.3 * unkind,
        ),
        most_receives=randomness.choice([50, 50, 50, 6]),
        caps=_widened(randomness.choice(_CAPS), 3 if has_final else 1),
        config=with_final() if has_final else CONFIG,
    )
    for op in ops if ops is not None else ops_of(seed):
        hub.at(op.at, lambda op=op: _do(op, outside))  # type: ignore[misc]
    _keep_going(outside)
    hub.run(until=_UNKIND_UNTIL)
    outside.faults = Faults()
    hub.at(1.0, outside.reset_breaker)
    hub.run(until=_REST_BY, quiet=lambda: _is_at_rest(outside))
    return _look(seed, outside)


def _do(op: Op, outside: SimulatedAws) -> None:
    match op.what:
        case "put":
            outside.s3_put(op.key, op.content)
        case "delete":
            outside.s3_delete(op.key)
        case "delete_newest" | "delete_any":
            outside.s3_delete_version(op.key, newest=op.what == "delete_newest")
        case "expire":
            outside.s3_expire(op.key)
        case "redrive" | "force" | "review":
            outside.hub.start(lambda: _by_a_person(op, outside))


def _by_a_person(op: Op, outside: SimulatedAws) -> None:
    invocation = outside.invocation(60)
    services = outside.services(invocation, "person")
    ports, config = operation_ports(services), services.config
    row = outside.store.row(f"s3://inbox/{op.key}")
    try:
        if op.what == "review":
            operations.review(f"s3://inbox/{op.key}", "letter", "somebody", ports, config.taxonomy)
        elif row:
            operations.redrive(row, ports, config.visibility, forced=op.what == "force")
    except (operations.NotAllowedError, TryLater):
        return


def _keep_going(outside: SimulatedAws) -> None:
    """The schedule: sweep, sometimes two at once, and the stream's readers."""
    hub = outside.hub

    def pace() -> float:
        """Where only the next day is waited for, the schedule need not be lived through."""
        return 1.0 if hub.now < _HURRIED_UNTIL else 50.0

    def sweep() -> None:
        outside.sweep()
        if hub.random.random() < 0.3:
            outside.sweep()
        hub.at(hub.random.uniform(60, 600) * pace(), sweep)

    def publish() -> None:
        outside.publish()
        hub.at(hub.random.uniform(5, 60) * pace(), publish)

    hub.at(60.0, sweep)
    hub.at(5.0, publish)


def _is_at_rest(outside: SimulatedAws) -> bool:
    return (
        outside.hub.now > _UNKIND_UNTIL + 5
        and not any(outside.queues.values())
        and not any(outside.running.values())
        and outside.published >= len(outside.stream)
        and not any(job.wake_at for job in outside.store.jobs.values())
    )


def _look(seed: int, outside: SimulatedAws) -> Verdict:
    verdict = Verdict(seed=seed, thrown=outside.thrown, double_paid=outside.lost_answers, trace=outside.trace)
    _look_at_rows(outside, verdict)
    _look_at_leftovers(outside, verdict)
    for violation in outside.violations:
        verdict.breaks(*violation.split(": ", 1))
    for _, key, invocation in outside.unwritten:
        if not invocation.dead:
            verdict.breaks("double_paid_outside_window", f"a reply was paid for and not kept: {key[:8]}")
    _look_at_money(outside, verdict)
    for record in outside.outcomes:
        if record.outcome_id not in outside.published_ids:
            verdict.breaks("events_missing", f"{record.document} {record.status}")
    return verdict


def _look_at_rows(outside: SimulatedAws, verdict: Verdict) -> None:
    for key in outside.versions:
        row, shown = outside.store.row(f"s3://inbox/{key}"), outside.shows(key)
        if row is None or row.status not in OUTCOMES:
            verdict.breaks("lost", f"{key}: {row and row.status}")
        elif shown is None and row.status is not Status.REMOVED:
            verdict.breaks("stale", f"{key} is gone, its row says {row.status} of {row.version_id}")
        elif shown and (row.status is Status.REMOVED or row.version_id != shown[0]):
            verdict.breaks("stale", f"{key} shows {shown[0]}, its row {row.status} of {row.version_id}")


def _look_at_leftovers(outside: SimulatedAws, verdict: Verdict) -> None:
    for name, queue in outside.queues.items():
        for message in queue.values():
            verdict.breaks("stuck", f"a message in {name}: {message.body[:200]}")
    for job in outside.store.jobs.values():
        if job.wake_at or job.owner or job.stage is not Stage.ENDED:
            verdict.breaks("stuck", f"the job of {job.upload.document} {job.upload.version_id}: {job.stage}")
        if job.charges.reserved:
            verdict.breaks("stuck", f"a reservation of {job.upload.document} {job.upload.version_id}")
    for error in outside.telemetry.defects:
        verdict.breaks("defects", repr(error))


def _look_at_money(outside: SimulatedAws, verdict: Verdict) -> None:
    """What Claude billed is under every cap, and neither an account nor the usage says less."""
    for (account, when), usd in outside.billed.items():
        cap, is_month = outside.caps.get(account), len(when) == len("2026-11")
        if cap and usd > (cap.month if is_month else cap.day):
            verdict.breaks("over_cap", f"{account} was billed {usd} in {when}")
        if cap and is_month and usd > outside.store.account(account, date.fromisoformat(f"{when}-01")).usd:
            verdict.breaks("miscounted", f"{account} was billed {usd} in {when}, and knows of less")
    totals = [each.totals for each in outside.store.counted.values()]
    counted = sum((each.usd + each.unsettled_usd for each in totals), Decimal(0))
    billed = sum(
        usd for (account, when), usd in outside.billed.items() if account == STACK and len(when) == 7
    )
    if billed > counted:
        verdict.breaks("miscounted", f"{billed} was billed, {counted} was counted")


def shortened(seed: int) -> list[Op]:
    """The history of a failing seed without what it does not need to fail."""
    ops = ops_of(seed)
    number = 0
    while number < len(ops):
        fewer = ops[:number] + ops[number + 1 :]
        if play(seed, fewer).broken:
            ops = fewer
        else:
            number += 1
    return ops
