"""Every model that we know, as each tier would ask it: its own rules are kept, and its bill was foreseen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pigeonhole import bootstrap
from pigeonhole.adapters.anthropic_client import AnthropicClient
from pigeonhole.claude import answer_form, model_catalog, prompt
from pigeonhole.claude.prompt import PreparedRequest
from pigeonhole.claude.tiers import TierConfig
from pigeonhole.domain.document import Coverage, Reply, Text, Tier
from pigeonhole.money import pricing
from pigeonhole.settings import Settings
from tests.contract.claude_server import OfflineClaude
from tests.contract.test_settings import NEEDED

CONFIG = bootstrap.configured(Settings.load(NEEDED), bootstrap.taxonomy_text_at(None))
TIERS = {tier.tier: tier for tier in CONFIG.tiers.values()}
INVOICE = "INVOICE No. 7\nBill to: Ada Ltd\nAmount due: 12.00 EUR\nPayment due within 14 days.\n"
each_model = pytest.mark.parametrize("name", sorted(model_catalog.MODELS))
each_tier = pytest.mark.parametrize("tier", list(TIERS))


def tier_config(tier: Tier, name: str) -> TierConfig:
    return replace(TIERS[tier], model=model_catalog.model(name))


def prepared(tier: Tier, name: str, words: str = INVOICE) -> PreparedRequest:
    text = Text(media_type="text/plain", body=(words,), coverage=Coverage())
    return prompt.prepare(text, CONFIG.taxonomy, tier_config(tier, name))


def ask(offline: OfflineClaude, of: PreparedRequest, *, is_cached: bool = False) -> Reply:
    request = prompt.with_cached_prefix(of.request) if is_cached else of.request
    return AnthropicClient("key", offline.url).ask(request, timeout=10)


@each_tier
@each_model
def test_each_model_takes_what_either_tier_asks_of_it(offline: OfflineClaude, name: str, tier: Tier) -> None:
    for is_cached in (False, True):
        reply = ask(offline, prepared(tier, name), is_cached=is_cached)
        assert answer_form.interpret(reply, CONFIG.taxonomy).category == "invoice"
    assert [entry["status"] for entry in offline.ledger()] == [200, 200]


@each_tier
@each_model
def test_no_bill_is_dearer_than_was_foreseen(offline: OfflineClaude, name: str, tier: Tier) -> None:
    asked, how = prepared(tier, name, INVOICE + "Größe 😀 und €, " * 2000), tier_config(tier, name)
    most = pricing.max_cost_usd(how.model, asked.max_prompt_tokens, how.max_tokens)
    for is_cached in (True, True, False):
        reply = ask(offline, asked, is_cached=is_cached)
        assert reply.usage.prompt_tokens <= asked.max_prompt_tokens
        assert pricing.cost_usd(how.model, reply.usage) <= most


@each_tier
@each_model
def test_what_we_count_is_what_is_billed_and_never_less(
    offline: OfflineClaude, name: str, tier: Tier
) -> None:
    # What a read from the cache costs the pages differ on for one model, and we take the dearer price.
    costs = [
        float(
            pricing.cost_usd(
                model_catalog.model(name), ask(offline, prepared(tier, name), is_cached=is_cached).usage
            )
        )
        for is_cached in (True, True, False)
    ]
    billed = [float(entry["usd"]) for entry in offline.ledger()]
    assert (costs[0], costs[2]) == pytest.approx((billed[0], billed[2]), abs=1e-12)
    assert costs[1] >= billed[1] - 1e-12


@each_model
def test_a_cached_prefix_is_read_the_next_time_where_it_is_long_enough(
    offline: OfflineClaude, name: str
) -> None:
    asked = prepared(Tier.FAST, name)
    first, second = (
        ask(offline, asked, is_cached=True),
        ask(offline, prepared(Tier.FAST, name, "Dear all"), is_cached=True),
    )
    is_long = asked.prefix_tokens >= model_catalog.model(name).cacheable_tokens
    assert (first.usage.cache_write_tokens > 0) is is_long
    assert (second.usage.cache_read_tokens > 0) is is_long
