"""The offline Claude's own bill: exact sums over all that it was asked, by kind of token and by model."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import anthropic
import httpx2
import pytest

from tests.contract.offline_claude.client import SYSTEM, Claude

HAIKU, SONNET, OPUS = "claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5"
PRICES = {
    SONNET: {"input": 2, "output": 10, "cache_write_5m": 2.5, "cache_write_1h": 4, "cache_read": 0.1},
    OPUS: {"input": 4, "output": 20, "cache_write_5m": 5, "cache_write_1h": 8, "cache_read": 0.2},
}


def bill(claude: Claude) -> dict[str, Any]:
    sums: dict[str, Any] = httpx2.get(f"{claude.url}/_offline/bill").json()
    return sums


def test_nothing_asked_costs_nothing(claude: Claude) -> None:
    assert bill(claude) == {
        "usd": 0, "requests": 0, "refused": 0, "tokens": {}, "usd_by_kind": {}, "models": {},
    }  # fmt: skip


def test_the_bill_is_the_sum_of_the_ledger(claude: Claude) -> None:
    cached: list[Any] = [
        {"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    ]
    for model in (HAIKU, SONNET, SONNET):
        claude.create(model=model, system=cached)
    sums, entries = bill(claude), claude.ledger()
    assert sums["usd"] == pytest.approx(sum(entry["usd"] for entry in entries), rel=1e-12)
    assert sums["tokens"] == {
        kind: sum(entry["tokens"][kind] for entry in entries) for kind in entries[0]["tokens"]
    }
    assert sums["tokens"]["cache_read"] > 0
    assert sums["models"][HAIKU]["usd"] == entries[0]["usd"]
    assert sums["models"][SONNET]["tokens"]["output"] == sum(one["tokens"]["output"] for one in entries[1:])


@pytest.mark.parametrize("model", PRICES)
def test_each_kind_of_token_is_billed_at_its_own_price(claude: Claude, model: str) -> None:
    cached: list[Any] = [
        {"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    ]
    for _ in range(2):
        claude.create(model=model, system=[*cached, cached[0] | {"cache_control": {"type": "ephemeral"}}])
    sums = bill(claude)
    price = PRICES[model]
    assert set(sums["usd_by_kind"]) == set(price)
    for kind, usd in sums["usd_by_kind"].items():
        assert usd == pytest.approx(sums["tokens"][kind] * price[kind] / 1e6, rel=1e-12)
        assert usd > 0


def test_sums_are_exact(claude: Claude) -> None:
    claude.change_settings(tokens_per_byte=1.0)
    for _ in range(10):
        claude.create(document="x", system="y" * 1_000, output_config=None, max_tokens=1)
    used = bill(claude)["tokens"]["input"]
    assert bill(claude)["usd_by_kind"]["input"] == used / 10_000_000


@pytest.mark.parametrize(
    ("kind", "refused"), [("overloaded", 1), ("rate_limit", 1), ("cut_before", 0), ("cut_after_billing", 0)]
)
def test_every_request_is_counted_and_those_answered_with_an_error_apart(
    claude: Claude, kind: str, refused: int
) -> None:
    claude.create()
    claude.inject_fault(kind, next=1)
    with suppress(anthropic.APIError):
        claude.create()
    for sums in (bill(claude), bill(claude)["models"][HAIKU]):
        assert (sums["requests"], sums["refused"]) == (2, refused)


def test_a_request_that_names_no_model_is_in_the_sum_only(claude: Claude) -> None:
    with pytest.raises(anthropic.NotFoundError):
        claude.create(model="claude-9")
    sums = bill(claude)
    assert (sums["requests"], sums["refused"], sums["models"]) == (1, 1, {})
