"""What accounts have used of the caps that the functions keep, and how many documents are parked for one."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from infra.ops.spend import CapUsage, ParkedForCap, account_usages, parked_for_caps
from pigeonhole import bootstrap
from pigeonhole.domain.errors import OverCap
from pigeonhole.jobs import retry, transitions
from pigeonhole.jobs.job import Park
from pigeonhole.jobs.stored import Write
from pigeonhole.money.account import Withdrawal, day_ends, month_ends
from pigeonhole.services import Services
from pigeonhole.settings import Settings
from tests.support.builders import World, job, upload
from tests.support.fakes import START, FakeStore

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


def test_the_caps_are_the_same_as_in_the_functions():
    config = bootstrap.configured(SETTINGS, bootstrap.taxonomy_text_at(None))
    budget = Services(World().outside, config).budget
    found = account_usages(FakeStore(), config.caps, START.date())
    assert {each.account: min(each.day.cap, each.month.cap) for each in found} == budget.headroom()
    assert budget.headroom() == {"stack": 3, "team:finance": Decimal("1.5"), "team:legal": 0}


def test_an_accounts_usage_is_what_was_withdrawn_today_and_this_month():
    store, caps = FakeStore(), bootstrap.caps(SETTINGS)
    for day, usd in ((START.date(), "0.5"), (START.date() - timedelta(days=1), "1")):
        cap = caps["team:finance"]
        store.withdraw(Withdrawal(account="team:finance", day=day, usd=Decimal(usd), cap=cap))
    stack, finance, legal = account_usages(store, caps, START.date())
    assert finance.as_json() == {
        "account": "team:finance",
        "day": {"usd": 0.5, "cap": 1.5},
        "month": {"usd": 1.5, "cap": 9.0},
    }
    assert (stack.percent, finance.percent, legal.percent) == (0, 33, 100)


def test_percents_are_rounded_down():
    assert CapUsage(usd=Decimal("0.999"), cap=Decimal(1)).percent == 99


def test_documents_parked_for_a_cap_are_counted_by_account_with_the_earliest_end():
    store = FakeStore()
    park(store, "a", "stack", month_ends(START))
    park(store, "b", "stack", day_ends(START))
    park(store, "c", "team:legal", month_ends(START))
    assert parked_for_caps(store, START) == [
        ParkedForCap(account="stack", documents=2, until="2026-11-23T00:00:00.000Z"),
        ParkedForCap(account="team:legal", documents=1, until="2026-12-01T00:00:00.000Z"),
    ]


def park(store: FakeStore, key: str, account: str, until: datetime) -> None:
    waiting = job(upload(key))
    verdict = retry.decide_retry(waiting, OverCap(account, Decimal(1), "too dear", until=until), START)
    assert isinstance(verdict, Park)
    after = transitions.parked(waiting, verdict, START, until)
    assert store.commit(Write.of(None, after))
