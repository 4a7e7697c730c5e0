"""Claude's adapter over HTTP: the reply that was paid for, and every trouble on the way to it."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

import pytest

from pigeonhole.adapters.anthropic_client import AnthropicClient
from pigeonhole.claude import answer_form, prompt
from pigeonhole.domain.document import Coverage, Reply, Text, Tier
from pigeonhole.domain.errors import DocumentError, PigeonholeError, RetryCause, StopAll, TryLater
from tests.contract.claude_server import MESSAGE, Api, OfflineClaude
from tests.support.builders import TAXONOMY, tier_config

INVOICE = "INVOICE No. 7\nBill to: Ada Ltd\nAmount due: 12.00 EUR\nPayment due within 14 days."
MODELS = {Tier.FAST: "claude-haiku-5-5", Tier.STRONG: "claude-sonnet-5-5"}


def request(tier: Tier = Tier.FAST) -> Mapping[str, Any]:
    text = Text(media_type="text/plain", body=(INVOICE,), coverage=Coverage())
    return prompt.prepare(text, TAXONOMY, tier_config(tier)).request


def ask(url: str, tier: Tier = Tier.FAST, timeout: float = 10) -> Reply:
    return AnthropicClient("key", url).ask(request(tier), timeout=timeout)


def no(url: str, timeout: float = 10) -> PigeonholeError:
    with pytest.raises(PigeonholeError) as raised:
        ask(url, timeout=timeout)
    return raised.value


@pytest.mark.parametrize("tier", list(MODELS))
def test_a_document_gets_its_answer_from_either_model(offline: OfflineClaude, tier: Tier) -> None:
    reply = ask(offline.url, tier)
    said = answer_form.interpret(reply, TAXONOMY)
    assert said.category == "invoice"
    assert (reply.model, reply.stop_reason) == (MODELS[tier], "end_turn")
    assert reply.request_id
    [entry] = offline.ledger()
    assert entry["model"] == MODELS[tier]
    assert entry["tokens"]["input"] == reply.usage.input_tokens > 100
    assert entry["tokens"]["output"] == reply.usage.output_tokens > 10


REFUSED = {
    "rate_limit": (TryLater, RetryCause.THROTTLED),
    "overloaded": (TryLater, RetryCause.THROTTLED),
    "unavailable": (TryLater, RetryCause.THROTTLED),
    "server_error": (TryLater, RetryCause.BILLED),
    "timeout": (TryLater, RetryCause.BILLED),
    "request_timeout": (TryLater, RetryCause.BILLED),
    "conflict": (TryLater, RetryCause.BILLED),
    "cut_before": (TryLater, RetryCause.BILLED),
    "cut_after_billing": (TryLater, RetryCause.BILLED),
    "spend_limit": (StopAll, "claude"),
    "usage_limit": (StopAll, "claude"),
    "billing": (StopAll, "claude"),
    "not_found": (StopAll, "claude"),
    "authentication": (StopAll, "credentials"),
    "permission": (StopAll, "credentials"),
    "too_large": (DocumentError, "rejected"),
}


@pytest.mark.parametrize(("fault", "expected"), REFUSED.items(), ids=REFUSED)
def test_each_trouble_is_one_error_and_one_request(
    offline: OfflineClaude, fault: str, expected: tuple[type[PigeonholeError], object]
) -> None:
    offline.suffers(fault)
    error = no(offline.url)
    field = {TryLater: "cause", StopAll: "waiting_for", DocumentError: "code"}[expected[0]]
    assert (type(error), getattr(error, field)) == expected
    assert [entry["retry_count"] for entry in offline.ledger()] == [0]


def test_a_wait_that_is_asked_for_is_passed_on_and_not_slept(offline: OfflineClaude) -> None:
    offline.suffers("rate_limit", retry_after_s=77)
    error = no(offline.url, timeout=2)
    assert isinstance(error, TryLater)
    assert error.seconds == 77


def test_an_answer_that_comes_too_late_may_have_been_billed(offline: OfflineClaude) -> None:
    offline.suffers("slow", seconds=5)
    error = no(offline.url, timeout=0.3)
    assert isinstance(error, TryLater)
    assert error.cause is RetryCause.BILLED
    assert len(offline.ledger()) == 1


@pytest.mark.parametrize("fault", ["truncated", "refusal", "invalid_json", "wrong_category"])
def test_a_reply_that_is_no_answer_is_kept_as_it_came(offline: OfflineClaude, fault: str) -> None:
    offline.suffers(fault)
    reply = ask(offline.url)
    assert reply.usage.output_tokens > 0
    with pytest.raises(answer_form.UnusableReplyError):
        answer_form.interpret(reply, TAXONOMY)


def test_a_refused_connection_has_cost_nothing() -> None:
    with socket.socket() as listening:  # bound and never listening: nobody else gets the port meanwhile
        listening.bind(("127.0.0.1", 0))
        error = no(f"http://127.0.0.1:{listening.getsockname()[1]}")
    assert isinstance(error, TryLater)
    assert error.cause is RetryCause.THROTTLED


def test_a_connection_that_is_never_made_has_cost_nothing() -> None:
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for other in (first, second):  # its queue is full now: the next one hears nothing
            other.setblocking(False)
            other.connect_ex(deaf.getsockname())
        error = no(f"http://127.0.0.1:{deaf.getsockname()[1]}", timeout=0.3)
    assert isinstance(error, TryLater)
    assert error.cause is RetryCause.THROTTLED


@pytest.mark.parametrize("url", ["gateway.example.org", "ftp://127.0.0.1/"])
def test_an_address_that_is_none_has_cost_nothing(url: str) -> None:
    error = no(url)
    assert isinstance(error, TryLater)
    assert error.cause is RetryCause.THROTTLED


def test_blocks_are_chosen_by_their_kind_and_not_by_their_place(api: Api) -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "x"}
    texts = [{"type": "text", "text": "one "}, {"type": "of tomorrow"}, {"type": "text", "text": "two"}]
    api.says(200, MESSAGE | {"content": [thought, *texts]})
    assert ask(api.url).text == "one two"


def test_every_kind_of_token_is_counted(api: Api) -> None:
    billed = {"cache_read_input_tokens": 5, "cache_creation_input_tokens": 7}
    api.says(200, MESSAGE | {"usage": {"input_tokens": 3, "output_tokens": 2} | billed})
    usage = ask(api.url).usage
    counts = (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens)
    assert counts == (3, 2, 5, 7)


def test_a_reply_holds_nothing_that_cannot_be_written_down(api: Api) -> None:
    api.says(200, MESSAGE | {"content": [{"type": "text", "text": "a\ud800b \u0000 😀"}]})
    assert ask(api.url).text == "a?b \u0000 😀"


def test_a_reply_without_a_reason_to_stop_is_no_crash(api: Api) -> None:
    api.says(200, MESSAGE | {"stop_reason": None, "content": []})
    reply = ask(api.url)
    assert (reply.text, reply.stop_reason) == ("", "unknown")


GARBLED: dict[str, object] = {
    "nothing": b"",
    "half a JSON": b'{"id":',
    "not UTF-8": b'"\xff"',
    "a page": b"<html>",
    "an empty object": {},
    "a list": [],
    "null": b"null",
    "a string": "x",
    "no content": MESSAGE | {"content": None},
    "a text as content": MESSAGE | {"content": "hello"},
    "a block without text": MESSAGE | {"content": [{"type": "text"}]},
    "a number as text": MESSAGE | {"content": [{"type": "text", "text": 5}]},
    "no usage": MESSAGE | {"usage": None},
    "words as usage": MESSAGE | {"usage": {"input_tokens": "many", "output_tokens": 1}},
}


@pytest.mark.parametrize("body", GARBLED.values(), ids=GARBLED)
def test_a_success_that_is_no_message_is_tried_again_and_may_have_been_billed(api: Api, body: object) -> None:
    api.says(200, body)
    error = no(api.url)
    assert isinstance(error, TryLater)
    assert error.cause is RetryCause.BILLED
    assert len(api.asked) == 1


def test_a_page_of_a_gateway_is_no_answer(api: Api) -> None:
    api.says(200, b"<html>please log in</html>", content_type="text/html")
    assert isinstance(no(api.url), TryLater)


def test_an_answer_that_trickles_in_for_ever_is_too_late_and_may_have_been_billed(api: Api) -> None:
    api.says(200, MESSAGE, pause=0.05)
    error = no(api.url, timeout=0.3)
    assert isinstance(error, TryLater)
    assert (error.reason, error.cause) == ("Claude did not answer in time", RetryCause.BILLED)


def test_an_answer_cut_off_in_the_middle_may_have_been_billed(api: Api) -> None:
    api.says(200, b'{"id":', promised=1000)
    error = no(api.url)
    assert isinstance(error, TryLater)
    assert error.cause is RetryCause.BILLED


def test_the_error_says_nothing_of_the_document(api: Api) -> None:
    for status in (400, 401, 413, 429, 500):
        api.refuses(status, "m" * 1000)
        assert "Ada Ltd" not in str(no(api.url))
        assert len(str(no(api.url))) < 400


def test_the_request_goes_out_as_it_was_written_with_the_key(api: Api) -> None:
    api.says(200, MESSAGE)
    ask(api.url)
    assert api.asked == [request()]
    assert api.keys == ["Bearer key"]
