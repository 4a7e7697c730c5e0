"""Faults can be injected that the SDK raises as the API's errors, and that are billed as the API would."""

from __future__ import annotations

import json
import time
from typing import Any

import anthropic
import pytest
from anthropic.types.shared import EnforcedSpendLimitReachedError

from infra.local.offline_claude import ApiError, Settings, parse_fault
from infra.local.offline_claude.api.app import App
from infra.local.offline_claude.api.http_messages import HttpRequest
from tests.contract.offline_claude.client import SLUGS, Claude, text_of

ERRORS = [
    ("usage_limit", anthropic.BadRequestError, "invalid_request_error"),
    ("authentication", anthropic.AuthenticationError, "authentication_error"),
    ("billing", anthropic.APIStatusError, "billing_error"),
    ("permission", anthropic.PermissionDeniedError, "permission_error"),
    ("not_found", anthropic.NotFoundError, "not_found_error"),
    ("request_timeout", anthropic.APIStatusError, "timeout_error"),
    ("conflict", anthropic.ConflictError, "conflict_error"),
    ("too_large", anthropic.ContentTooLargeError, "request_too_large"),
    ("rate_limit", anthropic.RateLimitError, "rate_limit_error"),
    ("spend_limit", EnforcedSpendLimitReachedError, "rate_limit_error"),
    ("server_error", anthropic.InternalServerError, "api_error"),
    ("unavailable", anthropic.ServiceUnavailableError, "api_error"),
    ("timeout", anthropic.GatewayTimeoutError, "timeout_error"),
    ("overloaded", anthropic.OverloadedError, "overloaded_error"),
]


@pytest.mark.parametrize(("kind", "raised", "named"), ERRORS, ids=[kind for kind, _, _ in ERRORS])
def test_a_refused_request_raises_the_sdks_own_class_and_costs_nothing(
    claude: Claude, kind: str, raised: type[anthropic.APIStatusError], named: str
) -> None:
    claude.inject_fault(kind, next=1)
    with pytest.raises(raised) as exc_info:
        claude.create()
    assert exc_info.value.type == named
    assert exc_info.value.request_id == exc_info.value.response.json()["request_id"]
    (entry,) = claude.ledger()
    assert (entry["fault"], entry["status"], entry["usd"]) == (kind, exc_info.value.status_code, 0)
    assert claude.create().stop_reason == "end_turn"


def test_a_rate_limit_says_when_to_come_back_only_if_told_to(claude: Claude) -> None:
    for how, header in (({"retry_after_s": 2.5}, "2.5"), ({"retry_after_s": 7}, "7"), ({}, None)):
        claude.inject_fault("rate_limit", **how)
        with pytest.raises(anthropic.RateLimitError) as exc_info:
            claude.create()
        assert exc_info.value.response.headers.get("retry-after") == header


def test_a_spend_limit_carries_its_code_and_no_time(claude: Claude) -> None:
    claude.inject_fault("spend_limit")
    with pytest.raises(anthropic.RateLimitError) as exc_info:
        claude.create()
    assert exc_info.value.error_code == "enforced_spend_limit_reached"
    assert "retry-after" not in exc_info.value.response.headers


def test_ones_own_usage_limit_is_a_400_that_begins_as_documented(claude: Claude) -> None:
    claude.inject_fault("usage_limit")
    with pytest.raises(anthropic.BadRequestError) as exc_info:
        claude.create()
    assert str(exc_info.value.api_message).startswith("You have reached your specified API usage limits")


@pytest.mark.parametrize(
    ("kind", "status", "billed"), [("cut_before", None, False), ("cut_after_billing", 200, True)]
)
def test_a_cut_connection_is_billed_only_if_it_was_cut_after_the_work(
    claude: Claude, kind: str, status: int | None, billed: bool
) -> None:
    claude.inject_fault(kind, next=1)
    with pytest.raises(anthropic.APIConnectionError):
        claude.create()
    (entry,) = claude.ledger()
    assert entry["status"] == status
    assert (entry["usd"] > 0) is billed


def test_a_slow_answer_outlasts_an_impatient_client_and_is_billed_all_the_same(claude: Claude) -> None:
    claude.inject_fault("slow", seconds=30)
    with pytest.raises(anthropic.APITimeoutError):
        claude.sdk.with_options(timeout=0.3).messages.create(
            model="claude-haiku-5-5", max_tokens=100, messages=[{"role": "user", "content": "Hello"}]
        )
    (entry,) = claude.ledger()
    assert entry["fault"] == "slow"
    assert entry["usd"] > 0


def test_every_answer_takes_the_latency_asked_for(claude: Claude) -> None:
    claude.change_settings(latency_s=0.2, jitter_s=0.05).raise_for_status()
    started = time.monotonic()
    claude.create()
    assert 0.15 <= time.monotonic() - started < 2


def test_a_latency_is_spread_evenly_by_its_jitter() -> None:
    app = App(Settings(latency_s=1.0, jitter_s=0.3))
    body = '{"model": "claude-haiku-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": "%d"}]}'
    asked = (
        HttpRequest(method="POST", path="/v1/messages", headers={"x-api-key": "k"}, body=(body % n).encode())
        for n in range(200)
    )
    waits = sorted(app.handle(request, "req").delay_s for request in asked)
    assert 0.7 <= waits[0] < 0.75
    assert 0.95 < sum(waits) / len(waits) < 1.05
    assert 1.25 < waits[-1] <= 1.3


def test_a_truncated_answer_is_half_a_json(claude: Claude) -> None:
    claude.inject_fault("truncated")
    message = claude.create()
    assert message.stop_reason == "max_tokens"
    with pytest.raises(json.JSONDecodeError):
        json.loads(text_of(message))


def test_too_small_a_limit_truncates_without_any_fault(claude: Claude) -> None:
    message = claude.create(max_tokens=150)
    assert (message.stop_reason, message.usage.output_tokens) == ("max_tokens", 150)


def test_a_refusal_is_billed_and_explains_itself(claude: Claude) -> None:
    claude.inject_fault("refusal")
    message = claude.create()
    assert message.stop_reason == "refusal"
    assert message.stop_details is not None
    assert message.stop_details.category == "general_harms"
    assert claude.ledger()[0]["usd"] > 0


def test_invalid_json_ends_as_if_nothing_were_wrong(claude: Claude) -> None:
    claude.inject_fault("invalid_json")
    message = claude.create()
    assert message.stop_reason == "end_turn"
    with pytest.raises(json.JSONDecodeError):
        json.loads(text_of(message))


def test_answers_can_be_spoiled_one_by_one(claude: Claude) -> None:
    document = "Invoice number: 9\nAmount due: EUR 300. Bill to: A. Bell\n"
    spoiled = {}
    for kind in ("wrong_category", "other_capitals", "quote_not_in_document", "low_confidence"):
        claude.inject_fault(kind)
        spoiled[kind] = claude.answer(document)
    assert spoiled["wrong_category"]["category"] not in SLUGS
    assert spoiled["other_capitals"]["category"] == "INVOICE"
    assert not any(quote in document for quote in spoiled["quote_not_in_document"]["evidence"])
    assert spoiled["low_confidence"]["confidence"] < 40


def test_a_share_of_the_answers_can_be_unsure(claude: Claude) -> None:
    claude.change_settings(low_confidence_share=0.5).raise_for_status()
    unsure = sum(
        claude.answer(f"Invoice number: {n}. Amount due: EUR 300. Bill to: A")["confidence"] < 50
        for n in range(40)
    )
    assert 10 <= unsure <= 30


def unsure_at(claude: Claude, share: float, **settings: Any) -> set[int]:
    claude.change_settings(low_confidence_share=share, **settings).raise_for_status()
    texts = (f"Invoice number: {n}. Amount due: EUR 300. Bill to: A" for n in range(30))
    return {n for n, text in enumerate(texts) if claude.answer(text)["confidence"] < 50}


def test_an_answer_unsure_at_one_share_is_unsure_at_every_greater_one(claude: Claude) -> None:
    few, many, all_of_them = (unsure_at(claude, share) for share in (0.2, 0.6, 1.0))
    assert set() < few < many < all_of_them == set(range(30))


def test_which_answers_are_unsure_depends_on_the_seed_and_not_on_what_was_asked_before(
    claude: Claude,
) -> None:
    first, again, other = (unsure_at(claude, 0.5, seed=seed) for seed in (1, 1, 2))
    assert first == again != other


def outcomes(claude: Claude, documents: list[str]) -> list[str]:
    said = []
    for document in documents:
        try:
            said.append(str(claude.create(document).stop_reason))
        except anthropic.APIStatusError as error:
            said.append(str(error.status_code))
    return said


def test_a_rate_strikes_a_share_of_requests_the_same_ones_each_time(claude: Claude) -> None:
    documents = [f"Document {number}" for number in range(40)]
    faults = [{"kind": "overloaded", "rate": 0.5}]
    claude.change_settings(faults=faults, seed=3)
    first = outcomes(claude, documents)
    claude.change_settings(faults=faults, seed=3)
    assert outcomes(claude, documents) == first
    assert 10 <= first.count("529") <= 30
    claude.change_settings(faults=faults, seed=4)
    assert outcomes(claude, documents) != first


def test_a_rate_gives_a_repeated_request_another_chance(claude: Claude) -> None:
    claude.change_settings(faults=[{"kind": "overloaded", "rate": 0.5}])
    assert set(outcomes(claude, ["The same"] * 20)) == {"529", "end_turn"}


def test_a_count_strikes_the_next_few_and_then_no_more(claude: Claude) -> None:
    claude.inject_fault("server_error", next=2)
    assert outcomes(claude, ["a", "b", "c"]) == ["500", "500", "end_turn"]


def test_a_marker_strikes_the_documents_that_hold_it_on_the_models_that_it_names(claude: Claude) -> None:
    claude.inject_fault("refusal", marker="TOP SECRET", model="haiku")
    assert outcomes(claude, ["all clear", "TOP SECRET"]) == ["end_turn", "refusal"]
    assert claude.create("TOP SECRET", model="claude-sonnet-5-5").stop_reason == "end_turn"


def test_of_several_faults_the_first_that_strikes_counts_and_slowness_adds_up(claude: Claude) -> None:
    claude.change_settings(
        faults=[{"kind": "slow", "seconds": 0.2}, {"kind": "billing", "next": 1}, {"kind": "refusal"}]
    )
    started = time.monotonic()
    assert outcomes(claude, ["a", "b"]) == ["402", "refusal"]
    assert time.monotonic() - started >= 0.4


@pytest.mark.parametrize(
    ("settings", "named"),
    [({"faults": [{"kind": "gremlins"}]}, "faults.0.kind"), ({"faults": {}}, "faults: must be a list"),
     ({"faults": [{"kind": "slow"}]}, "seconds"), ({"faults": [{"kind": "billing", "rate": 2}]}, "rate"),
     ({"faults": [{"kind": "billing", "rate": 0.1, "next": 1}]}, "one of rate, next and marker"),
     ({"faults": [{"kind": "billing", "next": 1.5}]}, "whole number"),
     ({"faults": [{"kind": "billing", "colour": 1}]}, "colour"), ({"latency": 1}, "latency_s"),
     ({"latency_s": "long"}, "latency_s"), ({"low_confidence_share": 2}, "low_confidence_share"),
     ({"seed": True}, "seed"), ({"requests_per_minute": 0}, "requests_per_minute"),
     ({"input_tokens_per_minute": 1.5}, "whole number"), ({"burst_s": -1}, "burst_s"),
     ({"spend_limit_usd": "much"}, "spend_limit_usd"), ({"burst_s": None}, "burst_s")],
)  # fmt: skip
def test_a_wrong_setting_is_a_400_that_names_it_and_changes_nothing(
    claude: Claude, settings: dict[str, Any], named: str
) -> None:
    response = claude.change_settings(**settings)
    assert response.status_code == 400
    assert named in response.json()["error"]["message"]
    assert claude.create().stop_reason == "end_turn"


def test_a_fault_on_the_command_line_reads_as_one_in_json() -> None:
    fault = parse_fault("rate_limit:rate=0.1,retry_after_s=2,model=haiku")
    assert (fault.kind, fault.rate, fault.retry_after_s, fault.model) == ("rate_limit", 0.1, 2.0, "haiku")
    assert parse_fault("refusal:marker=TOP SECRET").marker == "TOP SECRET"
    assert parse_fault("overloaded:next=3").next == 3
    with pytest.raises(ApiError, match="next"):
        parse_fault("overloaded:next=soon")
