"""Money around a call: set aside before, given back or written off after, and never spent past a cap."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.resources import files

import pytest

from pigeonhole.claude import model_catalog, prompt
from pigeonhole.domain import taxonomy
from pigeonhole.domain.document import (
    Allowance,
    Coverage,
    Defect,
    DocumentError,
    Stage,
    StopAll,
    Text,
    Tier,
    TryLater,
    Usage,
)
from pigeonhole.domain.record import Status
from pigeonhole.guards.budget import STACK, account_of
from pigeonhole.guards.claude_call import ask, request_hash
from pigeonhole.guards.lease import LostError, keep
from pigeonhole.jobs.job import Order, OverCapBy
from pigeonhole.jobs.usage import UNANSWERED, Count, Tally
from pigeonhole.money import pricing
from pigeonhole.money.account import Cap
from pigeonhole.pipeline.process import escalate, triage
from pigeonhole.pipeline.upkeep import review
from tests.support.builders import RULES, SHIFT, World, breaks, reply, reserves, upload
from tests.support.fakes import START

TEXT = "Amount due: 12"
FIRST, TWIN = upload(), upload("finance/copy.txt")
STRONG_ORDER = Order(upload=FIRST, stage=Stage.ESCALATION)
COST = Decimal("0.00015")  # of every reply
TOMORROW = datetime(2026, 11, 23, tzinfo=UTC)
BILLED = TryLater("cut", seconds=20, billed=True)


def world(*answers, **given) -> World:
    made = World(**given)
    for each in (FIRST, TWIN):
        made.put(each, TEXT)
    made.analyst.answers += answers
    return made


def capped(usd: Decimal, *answers, account: str = STACK) -> World:
    """A world that may spend so much a day."""
    made = world(*answers)
    made.caps[account] = Cap(day=usd, month=Decimal(100))
    return made


def run(made: World, of=FIRST, **how) -> None:
    """One invocation, whatever comes of it; what is not spent goes back at its end."""
    parts = made.parts
    with suppress(TryLater, Defect, ZeroDivisionError):
        triage(Order(upload=of, **how), parts, made.shift(alone=True))
    parts.budget.flush()


def spent(made: World, account: str = STACK) -> Decimal:
    return made.ledger.account(account, made.clock.now().date()).spent_on(made.clock.now().date())


TEXT_READ = Text(media_type="text/plain", body=(TEXT,), coverage=Coverage())


def question(text: str = TEXT, rules=RULES) -> prompt.Question:
    read = replace(TEXT_READ, body=(text,))
    return prompt.question(read, rules.taxonomy, rules.fast)


DEAREST = pricing.most_usd(RULES.fast.model, question().most_tokens, RULES.fast.max_tokens)


def tallies(made: World, category: str) -> Count:
    found: list[Tally] = [each for each in made.ledger.tallies("2026-11-22") if each.category == category]
    return sum((each.count for each in found), Count())


def test_while_a_call_is_under_way_its_dearest_price_is_set_aside_and_the_work_says_so():
    made = world()

    def meanwhile():
        work = made.work(FIRST)
        assert work.reserved is not None
        assert spent(made) == work.reserved.usd == DEAREST > COST
        assert (work.reserved.by, work.reserved.tier) == (work.owner, Tier.FAST)
        assert (work.reserved.model, work.reserved.accounts) == ("claude-haiku-5-5", (STACK,))
        assert work.reserved.day == START.date()
        return reply()

    made.analyst.answers += [meanwhile]
    run(made)

    assert made.row(FIRST).status is Status.DONE


def test_after_it_its_real_price_is_spent_and_counted_and_nothing_is_set_aside():
    made = world(reply())
    run(made)

    assert spent(made) == COST == made.row(FIRST).cost_usd
    assert tallies(made, "invoice").usd == COST
    assert made.work(FIRST).reserved is None
    assert made.row(FIRST).unsettled_usd is None


@pytest.mark.parametrize(
    "error",
    [
        TryLater("429", seconds=20, busy=True),
        TryLater("refused connection", seconds=20),
        StopAll("claude", "spend limit"),
        StopAll("credentials", "401"),
        DocumentError("rejected", "413"),
        Defect("400"),
    ],
    ids=["busy", "unsent", "spend limit", "credentials", "document", "our mistake"],
)
def test_what_claude_refused_has_cost_nothing(error):
    made = world(error)
    run(made)

    assert spent(made) == 0
    assert (made.work(FIRST).reserved, made.work(FIRST).unsettled) == (None, ())
    assert made.row(FIRST).unsettled_usd is None
    assert made.ledger.tallies("2026-11-22") == []


@pytest.mark.parametrize("error", [BILLED, ZeroDivisionError()], ids=["cut", "unknown"])
def test_what_claude_may_have_billed_counts_at_its_dearest_and_the_row_says_so(error):
    made = world(error)
    run(made)

    assert spent(made) == DEAREST
    assert [each.usd for each in made.work(FIRST).unsettled] == [DEAREST]
    assert made.work(FIRST).reserved is None
    assert made.work(FIRST).draft.unsettled_usd == DEAREST
    assert tallies(made, UNANSWERED) == Count(unsettled=1, unsettled_usd=DEAREST)


def test_a_call_whose_invocation_died_counts_at_its_dearest_once_its_lease_is_over():
    made = world(KeyboardInterrupt(), reply())
    breaks(made.ledger, "swap", KeyboardInterrupt(), when=gives_back)
    with pytest.raises(KeyboardInterrupt):
        triage(Order(upload=FIRST), made.parts, SHIFT)
    assert made.work(FIRST).reserved is not None
    made.clock.pass_by(106)
    run(made)

    assert made.row(FIRST).status is Status.DONE
    assert made.row(FIRST).unsettled_usd == DEAREST
    assert spent(made) == DEAREST + COST
    assert tallies(made, UNANSWERED) == Count(unsettled=1, unsettled_usd=DEAREST)


def gives_back(*swaps, **_) -> bool:
    return any(getattr(each.before, "reserved", None) and not each.after.reserved for each in swaps[1:])


def test_an_answer_that_comes_after_its_lease_is_settled_at_its_price_after_all():
    made = world()

    def late():
        made.clock.pass_by(106)
        made.claimed(Order(upload=FIRST), made.shift(alone=True))
        assert made.row(FIRST).unsettled_usd == DEAREST
        return reply()

    made.analyst.answers += [late]
    run(made)
    assert (made.work(FIRST).stage, made.work(FIRST).owner is None) == (Stage.TRIAGE, False)
    made.clock.pass_by(106)
    run(made)

    assert made.row(FIRST).status is Status.DONE
    assert (made.row(FIRST).cost_usd, made.row(FIRST).unsettled_usd) == (COST, None)
    assert spent(made) == COST
    assert tallies(made, UNANSWERED) == Count()


def test_of_two_answers_the_first_stays_and_both_are_paid_for():
    made = world()

    def late():
        made.clock.pass_by(106)
        run(made)
        return reply(category="letter")

    made.analyst.answers += [late, reply()]
    run(made)

    assert made.row(FIRST).category == "invoice"
    assert spent(made) == 2 * COST
    assert tallies(made, "invoice").usd + tallies(made, UNANSWERED).unsettled_usd == 2 * COST


def test_of_two_answers_the_one_that_was_written_down_makes_the_outcome_and_the_bill_says_both():
    made = world()
    dear = replace(reply(category="letter"), usage=Usage(input_tokens=4_000, output_tokens=1_000))
    made.analyst.answers += [dear]
    late = made.claimed(Order(upload=FIRST))
    late, _, _ = ask(late, TEXT_READ, RULES.fast, made.parts, SHIFT)
    made.clock.pass_by(106)

    def meanwhile():
        with suppress(LostError):
            keep(late, made.parts)
        return reply()

    made.analyst.answers += [meanwhile]
    for _ in range(2):
        run(made)
    row = made.row(FIRST)

    assert (row.status, row.category) == (Status.DONE, "letter")
    assert (
        (row.cost_usd, row.unsettled_usd) == (tallies(made, "letter").usd, COST) == (Decimal("0.0009"), COST)
    )
    assert tallies(made, UNANSWERED).unsettled_usd == COST


def test_a_persons_word_writes_off_the_call_under_way_and_its_answer_takes_that_back():
    made = world(reply(confidence=20))
    run(made)

    def meanwhile():
        decided = review(FIRST.document, "letter", "somebody", made.parts)
        assert decided.unsettled_usd == made.work(FIRST).draft.unsettled_usd
        assert tallies(made, UNANSWERED).unsettled == 1
        return reply()

    made.analyst.answers += [meanwhile]
    escalate(STRONG_ORDER, made.parts, made.shift())

    assert made.row(FIRST).tier == "human"
    assert tallies(made, UNANSWERED) == Count()


def test_nothing_is_called_over_the_cap_and_the_document_waits_for_the_next_day():
    made = capped(DEAREST - Decimal("0.0000001"))
    run(made)
    row = made.row(FIRST)

    assert made.analyst.requests == []
    assert (row.status, row.waiting and row.waiting.reason) == (Status.PARKED, "spend_cap")
    assert row.waiting
    assert row.waiting.until == "2026-11-23T00:00:00.000Z"
    assert made.work(FIRST).over_cap == OverCapBy(account=STACK, usd=DEAREST)
    assert made.work(FIRST).due == TOMORROW
    assert made.work(FIRST).reserved is None
    assert spent(made) == 0


def test_up_to_the_cap_it_is_called():
    made = capped(DEAREST, reply())
    run(made)

    assert made.row(FIRST).status is Status.DONE


def test_over_a_teams_cap_only_the_team_waits():
    made = capped(DEAREST / 2, reply(), account=account_of("finance"))
    other = made.put(upload("legal/a.txt"), TEXT)
    run(made)
    run(made, other)

    assert (made.row(FIRST).status, made.row(other).status) == (Status.PARKED, Status.DONE)
    assert made.work(FIRST).over_cap == OverCapBy(account=account_of("finance"), usd=DEAREST)
    assert spent(made, account_of("finance")) == 0


def test_an_escalation_over_the_cap_waits_with_its_fast_answer():
    made = capped(DEAREST, reply(confidence=20))
    run(made)
    escalate(STRONG_ORDER, made.parts, made.shift())
    row = made.row(FIRST)

    assert (row.status, row.category, row.waiting and row.waiting.stage) == (
        Status.PARKED,
        "invoice",
        "escalation",
    )
    assert len(made.analyst.requests) == 1


def test_a_reused_answer_draws_nothing_and_passes_a_cap_that_is_used_up():
    made = capped(DEAREST, reply())
    run(made)
    made.caps[STACK] = Cap(day=COST, month=COST)
    run(made, TWIN)

    assert made.row(TWIN).status is Status.DONE
    assert spent(made) == COST
    assert tallies(made, "invoice").reused == 1


def test_a_twin_that_waits_draws_nothing():
    made = world()

    def meanwhile():
        before = spent(made)
        run(made, TWIN)
        assert spent(made) == before
        return reply()

    made.analyst.answers += [meanwhile]
    run(made)

    assert made.work(TWIN).reserved is None


def test_a_twin_that_asked_at_the_same_moment_gets_its_money_back():
    made = world(reply())
    parts = made.parts
    whole = parts.budget.reserve

    def meanwhile(need, latest):
        parts.budget.reserve = whole  # type: ignore[method-assign]
        run(made, TWIN)
        return whole(need, latest)

    parts.budget.reserve = meanwhile  # type: ignore[method-assign]
    with pytest.raises(TryLater, match="the same question"):
        triage(Order(upload=FIRST), parts, made.shift())
    parts.budget.flush()

    assert spent(made) == COST
    assert len(made.analyst.requests) == 1


def test_a_call_that_could_not_be_written_down_is_not_made_and_costs_nothing():
    made = world()
    breaks(made.ledger, "swap", TryLater("DynamoDB", seconds=2), when=reserves)
    run(made)

    assert made.analyst.requests == []
    assert spent(made) == 0


def test_a_call_that_was_rejected_and_not_written_down_so_is_still_told_in_the_row():
    made = world(DocumentError("rejected"))
    breaks(made.ledger, "swap", TryLater("DynamoDB", seconds=2), when=gives_back)
    run(made)

    assert made.row(FIRST).status is Status.FAILED
    assert made.row(FIRST).unsettled_usd == tallies(made, UNANSWERED).unsettled_usd == DEAREST


def test_what_the_answer_says_of_the_limits_is_what_the_next_call_keeps_to():
    made = world(replace(reply(), allowance=Allowance(requests=6)), reply())
    run(made)
    parts, other = made.parts, made.put(upload("finance/b.txt"), "Another")
    parts.budget.learn("claude-haiku-5-5", Allowance(requests=6))
    triage(Order(upload=other), parts, made.shift())
    another = made.put(upload("finance/c.txt"), "A third")
    made.analyst.answers += [reply()]
    before = made.clock.now()
    run(made, another)

    assert made.clock.now() - before == timedelta(seconds=10.1)


# The prompt cache.


SHIPPED = taxonomy.load((files("pigeonhole") / "domain" / "taxonomy.toml").read_text("utf-8"))


def with_model(name: str, *answers, categories=SHIPPED) -> World:
    fast = replace(RULES.fast, model=model_catalog.model(name))
    return world(*answers, rules=replace(RULES, taxonomy=categories, fast=fast))


def keeps_prefix(request) -> bool:
    """Whether Claude is asked to keep what comes before the document, and nothing else."""
    marked = json.dumps(request).count("cache_control")
    assert marked == sum("cache_control" in block for block in request["system"]) <= 1
    return bool(marked)


@pytest.mark.parametrize(
    ("name", "is_kept"),
    [("claude-haiku-5-5", True), ("claude-sonnet-4-6", True), ("claude-haiku-4-5", False)],
)
def test_the_fast_models_prefix_is_kept_always_if_it_is_long_enough_for_the_model(name, is_kept):
    made = with_model(name, reply(), reply())
    run(made)
    run(made, made.put(upload("legal/b.txt"), "Another"))

    assert [keeps_prefix(each) for each in made.analyst.requests] == [is_kept] * 2


def test_a_prefix_of_few_categories_is_never_kept():
    tiny = taxonomy.load(
        "".join(f'[[category]]\nslug = "{name}"\nname = "N"\ndescription = "D"\n' for name in ("aa", "bb"))
    )
    made = with_model("claude-haiku-4-5", reply(), categories=tiny)
    run(made)

    assert not keeps_prefix(made.analyst.requests[0])


@pytest.mark.parametrize(
    ("minutes", "is_kept"),
    [(None, False), (1, True), (4.99, True), (5.01, False)],
    ids=["no call before", "a minute after one", "just in time", "too long after"],
)
def test_the_strong_models_prefix_is_kept_only_while_others_ask_it_too(minutes, is_kept):
    made = with_model("claude-haiku-5-5", reply(category="contract", confidence=20), reply())
    run(made)
    if minutes is not None:
        other = made.put(upload("finance/b.txt"), "Another")
        made.analyst.answers = [reply(category="contract", confidence=20), reply(), reply()]
        run(made, other)
        escalate(Order(upload=other, stage=Stage.ESCALATION), made.parts, made.shift())
        made.clock.pass_by(minutes * 60)
    escalate(STRONG_ORDER, made.parts, made.shift())

    assert made.analyst.requests[-1]["model"] == "claude-sonnet-5-5"
    assert keeps_prefix(made.analyst.requests[-1]) is is_kept


def test_a_question_is_the_same_question_with_its_prefix_kept_and_without():
    made = with_model("claude-haiku-5-5", reply())
    run(made)
    (key,) = [key for _, key in made.ledger.answers]

    assert keeps_prefix(made.analyst.requests[0])
    assert key == request_hash(question(rules=made.rules).request)
    assert made.analyst.requests[0] == prompt.cached(question(rules=made.rules).request)
    made.ledger.works.clear()
    made.ledger.rows.clear()
    run(made, TWIN)
    assert len(made.analyst.requests) == 1
