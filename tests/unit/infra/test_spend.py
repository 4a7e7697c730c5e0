"""How the accounts stand: the very caps that the functions keep, and what waits under them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from infra.ops.spend import Queue, Used, caps_of, queues, standings
from pigeonhole import bootstrap
from pigeonhole.domain.document import OverCap
from pigeonhole.guards.budget import day_ends, month_ends
from pigeonhole.jobs import transitions
from pigeonhole.jobs.job import Order, Park
from pigeonhole.money.account import Draw
from pigeonhole.ports import Swap
from pigeonhole.settings import Settings
from tests.support.builders import upload
from tests.support.fakes import START, FakeClock, FakeLedger

SETTINGS = Settings(
    inbox_bucket="inbox",
    documents_table="documents",
    ledger_table="ledger",
    artifacts_bucket="artifacts",
    intake_queue_url="intake",
    escalation_queue_url="escalation",
    api_key_secret_arn="secret",
    event_bus_name="bus",
    daily_cap_usd=Decimal(3),
    monthly_cap_usd=Decimal(20),
    team_caps="finance=1.5/9,legal=0/2",
)


def test_the_caps_are_those_that_the_functions_keep():
    budget = bootstrap.budget(SETTINGS, FakeLedger(), FakeClock())
    assert {name: min(cap.day, cap.month) for name, cap in caps_of(SETTINGS).items()} == budget.rooms()


def test_an_account_stands_at_what_was_drawn_today_and_this_month():
    ledger, caps = FakeLedger(), caps_of(SETTINGS)
    for day, usd in ((START.date(), "0.5"), (START.date() - timedelta(days=1), "1")):
        ledger.draw(Draw(account="team:finance", day=day, usd=Decimal(usd), cap=caps["team:finance"]))
    stack, finance, legal = standings(ledger, caps, START.date())
    assert finance.described() == {
        "account": "team:finance",
        "day": {"usd": 0.5, "cap": 1.5},
        "month": {"usd": 1.5, "cap": 9.0},
    }
    assert (stack.percent, finance.percent, legal.percent) == (0, 33, 100)


def test_percents_are_rounded_down():
    assert Used(usd=Decimal("0.999"), cap=Decimal(1)).percent == 99


def test_what_is_parked_for_money_is_told_by_account_with_the_earliest_end():
    ledger = FakeLedger()
    parked(ledger, "a", "stack", month_ends(START))
    parked(ledger, "b", "stack", day_ends(START))
    parked(ledger, "c", "team:legal", month_ends(START))
    assert queues(ledger, START) == [
        Queue(account="stack", documents=2, until="2026-11-23T00:00:00.000Z"),
        Queue(account="team:legal", documents=1, until="2026-12-01T00:00:00.000Z"),
    ]


def parked(ledger: FakeLedger, key: str, account: str, until) -> None:
    work = transitions.new(Order(upload=replace(upload(), key=key)), None, START)
    park = transitions.aftermath(work, OverCap(account, Decimal(1), "too dear", until=until), START)
    assert isinstance(park, Park)
    after = transitions.parked(work, park, START, until)
    assert ledger.swap(Swap(before=None, after=transitions.next_revision(None, after)))
