"""What a call costs, to the last digit, and what is known of each model."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pigeonhole.claude import model_catalog
from pigeonhole.claude.model_catalog import MODELS, Model, UnknownModelError
from pigeonhole.domain.document import Reply, Usage
from pigeonhole.money.pricing import ReplyCost, cost_usd, max_cost_usd, reply_cost

COUNTS = st.integers(0, 2_000_000)
USAGES = st.builds(
    Usage, input_tokens=COUNTS, output_tokens=COUNTS, cache_read_tokens=COUNTS, cache_write_tokens=COUNTS
)
KINDS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
HAIKU, SONNET = model_catalog.model("claude-haiku-5-5"), model_catalog.model("claude-sonnet-5-5")
USAGE = Usage(input_tokens=1000, output_tokens=100, cache_read_tokens=2000)


def priced(model: Model, usage: Usage, *, left_out: int = 0, reused: bool = False) -> ReplyCost:
    """What a reply with that usage cost, compared with Sonnet."""
    reply = Reply(
        model=model.id,
        text="",
        stop_reason="end_turn",
        usage=usage,
        reused=reused,
        left_out_tokens=left_out,
    )
    return reply_cost(model, reply, SONNET)


@pytest.mark.parametrize(
    ("name", "usage", "usd"),
    [
        ("claude-haiku-5-5", Usage(input_tokens=3000, output_tokens=200), "0.0004"),
        ("claude-haiku-5-5", Usage(input_tokens=1), "0.0000001"),
        ("claude-haiku-5-5", Usage(cache_read_tokens=1), "0.00000001"),
        ("claude-haiku-5-5", Usage(cache_write_tokens=1), "0.000000125"),
        ("claude-haiku-5-5", Usage(input_tokens=100_000, output_tokens=100), "0.01005"),
        ("claude-haiku-5-5", Usage(input_tokens=100_001, output_tokens=100), "0.0502505"),
        ("claude-haiku-5-5", Usage(input_tokens=1, cache_read_tokens=100_000), "0.0050005"),
        ("claude-haiku-5-5", Usage(input_tokens=1, cache_write_tokens=100_000), "0.0625005"),
        ("claude-haiku-5-5", Usage(output_tokens=100_001), "0.0500005"),
        ("claude-sonnet-5-5", Usage(input_tokens=3000, output_tokens=200), "0.008"),
        ("claude-sonnet-5-5", Usage(input_tokens=900_000), "1.8"),
        ("claude-haiku-4-5", Usage(input_tokens=2000, output_tokens=100), "0.0025"),
        (
            "claude-opus-5-5",
            Usage(input_tokens=10, cache_read_tokens=10, cache_write_tokens=10),
            "0.000092",
        ),
        ("claude-opus-5-5", Usage(), "0"),
    ],
)
def test_a_call_costs_what_the_price_list_says(name, usage, usd):
    assert cost_usd(model_catalog.model(name), usage) == Decimal(usd)


@given(USAGES, st.sampled_from(sorted(MODELS)))
def test_no_cost_is_rounded(usage, name):
    exact = cost_usd(model_catalog.model(name), usage) * 1_000_000_000

    assert exact == exact.to_integral_value()
    assert exact >= 0


@given(USAGES, COUNTS, st.sampled_from(sorted(MODELS)))
def test_more_tokens_never_cost_less(usage, more, name):
    longer = Usage(
        input_tokens=usage.input_tokens + more,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
    )
    assert cost_usd(model_catalog.model(name), longer) >= cost_usd(model_catalog.model(name), usage)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_cache_read_is_cheaper_than_input_and_a_write_dearer(name):
    for price in filter(None, (MODELS[name].price, MODELS[name].long_price)):
        assert price.cache_read < price.input < price.cache_write < price.output


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_long_prompt_has_a_price_if_and_only_if_it_has_a_length(name):
    assert (MODELS[name].long_price is None) == (MODELS[name].long_prompt_tokens is None)


def test_an_unknown_model_is_answered_with_those_that_are_known():
    with pytest.raises(
        UnknownModelError, match="'claude-2' is not one of claude-haiku-4-5, claude-haiku-5-5"
    ):
        model_catalog.model("claude-2")


@given(USAGES, COUNTS, COUNTS, st.sampled_from(sorted(MODELS)))
def test_no_call_within_its_bounds_costs_more_than_its_highest_price(usage, more, longer, name):
    most = max_cost_usd(model_catalog.model(name), usage.prompt_tokens + more, usage.output_tokens + longer)

    assert cost_usd(model_catalog.model(name), usage) <= most


@pytest.mark.parametrize(
    ("name", "prompt", "answer", "usd"),
    [
        ("claude-haiku-5-5", 1000, 100, "0.000175"),
        ("claude-haiku-5-5", 100_000, 0, "0.0125"),
        ("claude-haiku-5-5", 100_001, 0, "0.062500625"),
        ("claude-sonnet-5-5", 1000, 4096, "0.04346"),
        ("claude-opus-5-5", 0, 1, "0.00002"),
    ],
    ids=["a write to the cache is the dearest", "to the step", "past the step", "strong", "answer alone"],
)
def test_what_a_call_may_cost_is_all_of_it_at_the_dearest(name, prompt, answer, usd):
    assert max_cost_usd(model_catalog.model(name), prompt, answer) == Decimal(usd)


# A reply: what it cost, and what it would have cost otherwise.


def test_a_reply_costs_what_its_call_cost_and_says_what_it_saved():
    assert priced(HAIKU, USAGE, left_out=10_000) == ReplyCost(
        usd=Decimal("0.00017"),  # 1,000 at 0.10, 100 at 0.50 and 2,000 at 0.01 a million
        alone_usd=Decimal("0.007"),  # at Sonnet 3,000 at 2 and 100 at 10, none of them cached
        saved_by_caching_usd=Decimal("0.00018"),  # 2,000 at 0.10 instead of 0.01
        saved_by_cutting_usd=Decimal("0.001"),  # 10,000 at 0.10
    )


def test_a_reused_reply_costs_nothing_and_has_saved_its_price():
    assert priced(HAIKU, USAGE, reused=True, left_out=10_000) == ReplyCost(
        alone_usd=Decimal("0.007"), saved_by_reuse_usd=Decimal("0.00017")
    )


def test_without_a_model_to_compare_with_nothing_would_have_been_asked_alone():
    reply = Reply(model=SONNET.id, text="", stop_reason="end_turn", usage=USAGE)

    assert reply_cost(SONNET, reply).alone_usd == 0


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        (Usage(cache_read_tokens=1000), "0.00009"),
        (Usage(cache_write_tokens=1000), "-0.000025"),
        (Usage(input_tokens=1000, output_tokens=1000), "0"),
        (Usage(input_tokens=1, cache_read_tokens=100_000), "0.045"),
    ],
    ids=["a read saves", "a write costs", "no cache", "at the price of a long prompt"],
)
def test_caching_has_saved_what_the_prompt_would_have_cost_without_it(usage, usd):
    assert priced(HAIKU, usage).saved_by_caching_usd == Decimal(usd)


@given(USAGES, st.sampled_from(sorted(MODELS)))
def test_without_a_cache_only_its_reads_would_have_been_dearer_and_only_its_writes_cheaper(usage, name):
    model = model_catalog.model(name)
    reads = Usage(**{kind: getattr(usage, kind) for kind in KINDS} | {"cache_write_tokens": 0})
    writes = Usage(**{kind: getattr(usage, kind) for kind in KINDS} | {"cache_read_tokens": 0})

    assert priced(model, reads).saved_by_caching_usd >= 0
    assert priced(model, writes).saved_by_caching_usd <= 0


@given(USAGES, COUNTS, st.sampled_from(sorted(MODELS)))
def test_sending_more_of_a_document_never_costs_less(usage, more, name):
    assert priced(model_catalog.model(name), usage, left_out=more).saved_by_cutting_usd >= 0


@given(USAGES, COUNTS, st.sampled_from(sorted(MODELS)))
def test_a_reply_and_what_it_saved_come_to_the_whole_document_uncached(usage, more, name):
    model = model_catalog.model(name)
    cost = priced(model, usage, left_out=more)
    whole = Usage(input_tokens=usage.prompt_tokens + more, output_tokens=usage.output_tokens)

    assert cost.usd + cost.saved_by_caching_usd + cost.saved_by_cutting_usd == cost_usd(model, whole)
