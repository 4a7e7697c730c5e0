"""The offline Claude as a server: its endpoints, its ledger, and what it does with anything thrown at it."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import anthropic
import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.offline_claude import Fault, Settings, serve
from infra.local.offline_claude.api.app import App
from infra.local.offline_claude.api.http_messages import HttpRequest
from tests.contract.claude_server import OfflineClaude
from tests.contract.offline_claude.client import ANSWER_SCHEMA, SHORT_INVOICE, SYSTEM, Claude, output


@pytest.fixture
def raw(offline: OfflineClaude) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", int(offline.url.rsplit(":", 1)[1]), timeout=10)
    yield connection
    connection.close()


def test_models_say_what_they_hold_and_can(claude: Claude) -> None:
    listed = {model.id: model for model in claude.sdk.models.list()}
    assert list(listed) == [
        "claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5", "claude-sonnet-4-6", "claude-haiku-4-5",
    ]  # fmt: skip
    haiku = claude.sdk.models.retrieve("claude-haiku-5-5")
    assert haiku == listed["claude-haiku-5-5"]
    assert (haiku.max_input_tokens, haiku.max_tokens, haiku.lifecycle) == (1_000_000, 128_000, "active")
    assert haiku.capabilities is not None
    assert haiku.capabilities.thinking.types.disabled.supported
    assert not haiku.capabilities.thinking.types.enabled.supported


def test_an_unknown_model_is_a_404_that_names_it(claude: Claude) -> None:
    with pytest.raises(anthropic.NotFoundError, match="claude-9"):
        claude.sdk.models.retrieve("claude-9")
    with pytest.raises(anthropic.NotFoundError, match="claude-9"):
        claude.create(model="claude-9")


def test_counting_tokens_gives_what_a_message_then_reads_and_is_free(claude: Claude) -> None:
    message = claude.create(SHORT_INVOICE)
    counted = claude.sdk.messages.count_tokens(
        model="claude-haiku-5-5",
        system=SYSTEM,
        messages=[{"role": "user", "content": f"<document>\n{SHORT_INVOICE}\n</document>"}],
        output_config=output(ANSWER_SCHEMA),  # type: ignore[arg-type]
    )
    assert counted.input_tokens == message.usage.input_tokens
    assert len(claude.ledger()) == 1


@pytest.mark.parametrize(
    ("settings", "model", "expected"),
    [({}, "claude-haiku-4-5", 1_000), ({}, "claude-haiku-5-5", 1_300),
     ({"chars_per_token": 2.0}, "claude-haiku-5-5", 2_000),
     ({"tokens_per_byte": 1.0}, "claude-haiku-5-5", 8_000)],
)  # fmt: skip
def test_tokens_are_estimated_by_length_with_a_knob_up_to_one_a_byte(
    claude: Claude, settings: dict[str, Any], model: str, expected: int
) -> None:
    claude.change_settings(**settings).raise_for_status()
    none, many = (
        claude.sdk.messages.count_tokens(
            model=model, messages=[{"role": "user", "content": "x" + "é" * count}]
        ).input_tokens
        for count in (0, 4_000)
    )
    assert abs(many - none - expected) <= 1


@pytest.mark.parametrize(
    ("model", "words", "per_million"),
    [("claude-haiku-5-5", 10, (0.10, 0.50)), ("claude-haiku-5-5", 70_000, (0.50, 2.50)),
     ("claude-sonnet-5-5", 70_000, (2, 10)), ("claude-opus-5-5", 70_000, (4, 20)),
     ("claude-haiku-4-5", 10, (1, 5)), ("claude-sonnet-4-6", 10, (3, 15))],
)  # fmt: skip
def test_the_ledger_bills_every_message_at_its_models_price(
    claude: Claude, model: str, words: int, per_million: tuple[float, float]
) -> None:
    message = claude.create("words " * words, model=model)
    (entry,) = claude.ledger()
    usage = message.usage
    assert (entry["tokens"]["input"], entry["tokens"]["output"]) == (usage.input_tokens, usage.output_tokens)
    price = (usage.input_tokens * per_million[0] + usage.output_tokens * per_million[1]) / 1e6
    assert entry["usd"] == pytest.approx(price)
    assert (entry["model"], entry["status"], entry["stop_reason"]) == (model, 200, "end_turn")
    assert entry["request_id"] == message._request_id


def test_identical_requests_share_a_hash_and_others_do_not(claude: Claude) -> None:
    for document in ("a", "a", "b"):
        claude.create(document)
    first, second, third = (entry["request_hash"] for entry in claude.ledger())
    assert first == second != third


def test_a_refused_request_stands_in_the_ledger_without_a_price(claude: Claude) -> None:
    with pytest.raises(anthropic.BadRequestError):
        claude.create(max_tokens=0)
    (entry,) = claude.ledger()
    assert (entry["status"], entry["usd"], entry["fault"]) == (400, 0, None)


def test_replies_carry_their_id_and_what_is_left_of_the_minute(claude: Claude) -> None:
    reply = claude.sdk.messages.with_raw_response.create(
        model="claude-haiku-5-5", max_tokens=10, messages=[{"role": "user", "content": "Hello"}]
    )
    assert reply.headers["request-id"].startswith("req_offline_")
    for kind in ("requests", "tokens", "input-tokens", "output-tokens"):
        limit, remaining = (
            int(reply.headers[f"anthropic-ratelimit-{kind}-{what}"]) for what in ("limit", "remaining")
        )
        assert 0 < remaining <= limit
        assert reply.headers[f"anthropic-ratelimit-{kind}-reset"].endswith("Z")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x-api-key": "k"}, 200),
        ({"authorization": "Bearer k"}, 200),
        ({}, 401),
        ({"authorization": "Bearer"}, 401),
    ],
)
def test_either_kind_of_key_lets_in_and_none_does_not(
    claude: Claude, headers: dict[str, str], status: int
) -> None:
    assert httpx2.get(f"{claude.url}/v1/models", headers=headers).status_code == status


def test_streaming_is_refused_in_plain_words(claude: Claude) -> None:
    with pytest.raises(anthropic.BadRequestError, match="does not stream"):
        claude.create(stream=True)


def test_reset_forgets_requests_faults_and_settings(claude: Claude) -> None:
    claude.change_settings(faults=[{"kind": "billing"}], latency_s=0.01)
    with pytest.raises(anthropic.APIStatusError):
        claude.create()
    httpx2.post(f"{claude.url}/_offline/reset", json={}).raise_for_status()
    assert claude.ledger() == []
    assert claude.create().stop_reason == "end_turn"


def test_a_server_starts_with_the_faults_it_is_given_and_resets_to_them() -> None:
    faults = (Fault(kind="overloaded"),)
    with serve(settings=Settings(seed=5), faults=faults) as url, closing(Claude(url)) as claude:
        httpx2.post(f"{url}/_offline/reset", json={}).raise_for_status()
        with pytest.raises(anthropic.OverloadedError):
            claude.create()


def test_a_connection_is_kept_and_serves_one_request_after_another(
    raw: http.client.HTTPConnection,
) -> None:
    for _ in range(3):
        raw.request("GET", "/v1/models", headers={"x-api-key": "k"})
        reply = raw.getresponse()
        reply.read()
        assert (reply.status, reply.version) == (200, 11)
        assert raw.sock is not None


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [("POST", "/v1/messages", b"{", 400), ("POST", "/v1/messages", b"[]", 400),
     ("POST", "/v1/messages", b"\xff", 400),
     ("POST", "/v1/messages", b"[" * 100_000, 400),
     ("POST", "/v1/complete", b"{}", 404), ("GET", "/", b"", 404),
     ("GET", "/_offline/faults", b"", 404), ("POST", "/_offline/faults", b"nonsense", 400)],
    ids=["broken", "a list", "not UTF-8", "deep", "old path", "no path", "wrong method", "not JSON"],
)  # fmt: skip
def test_nonsense_is_answered_with_the_apis_own_error(
    raw: http.client.HTTPConnection, method: str, path: str, body: bytes, status: int
) -> None:
    raw.request(method, path, body, {"x-api-key": "k"})
    reply = raw.getresponse()
    assert reply.status == status
    assert json.loads(reply.read())["type"] == "error"


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 9_999), st.floats(), st.text(max_size=5),
              st.sampled_from(["user", "text", "image", "adaptive", "json_schema", "object"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["type", "role", "content", "text", "source", "format", "schema", "effort",
                             "name", "properties", "enum", "anyOf", "$ref", "items", "required", "data"]),
            inner, max_size=4)),
    max_leaves=8,
)  # fmt: skip
GOOD: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "max_tokens": 300,
    "messages": [{"role": "user", "content": SHORT_INVOICE}],
}
PARAMETERS = [
    *GOOD,
    "system",
    "thinking",
    "tools",
    "tool_choice",
    "output_config",
    "temperature",
    "stop_sequences",
]


@settings(max_examples=500)
@given(st.dictionaries(st.sampled_from(PARAMETERS), json_values, max_size=3))
def test_whatever_json_is_sent_the_answer_is_a_message_or_a_400_or_an_unknown_model(
    changes: dict[str, Any],
) -> None:
    body = json.dumps(GOOD | changes).encode()
    reply = App().handle(
        HttpRequest(method="POST", path="/v1/messages", headers={"x-api-key": "k"}, body=body), "req"
    )
    assert reply.status in (200, 400, 404)


@settings(max_examples=500)
@given(json_values)
def test_whatever_schema_is_sent_the_answer_is_a_message_or_a_400(schema: Any) -> None:
    body = json.dumps(GOOD | {"output_config": output(schema)}).encode()
    reply = App().handle(
        HttpRequest(method="POST", path="/v1/messages", headers={"x-api-key": "k"}, body=body), "req"
    )
    assert reply.status in (200, 400)


def test_it_listens_on_this_machine_alone(claude: Claude) -> None:
    port = int(claude.url.rsplit(":", 1)[1])
    with socket.socket() as other:
        other.settimeout(2)
        assert other.connect_ex(("127.0.0.2", port)) != 0


def test_stopping_wakes_a_waiting_request_and_frees_the_port() -> None:
    with serve(faults=(Fault(kind="slow", seconds=60),)) as url:
        waiting = threading.Thread(target=_ask_in_vain, args=(url,))
        waiting.start()
        while not Claude(url).ledger():
            time.sleep(0.01)
    waiting.join(5)
    assert not waiting.is_alive()
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{url}/_offline/ledger")


def _ask_in_vain(url: str) -> None:
    with closing(Claude(url)) as claude, suppress(anthropic.APIConnectionError):
        claude.create()
