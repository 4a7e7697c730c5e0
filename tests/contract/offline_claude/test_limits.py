"""The rate limits and the spend limit: what is reported of them in headers, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import anthropic
import pytest
from anthropic.types.shared import EnforcedSpendLimitReachedError

from tests.contract.offline_claude.client import SYSTEM, Claude
from tests.contract.offline_claude.clock import FakeClock

KINDS = ("requests", "tokens", "input-tokens", "output-tokens")
SONNET, OLD_HAIKU = "claude-sonnet-5-5", "claude-haiku-4-5"


@pytest.fixture
def claude(clocked_claude: Claude) -> Claude:
    return clocked_claude


def allow(claude: Claude, **settings: Any) -> None:
    claude.change_settings(**settings).raise_for_status()


def refused(claude: Claude, **changes: Any) -> anthropic.RateLimitError:
    with pytest.raises(anthropic.RateLimitError) as exc_info:
        claude.create(**changes)
    return exc_info.value


def headers_of_answer(claude: Claude) -> Mapping[str, str]:
    """The headers of a good answer to 16 bytes, with 100 output tokens."""
    answer = claude.sdk.messages.with_raw_response.create(
        model=SONNET, max_tokens=100, messages=[{"role": "user", "content": "Hello, it is me."}]
    )
    return answer.headers


def rate_limit_headers(headers: Mapping[str, str], what: str) -> dict[str, str]:
    return {kind: headers[f"anthropic-ratelimit-{kind}-{what}"] for kind in KINDS}


def seconds(headers: Mapping[str, str], kind: str, clock: FakeClock) -> float:
    return datetime.fromisoformat(headers[f"anthropic-ratelimit-{kind}-reset"]).timestamp() - clock.now


def test_without_a_limit_the_headers_tell_of_the_build_tier_and_nothing_is_refused(claude: Claude) -> None:
    allow(claude, tokens_per_byte=50_000)
    for _ in range(8):
        headers = headers_of_answer(claude)
    assert rate_limit_headers(headers, "limit") == {
        "requests": "5000",
        "tokens": "6000000",
        "input-tokens": "5000000",
        "output-tokens": "1000000",
    }
    assert {entry["status"] for entry in claude.ledger()} == {200}


def test_the_headers_tell_what_is_left_and_when_it_is_full_again(claude: Claude, clock: FakeClock) -> None:
    allow(
        claude,
        requests_per_minute=60,
        input_tokens_per_minute=60_000,
        output_tokens_per_minute=6_000,
        tokens_per_byte=1_000,
    )
    headers_of_answer(claude)
    headers = headers_of_answer(claude)
    assert rate_limit_headers(headers, "limit") == {
        "requests": "60",
        "tokens": "66000",
        "input-tokens": "60000",
        "output-tokens": "6000",
    }
    assert rate_limit_headers(headers, "remaining") == {
        "requests": "58",
        "tokens": "33000",
        "input-tokens": "27000",
        "output-tokens": "5000",
    }
    assert seconds(headers, "requests", clock) == 2
    assert seconds(headers, "output-tokens", clock) == 2
    assert seconds(headers, "input-tokens", clock) == seconds(headers, "tokens", clock) == 33


def test_a_request_over_the_limit_is_a_429_that_says_when_to_come_back(
    claude: Claude, clock: FakeClock
) -> None:
    allow(claude, requests_per_minute=6)
    for _ in range(6):
        claude.create()
    error = refused(claude)
    assert (error.type, error.error_code) == ("rate_limit_error", None)
    assert "6 requests per minute" in str(error.api_message)
    assert error.response.headers["retry-after"] == "10"
    assert rate_limit_headers(error.response.headers, "remaining")["requests"] == "0"
    clock.now += 9
    refused(claude)
    clock.now += 1
    assert claude.create().stop_reason == "end_turn"
    refused(claude)


def test_a_wait_is_told_in_whole_seconds_of_at_least_one(claude: Claude) -> None:
    for limit, after in ((600, "1"), (40, "2")):
        allow(claude, requests_per_minute=limit, burst_s=0)
        claude.create()
        assert refused(claude).response.headers["retry-after"] == after


def test_a_refused_request_stands_in_the_ledger_and_costs_nothing(claude: Claude) -> None:
    allow(claude, requests_per_minute=1)
    claude.create()
    refused(claude)
    entry = claude.ledger()[1]
    assert (entry["status"], entry["usd"], entry["model"]) == (429, 0, "claude-haiku-5-5")
    assert not any(entry["tokens"].values())


def test_a_refused_request_uses_nothing_up(claude: Claude, clock: FakeClock) -> None:
    allow(claude, requests_per_minute=60, burst_s=1)
    claude.create()
    for _ in range(5):
        refused(claude)
    clock.now += 1
    assert claude.create().stop_reason == "end_turn"


@pytest.mark.parametrize(("burst_s", "at_once"), [(60, 12), (10, 2), (1, 1), (0, 1)])
def test_a_burst_is_as_long_as_it_is_set_and_never_less_than_one_request(
    claude: Claude, burst_s: float, at_once: int
) -> None:
    allow(claude, requests_per_minute=12, burst_s=burst_s)
    for _ in range(at_once):
        claude.create()
    refused(claude)


def test_what_is_not_used_does_not_pile_up_beyond_a_burst(claude: Claude, clock: FakeClock) -> None:
    allow(claude, requests_per_minute=2)
    claude.create()
    clock.now += 86_400
    for _ in range(2):
        claude.create()
    refused(claude)


def test_input_tokens_are_limited(claude: Claude, clock: FakeClock) -> None:
    size = claude.create().usage.input_tokens
    allow(claude, input_tokens_per_minute=2 * size)
    for _ in range(2):
        claude.create()
    error = refused(claude)
    assert "input tokens per minute" in str(error.api_message)
    assert error.response.headers["retry-after"] == "30"
    clock.now += 30
    assert claude.create().stop_reason == "end_turn"


def test_output_tokens_are_limited_by_what_was_said_not_by_what_was_allowed(claude: Claude) -> None:
    said = claude.create().usage.output_tokens
    allow(claude, output_tokens_per_minute=2 * said)
    for _ in range(2):
        claude.create(max_tokens=20_000)
    assert "output tokens per minute" in str(refused(claude).api_message)


def test_a_request_larger_than_a_burst_passes_when_nothing_was_used(claude: Claude, clock: FakeClock) -> None:
    size = claude.create().usage.input_tokens
    allow(claude, input_tokens_per_minute=size, burst_s=30)
    claude.create()
    assert refused(claude).response.headers["retry-after"] == "60"
    clock.now += 60
    assert claude.create().stop_reason == "end_turn"


def test_cached_reads_do_not_count_towards_input_tokens(claude: Claude) -> None:
    cached: list[Any] = [{"type": "text", "text": SYSTEM * 3, "cache_control": {"type": "ephemeral"}}]
    size = claude.create(system=cached).usage.cache_creation_input_tokens
    assert size
    allow(claude, input_tokens_per_minute=size)
    for _ in range(3):
        assert claude.create(system=cached).usage.cache_read_input_tokens == size
    refused(claude, system=SYSTEM * 3)


def test_models_of_one_class_share_a_limit_and_classes_do_not(claude: Claude) -> None:
    allow(claude, requests_per_minute=1)
    claude.create()
    refused(claude, model=OLD_HAIKU)
    assert claude.create(model=SONNET).stop_reason == "end_turn"


def test_an_invalid_request_does_not_count(claude: Claude) -> None:
    allow(claude, requests_per_minute=1)
    with pytest.raises(anthropic.BadRequestError):
        claude.create(max_tokens=0)
    assert claude.create().stop_reason == "end_turn"


def test_counting_tokens_does_not_count(claude: Claude) -> None:
    allow(claude, requests_per_minute=1)
    for _ in range(2):
        claude.sdk.messages.count_tokens(model=SONNET, messages=[{"role": "user", "content": "Hello"}])
    assert claude.create(model=SONNET).stop_reason == "end_turn"


def test_a_change_of_another_setting_leaves_what_was_used_as_it_is(claude: Claude) -> None:
    allow(claude, requests_per_minute=1)
    claude.create()
    allow(claude, low_confidence_share=0.5)
    refused(claude)
    allow(claude, requests_per_minute=None)
    assert claude.create().stop_reason == "end_turn"


def test_once_the_bill_reaches_the_spend_limit_every_request_is_refused_without_a_time(
    claude: Claude, clock: FakeClock
) -> None:
    claude.create()
    allow(claude, spend_limit_usd=claude.ledger()[0]["usd"] * 1.5)
    claude.create()
    for model in (SONNET, OLD_HAIKU):
        error = refused(claude, model=model)
        assert isinstance(error, EnforcedSpendLimitReachedError)
        assert error.error_code == "enforced_spend_limit_reached"
        assert "retry-after" not in error.response.headers
        clock.now += 3_600
    assert [entry["status"] for entry in claude.ledger()] == [200, 200, 429, 429]


def test_a_lifted_spend_limit_lets_it_go_on(claude: Claude) -> None:
    allow(claude, spend_limit_usd=0)
    refused(claude)
    for limit in (0.01, None):
        allow(claude, spend_limit_usd=limit)
        assert claude.create().stop_reason == "end_turn"
