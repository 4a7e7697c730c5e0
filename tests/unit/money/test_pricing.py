"""What a call costs, to the last digit, and what is known of each model."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pigeonhole.claude import model_catalog
from pigeonhole.claude.model_catalog import MODELS, UnknownModelError
from pigeonhole.domain.document import Usage
from pigeonhole.money.pricing import cost_usd, most_usd, uncached_usd

COUNTS = st.integers(0, 2_000_000)
USAGES = st.builds(
    Usage, input_tokens=COUNTS, output_tokens=COUNTS, cache_read_tokens=COUNTS, cache_write_tokens=COUNTS
)
KINDS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")


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
            "claude-sonnet-4-6",
            Usage(input_tokens=10, cache_read_tokens=10, cache_write_tokens=10),
            "0.0000705",
        ),
        ("claude-sonnet-4-6", Usage(), "0"),
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


def test_an_unknown_model_is_told_which_are_known():
    with pytest.raises(
        UnknownModelError, match="'claude-2' is not one of claude-haiku-4-5, claude-haiku-5-5"
    ):
        model_catalog.model("claude-2")


@given(USAGES, COUNTS, COUNTS, st.sampled_from(sorted(MODELS)))
def test_no_call_within_its_bounds_costs_more_than_was_said_before(usage, more, longer, name):
    most = most_usd(model_catalog.model(name), usage.prompt_tokens + more, usage.output_tokens + longer)

    assert cost_usd(model_catalog.model(name), usage) <= most


@pytest.mark.parametrize(
    ("name", "prompt", "answer", "usd"),
    [
        ("claude-haiku-5-5", 1000, 100, "0.000175"),
        ("claude-haiku-5-5", 100_000, 0, "0.0125"),
        ("claude-haiku-5-5", 100_001, 0, "0.062500625"),
        ("claude-sonnet-5-5", 1000, 4096, "0.04346"),
        ("claude-sonnet-4-6", 0, 1, "0.000015"),
    ],
    ids=["a write to the cache is the dearest", "to the step", "past the step", "strong", "answer alone"],
)
def test_what_a_call_may_cost_is_all_of_it_at_the_dearest(name, prompt, answer, usd):
    assert most_usd(model_catalog.model(name), prompt, answer) == Decimal(usd)


@given(USAGES, st.sampled_from(sorted(MODELS)))
def test_without_a_cache_only_its_reads_would_have_been_dearer_and_only_its_writes_cheaper(usage, name):
    model = model_catalog.model(name)
    reads = Usage(**{kind: getattr(usage, kind) for kind in KINDS} | {"cache_write_tokens": 0})
    writes = Usage(**{kind: getattr(usage, kind) for kind in KINDS} | {"cache_read_tokens": 0})

    assert uncached_usd(model, reads) >= cost_usd(model, reads)
    assert uncached_usd(model, writes) <= cost_usd(model, writes)


@given(USAGES, COUNTS, st.sampled_from(sorted(MODELS)))
def test_sending_more_of_a_document_never_costs_less(usage, more, name):
    assert uncached_usd(model_catalog.model(name), usage, more) >= uncached_usd(
        model_catalog.model(name), usage
    )
