"""Money on the local stack: no call goes past a cap, what is left over it is named, and all books agree."""

import json
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.cli import documents
from infra.cli.__main__ import app
from infra.cli.inputs import Found, find
from infra.cli.results import print_results, write
from infra.cli.run import caps
from infra.cli.submit import RunResult, submit_and_wait
from infra.local.lifecycle import StackOptions, local_stack
from infra.ops.services import operator
from infra.ops.stack import Stack
from pigeonhole.jobs.job import Job
from pigeonhole.money.account import month_ends

pytestmark = pytest.mark.stack

# One call of the strong model fits under it, and none after that; what it sets aside the fast ones lack.
CAP = 0.065
EASY, HARD = 12, 3
KINDS = {"input_tokens": "input", "output_tokens": "output", "cache_read_tokens": "cache_read",
         "cache_write_tokens": "cache_write_5m"}  # fmt: skip
INVOICE = "Invoice {0}\nBill to: Example Ltd\nTotal due: {0}.00 EUR, payable within 30 days\n"


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A folder that was sorted under the cap, until there was no money left."""

    stack: Stack
    files: Sequence[Found]
    result: RunResult
    seconds: float
    bill: dict[str, Any]

    def printed(self, *command: str) -> dict[str, Any]:
        """What a command prints as JSON."""
        ended = CliRunner().invoke(app, [*command, "--json"])
        assert ended.exit_code == 0, ended.output
        said: dict[str, Any] = json.loads(ended.stdout)
        return said


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    """The offline Claude stands in for the API, and has a bill of its own."""
    wanted = StackOptions(claude_options=["low_confidence:marker=HARD,model=haiku"], parameters=caps(CAP))
    files = find([_folder(tmp_path_factory.mktemp("papers"))])
    with local_stack(wanted) as stack, pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "running_stack", lambda: stack)
        result, began = RunResult(), time.monotonic()
        submit_and_wait(stack, files, result, patience=300, on_progress=lambda *_: None)
        seconds = time.monotonic() - began
        result.rows["legal/same.txt"] = stack.wait_row(
            stack.upload("legal/same.txt", INVOICE.format(4000).encode())
        )
        with urllib.request.urlopen(f"{stack.claude_url}/_offline/bill", timeout=10) as answer:
            bill = json.load(answer)
        yield Ended(stack=stack, files=files, result=result, seconds=seconds, bill=bill)


def _folder(folder: Path) -> Path:
    for number in range(EASY):
        team = folder / ("finance" if number % 2 else "legal")
        team.mkdir(exist_ok=True)
        (team / f"easy {number}.txt").write_text(INVOICE.format(4000 + number))
    for number in range(HARD):
        (folder / f"hard {number}.txt").write_text(INVOICE.format(5000 + number) + "HARD\n")
    return folder


def test_what_the_cap_allows_is_done_and_the_rest_is_named_as_over_it(ended: Ended):
    rows = ended.result.rows.values()
    assert {row["status"] for row in rows} == {"done"}
    assert len([row for row in rows if row["tier"] == "fast"]) == EASY + 1
    assert len([row for row in rows if row["tier"] == "strong"]) == 1
    assert len(ended.result.missing) == HARD - 1
    for key, why in ended.result.missing.items():
        waiting = ended.result.unfinished[key]["waiting"]
        assert why.startswith("over the cap: parked for spend_cap at escalation")
        assert waiting["until"] in why


def test_nobody_waits_for_a_cap_that_will_not_move(ended: Ended):
    assert ended.seconds < 200
    assert ended.stack.is_idle()
    assert ended.stack.sweep() == 0
    assert ended.result.log_errors == []


def test_a_run_that_leaves_some_over_the_cap_ends_with_three(
    ended: Ended, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    write(ended.files, ended.result, tmp_path, engine="api", seconds=1)
    assert print_results(ended.files, ended.result, tmp_path, engine="api", table=False, started=0) == 3
    assert capsys.readouterr().err.count("over the cap") == HARD - 1


def test_what_was_billed_is_within_the_cap(ended: Ended):
    assert 0 < ended.bill["usd"] <= CAP


def test_rows_usage_account_and_bill_agree_to_the_last_digit(ended: Ended):
    costs, billed = ended.printed("costs", "--by", "team"), round(ended.bill["usd"], 12)
    assert round(ended.result.sum_of("cost_usd"), 12) == billed
    assert costs["total"]["usd"] == billed
    assert costs["caps"] == [
        {"account": "stack", "day": {"usd": billed, "cap": CAP}, "month": {"usd": billed, "cap": CAP}}
    ]
    assert costs["total"]["calls"] == ended.bill["requests"] == EASY + HARD + 1
    assert (costs["total"]["reused"], costs["total"]["unsettled_usd"]) == (1, 0)
    for team in costs["groups"]:
        rows = [*ended.result.rows.values(), *ended.result.unfinished.values()]
        mine = sum(Decimal(str(row["cost_usd"])) for row in rows if row["team"] == team["name"])
        assert Decimal(str(team["usd"])) == mine


def test_tokens_of_every_kind_agree_with_the_bill(ended: Ended):
    for model in ended.printed("costs", "--by", "model")["groups"]:
        billed = ended.bill["models"][model["name"]]["tokens"]
        assert billed["cache_write_1h"] == 0
        for ours, theirs in KINDS.items():
            assert model[ours] == billed[theirs], ours


def test_what_the_strong_model_alone_would_have_cost_is_more(ended: Ended):
    costs = ended.printed("costs")
    assert costs["strong_alone_usd"] > costs["total"]["usd"]
    assert costs["saved"]["caching"] > 0
    assert costs["saved"]["reuse"] > 0


def test_people_get_it_in_words(ended: Ended):
    words = CliRunner().invoke(app, ["costs", "--by", "tier"]).stdout
    for each in ("fast", "strong", "Total", "The strong model alone", "Saved by caching", "of $0.065 ("):
        assert each in words


def test_the_status_says_what_is_used_of_the_caps_and_what_waits_for_them(ended: Ended):
    status = ended.printed("status")
    (cap,) = status["budget"]["caps"]
    assert cap["percent"] == int(100 * ended.bill["usd"] / CAP)
    (waiting,) = status["budget"]["parked"]
    until = {row["waiting"]["until"] for row in ended.result.unfinished.values()}
    assert waiting == {"account": "stack", "documents": HARD - 1, "until": min(until)}
    assert {"documents", "circuit_breaker", "queues", "parked"} < status.keys()
    assert f"stack: {HARD - 1}, until" in CliRunner().invoke(app, ["status"]).stdout


def test_a_redrive_tells_what_its_next_call_may_cost_and_which_cap_has_no_room_for_it(ended: Ended):
    words = CliRunner().invoke(app, ["redrive", next(iter(ended.result.missing))]).output
    (wanted,) = {job.charges.over_cap.usd for job in over_cap(ended.stack) if job.charges.over_cap}
    assert f"1 would be run again; they may cost ${wanted:.4f}" in words
    assert f"stack may spend ${CAP - ended.bill['usd']:.4f} more for now" in words


def over_cap(stack: Stack) -> list[Job]:
    outside = operator(stack).outside
    return outside.store.jobs_over_cap(month_ends(outside.clock.now()), lambda wait: True, 10)


def test_a_wrong_day_is_said_in_a_sentence(ended: Ended):
    with pytest.raises(Exception, match="2026-13-01 is not a day"):
        CliRunner().invoke(app, ["costs", "--from", "2026-13-01"], catch_exceptions=False)
