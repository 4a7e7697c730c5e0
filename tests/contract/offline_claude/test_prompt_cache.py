"""The offline Claude's prompt cache: what is written, what is read, for how long, and what each costs."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import pytest
from anthropic.types import Usage

from infra.local.offline_claude import Settings
from infra.local.offline_claude.api.app import App
from infra.local.offline_claude.api.http_messages import HttpRequest
from tests.contract.offline_claude.client import ANSWER_SCHEMA, PROPERTIES, SYSTEM, Claude, obj, output
from tests.contract.offline_claude.clock import FakeClock

LONG = SYSTEM + " Rules follow." * 300


@pytest.fixture
def claude(clocked_claude: Claude) -> Claude:
    return clocked_claude


def block(text: str = LONG, ttl: str | None = None) -> dict[str, Any]:
    control = {"type": "ephemeral"} | ({"ttl": ttl} if ttl else {})
    return {"type": "text", "text": text, "cache_control": control}


def plain(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def says(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(blocks)}]}


def usage(claude: Claude, **changes: Any) -> Usage:
    return claude.create(**{"system": [block()], **changes}).usage


def kinds(used: Usage) -> tuple[int, int, int]:
    """Written for five minutes, written for an hour, read."""
    written = used.cache_creation
    assert written is not None
    five_minutes, one_hour = written.ephemeral_5m_input_tokens, written.ephemeral_1h_input_tokens
    assert used.cache_creation_input_tokens == five_minutes + one_hour
    return five_minutes, one_hour, used.cache_read_input_tokens or 0


@pytest.mark.parametrize("ttl", [None, "5m", "1h"])
def test_a_marked_prefix_is_written_once_and_then_read(claude: Claude, ttl: str | None) -> None:
    first, second = (kinds(usage(claude, system=[block(ttl=ttl)], document=text)) for text in ("one", "two"))
    written = first[1] if ttl == "1h" else first[0]
    assert written > 512
    assert sum(first) == written
    assert second == (0, 0, written)


def test_without_a_mark_nothing_is_cached(claude: Claude) -> None:
    assert [kinds(usage(claude, system=LONG)) for _ in range(2)] == [(0, 0, 0)] * 2


def test_cached_tokens_are_not_counted_as_input_again(claude: Claude) -> None:
    whole = usage(claude, system=[plain(LONG)]).input_tokens
    for _ in range(2):
        used = usage(claude)
        assert used.input_tokens + sum(kinds(used)) == whole


@pytest.mark.parametrize(
    ("model", "least"),
    [("claude-haiku-5-5", 512), ("claude-sonnet-5-5", 512), ("claude-opus-5-5", 512),
     ("claude-sonnet-4-6", 1_024), ("claude-haiku-4-5", 4_096)],
)  # fmt: skip
def test_a_prefix_below_the_models_least_is_not_cached_and_no_error(
    claude: Claude, model: str, least: int
) -> None:
    claude.change_settings(tokens_per_byte=1.0).raise_for_status()
    request: dict[str, Any] = {"model": model, "output_config": None}
    for length, written in ((least - 1, 0), (least, least)):
        assert sum(kinds(usage(claude, system=[block("x" * length)], **request))) == written


@pytest.mark.parametrize(("ttl", "seconds"), [("5m", 300), ("1h", 3_600)])
def test_what_was_written_is_forgotten_after_its_time(
    claude: Claude, clock: FakeClock, ttl: str, seconds: int
) -> None:
    written = sum(kinds(usage(claude, system=[block(ttl=ttl)])))
    clock.now += seconds
    assert kinds(usage(claude, system=[block(ttl=ttl)]))[2] == 0
    clock.now += seconds - 1
    assert kinds(usage(claude, system=[block(ttl=ttl)]))[2] == written


def test_every_use_begins_the_time_anew(claude: Claude, clock: FakeClock) -> None:
    usage(claude)
    for _ in range(5):
        clock.now += 299
        assert kinds(usage(claude))[2] > 0


CHANGES: list[tuple[str, dict[str, Any], bool]] = [
    ("document", {"document": "another"}, True),
    ("max_tokens", {"max_tokens": 500}, True),
    ("thinking", {"thinking": {"type": "disabled"}}, True),
    ("system", {"system": [block("!" + LONG)]}, False),
    ("schema", {"output_config": output(obj(PROPERTIES | {"more": {"type": "string"}}))}, False),
    ("tools", {"tools": [{"name": "sort", "input_schema": ANSWER_SCHEMA}]}, False),
    ("model", {"model": "claude-sonnet-5-5"}, False),
]


@pytest.mark.parametrize(("changes", "read"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_a_system_prompt_is_read_unless_what_stands_before_it_changes(
    claude: Claude, changes: dict[str, Any], read: bool
) -> None:
    usage(claude)
    assert bool(kinds(usage(claude, **changes))[2]) is read


def test_other_thinking_invalidates_the_messages_but_not_the_system_prompt(claude: Claude) -> None:
    request = {"system": [block()], **says(block("Hello"))}
    whole = sum(kinds(usage(claude, **request)))
    written, _, read = kinds(usage(claude, **request, thinking={"type": "disabled"}))
    assert written > 0
    assert read + written == whole


def test_of_several_breakpoints_the_longest_written_one_is_read_and_the_rest_written(claude: Claude) -> None:
    first, again = (
        kinds(usage(claude, system=[block(ttl="1h"), block("Team rules." * 50)])) for _ in range(2)
    )
    assert min(first[:2]) > 0
    assert again == (0, 0, sum(first))
    second = kinds(usage(claude, system=[block(ttl="1h"), block("Other rules." * 50)]))
    assert second[0] > 0
    assert second[1:] == (0, first[1])


def test_a_breakpoint_finds_what_was_written_up_to_twenty_blocks_before_it(claude: Claude) -> None:
    usage(claude)
    for added, read in ((19, True), (20, False)):
        blocks = [plain(f"Line {number} of {added}.") for number in range(added - 1)]
        used = usage(claude, system=[plain(LONG), *blocks, block("The end.")])
        assert bool(kinds(used)[2]) is read


def test_a_mark_on_the_request_caches_its_last_block(claude: Claude) -> None:
    request = {"system": SYSTEM, "document": "word " * 900, "cache_control": {"type": "ephemeral"}}
    first, second = (usage(claude, **request) for _ in range(2))
    assert kinds(first)[0] == kinds(second)[2]
    assert second.input_tokens < 10


def test_a_marked_user_block_is_cached_with_all_before_it(claude: Claude) -> None:
    first = kinds(usage(claude, system=LONG, **says(block("Hello"), plain("A"))))
    second = kinds(usage(claude, system=LONG, **says(block("Hello"), plain("B"))))
    assert first[0] == second[2] > 512


def test_a_marked_tool_is_cached(claude: Claude) -> None:
    tool = {
        "name": "sort",
        "description": LONG,
        "input_schema": ANSWER_SCHEMA,
        "cache_control": {"type": "ephemeral"},
    }
    first, second = (kinds(usage(claude, system=text, tools=[tool])) for text in ("One", "Two"))
    assert first[0] == second[2] > 512


def test_simultaneous_first_requests_each_write_until_the_first_reply_is_ready() -> None:
    clock = FakeClock()
    app = App(Settings(latency_s=2.0), clock)
    body = json.dumps(
        {"model": "claude-haiku-5-5", "max_tokens": 500, "system": [block()], **says(plain("Hi"))}
    )
    request = HttpRequest(method="POST", path="/v1/messages", headers={"x-api-key": "k"}, body=body.encode())

    def read() -> bool:
        reply: Any = app.handle(request, "req").body
        return bool(reply["usage"]["cache_read_input_tokens"])

    assert [read(), read()] == [False, False]
    clock.now += 1.9
    assert not read()
    clock.now += 0.1
    assert [read(), read()] == [True, True]


@pytest.mark.parametrize("kind", ["overloaded", "cut_before"])
def test_a_request_that_was_not_answered_writes_nothing(claude: Claude, kind: str) -> None:
    claude.inject_fault(kind, next=1)
    with pytest.raises(anthropic.APIError):
        usage(claude)
    assert kinds(usage(claude))[2] == 0


def test_a_reset_forgets_what_was_cached(claude: Claude) -> None:
    usage(claude)
    claude.reset()
    assert kinds(usage(claude))[2] == 0


def test_the_ledger_bills_each_kind_of_token_at_its_own_price(claude: Claude) -> None:
    system = [block(ttl="1h"), block("More rules." * 20)]
    for _ in range(2):
        usage(claude, model="claude-sonnet-5-5", system=system)
    price = {"input": 2, "output": 10, "cache_write_5m": 2.5, "cache_write_1h": 4, "cache_read": 0.1}
    written, read = claude.ledger()
    assert {kind for kind, count in written["tokens"].items() if count} == set(price) - {"cache_read"}
    assert read["tokens"]["cache_read"] > 0
    for entry in (written, read):
        cost = sum(count * price[kind] for kind, count in entry["tokens"].items()) / 1e6
        assert entry["usd"] == pytest.approx(cost, rel=1e-9)


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"system": [block("a")] * 5}, "maximum of 4 blocks"),
     ({"system": [block("a")] * 4, "cache_control": {"type": "ephemeral"}}, "maximum of 4 blocks"),
     ({"system": [block("a", ttl="2h")]}, "system.0.cache_control.ephemeral.ttl"),
     ({"system": [plain("a") | {"cache_control": {"type": "eternal"}}]}, "system.0.cache_control.type"),
     ({"system": [block("a", ttl="5m"), block("b", ttl="1h")]}, "must not come after"),
     (says(block("a")) | {"cache_control": {"type": "ephemeral", "ttl": "1h"}}, "different ttl")],
    ids=["five", "four and the last", "two hours", "eternal", "longer after shorter", "two ttls at once"],
)  # fmt: skip
def test_marks_the_api_would_not_take_are_a_400(claude: Claude, changes: dict[str, Any], named: str) -> None:
    with pytest.raises(anthropic.BadRequestError, match=named):
        claude.create(**changes)


def test_four_marks_are_taken(claude: Claude) -> None:
    assert claude.create(system=[block("a")] * 4).stop_reason == "end_turn"
