"""Every way in which Claude can say no, proven by walking the SDK: each has one meaning."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast, get_args

import anthropic
import httpx2
import pytest

from pigeonhole.adapters.anthropic_client import AnthropicClient, classify
from pigeonhole.domain.errors import Defect, DocumentError, PigeonholeError, RetryCause, StopAll, TryLater
from tests.contract.anthropic_error_classes import MEANING, MEANINGS
from tests.contract.claude_server import Api

REQUEST = {
    "model": "claude-haiku-5-5",
    "max_tokens": 10,
    "messages": [{"role": "user", "content": "hello"}],
}

OUR_ERROR = {
    "document": DocumentError,
    "later": TryLater,
    "stop": StopAll,
    "by its words": DocumentError,
    "ours": Defect,
}


def classes(of: type[BaseException] = anthropic.AnthropicError) -> Iterator[type[BaseException]]:
    for kind in of.__subclasses__():
        yield kind
        yield from classes(kind)


def walked() -> list[type[BaseException]]:
    """All of them: many are defined among the SDK's types, and known once those are loaded."""
    for module in pkgutil.walk_packages(anthropic.types.__path__, "anthropic.types."):
        importlib.import_module(module.name)
    ours = {kind for kind in classes() if kind.__module__.partition(".")[0] == "anthropic"}
    return sorted(ours, key=lambda kind: kind.__name__)


SDK = walked()
REPLIES = [kind for kind in SDK if issubclass(kind, anthropic.APIStatusError)]
OTHERS = [kind for kind in SDK if kind not in REPLIES]


@pytest.fixture(scope="module")
def claude(api: Api) -> AnthropicClient:
    return AnthropicClient("key", api.url)


def no(claude: AnthropicClient) -> PigeonholeError:
    with pytest.raises(PigeonholeError) as raised:
        claude.ask(REQUEST, timeout=5)
    return raised.value


def code_of(kind: type[BaseException]) -> str | None:
    codes = get_args(inspect.get_annotations(kind).get("error_code"))
    return codes[0] if codes and isinstance(codes[0], str) else None


def test_every_class_of_the_sdk_has_one_meaning() -> None:
    assert {kind.__name__ for kind in SDK} == set(MEANING)
    assert len(MEANING) == sum(len(names.split()) for names in MEANINGS.values())


@pytest.mark.parametrize("kind", REPLIES, ids=lambda kind: kind.__name__)
def test_every_reply_that_the_sdk_has_a_class_for_means_that(
    claude: AnthropicClient, api: Api, kind: type[anthropic.APIStatusError]
) -> None:
    status = getattr(kind, "status_code", 500 if kind is anthropic.InternalServerError else 418)
    api.refuses(status, code=code_of(kind))
    error = no(claude)
    assert type(error.__cause__) is kind
    assert type(error) is OUR_ERROR[MEANING[kind.__name__]]
    assert len(api.asked) == 1


@pytest.mark.parametrize("kind", OTHERS, ids=lambda kind: kind.__name__)
def test_every_other_error_of_the_sdk_means_that(kind: type[anthropic.AnthropicError]) -> None:
    assert type(classify(made(kind))) is OUR_ERROR[MEANING[kind.__name__]]


def made(kind: type[anthropic.AnthropicError]) -> anthropic.AnthropicError:
    """One with all that its class asks for."""
    request = httpx2.Request("POST", "http://x")
    known = {"request": request, "response": httpx2.Response(200, request=request)}
    build: Any = kind
    asked = [
        each.name
        for each in list(inspect.signature(build.__init__).parameters.values())[1:]
        if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    return cast(anthropic.AnthropicError, build(**{name: known.get(name, "x") for name in asked}))


STOPPING = {401: "credentials", 402: "claude", 403: "credentials", 404: "claude"}
UNBILLED = {429, 503, 529}
LATER = {408, 409, 499, *UNBILLED, *range(500, 600)}


@pytest.mark.parametrize("status", range(400, 600))
def test_every_status_means_one_thing_whatever_the_body(
    claude: AnthropicClient, api: Api, status: int
) -> None:
    for body in (b"", b"<html>", b"[1]", b'"x"', b'{"error": "x"}', b'{"error": {"message": 1}}'):
        api.says(status, body)
        error = no(claude)
        if status in STOPPING:
            assert isinstance(error, StopAll)
            assert error.waiting_for == STOPPING[status]
        elif status in LATER:
            assert isinstance(error, TryLater)
            assert error.cause is (RetryCause.THROTTLED if status in UNBILLED else RetryCause.BILLED)
            assert 1 <= error.seconds <= 60
        else:
            # A 400 that is not the API's own, of a gateway for instance, is no document's fault.
            assert type(error) is (DocumentError if status == 413 else Defect)


DATE = "Wed, 21 Oct 2026 07:28:00 GMT"
WAITS = {"7": 7, "0": 1, "-5": 1, "0.5": 1, "1e9": 43_000, "inf": None, "nan": None, DATE: None}


@pytest.mark.parametrize("status", sorted(LATER & {*range(408, 506), 529}))
@pytest.mark.parametrize(("given", "expected"), WAITS.items(), ids=WAITS)
def test_a_wait_that_claude_asks_for_is_kept_within_reason(
    claude: AnthropicClient, api: Api, status: int, given: str, expected: float | None
) -> None:
    api.refuses(status)
    unasked = no(claude)
    api.refuses(status, retry_after=given)
    error = no(claude)
    assert isinstance(unasked, TryLater)
    assert isinstance(error, TryLater)
    assert error.seconds == (unasked.seconds if expected is None else expected)


def test_a_rate_limit_is_never_taken_for_the_end_of_the_month(claude: AnthropicClient, api: Api) -> None:
    api.refuses(429, "This request would exceed your organization's rate limit", retry_after="3")
    error = no(claude)
    assert isinstance(error, TryLater)
    assert error.seconds == 3


def test_the_tiers_spend_limit_lasts_to_the_first_of_next_month(claude: AnthropicClient, api: Api) -> None:
    before = datetime.now(UTC)
    api.refuses(429, "enough", code="enforced_spend_limit_reached", retry_after="3")
    stop = no(claude)
    assert isinstance(stop, StopAll)
    assert stop.waiting_for == "claude"
    assert stop.until is not None
    assert (stop.until.day, stop.until.hour, stop.until.minute, stop.until.second) == (1, 0, 0, 0)
    assert stop.until.tzinfo is UTC
    assert 0 < (stop.until - before).total_seconds() <= 31 * 24 * 60 * 60


@pytest.mark.parametrize(("month", "expected"), [(1, (2026, 2)), (11, (2026, 12)), (12, (2027, 1))])
def test_the_next_month_is_right_all_year(
    monkeypatch: pytest.MonkeyPatch, month: int, expected: tuple[int, int]
) -> None:
    class Then(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Then:
            return cls(2026, month, 30, 23, 59, 59, tzinfo=tz)

    monkeypatch.setattr("pigeonhole.adapters.anthropic_client.datetime", Then)
    reply = httpx2.Response(429, request=httpx2.Request("POST", "http://x"))
    body = {"error": {"details": {"error_code": "enforced_spend_limit_reached"}}}
    stop = classify(anthropic.RateLimitError("m", response=reply, body=body))
    assert isinstance(stop, StopAll)
    assert stop.until is not None
    assert (stop.until.year, stop.until.month) == expected


ACCOUNT = [
    "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.",
    "You have reached your specified workspace API usage limits. You will regain access on 2026-12-01.",
    "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.",
    "This organization has been disabled.",
]


@pytest.mark.parametrize("said", ACCOUNT)
def test_a_400_about_the_account_fails_no_document(claude: AnthropicClient, api: Api, said: str) -> None:
    api.refuses(400, said)
    stop = no(claude)
    assert isinstance(stop, StopAll)
    assert stop.waiting_for == "claude"
    assert stop.detail == said


OURS = [
    '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive".',
    "adaptive thinking is not supported on this model",
    "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
    "output_config.effort: 'max' is not supported for this model.",
    "This model does not support the effort parameter.",
    "output_config.format.schema: Schema is too complex for compilation",
    "max_tokens: 200000 > 128000, which is the maximum allowed number of output tokens for claude-haiku-5-5",
    "temperature: non-default values are not supported for this model",
    'tool_choice: "any" is not supported for this model.',
    "Prefilling: the assistant message prefill is not supported here.",
    "system: text content blocks must be non-empty",
    "model: Field required",
]
THEIRS = [
    "messages.0.content.1.image.source: this format is not supported by this model",
    "prompt is too long: 1200000 tokens > 1000000 maximum",
    "input length and `max_tokens` exceed context limit: 199000 + 4096 > 200000, decrease input length",
    "messages.0.content.1.image.source.base64.data: The image was not valid",
    "messages.0.content.1.image.source.base64: image exceeds 10 MB maximum: 11000000 bytes > 10485760 bytes",
    "Could not process image",
    "The PDF specified was not valid.",
    "Output blocked by content filtering policy",
]


@pytest.mark.parametrize("said", OURS)
def test_a_400_about_a_parameter_is_our_mistake(claude: AnthropicClient, api: Api, said: str) -> None:
    api.refuses(400, said)
    assert type(no(claude)) is Defect


@pytest.mark.parametrize("said", THEIRS)
def test_a_400_about_the_content_is_the_documents_fault(claude: AnthropicClient, api: Api, said: str) -> None:
    api.refuses(400, said)
    error = no(claude)
    assert isinstance(error, DocumentError)
    assert (error.code, error.detail) == ("rejected", said)
