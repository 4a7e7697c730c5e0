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
from pigeonhole.domain.document import Coverage, RateLimits, Stage, Text, Tier, Usage
from pigeonhole.domain.errors import Defect, DocumentError, RetryCause, StopAll, TryLater, WaitReason
from pigeonhole.domain.row_attributes import Status
from pigeonhole.guards.claimed_job import LeaseLostError
from pigeonhole.jobs.job import CapWait, Job, Task
from pigeonhole.jobs.usage import UNANSWERED, UsageLine, UsageTotals
from pigeonhole.money import pricing
from pigeonhole.money.account import STACK, Cap, account_of
from tests.support.builders import CONFIG, World, breaks, reply, reserves, upload, with_tier
from tests.support.fakes import START

TEXT = "Amount due: 12"
FIRST, TWIN = upload(), upload("finance/copy.txt")
STRONG_TASK = Task(upload=FIRST, stage=Stage.ESCALATION)
COST = Decimal("0.00015")  # of every reply
TOMORROW = datetime(2026, 11, 23, tzinfo=UTC)
BILLED = TryLater("cut", seconds=20, cause=RetryCause.BILLED)


def new_world(*answers, **given) -> World:
    world = World(**given)
    for each in (FIRST, TWIN):
        world.put(each, TEXT)
    world.claude.answers += answers
    return world


def capped(usd: Decimal, *answers, account: str = STACK) -> World:
    """A world that may spend so much a day."""
    world = new_world(*answers)
    world.caps[account] = Cap(day=usd, month=Decimal(100))
    return world


def run(world: World, of=FIRST, **how) -> None:
    """One invocation, whatever comes of it; what is not spent goes back at its end."""
    services = world.services
    with suppress(TryLater, Defect, ZeroDivisionError):
        services.triage.handle(Task(upload=of, **how), world.invocation(isolated=True))
    services.budget.refund_unspent()


def spent(world: World, account: str = STACK) -> Decimal:
    return world.store.account(account, world.clock.now().date()).spent_on(world.clock.now().date())


TEXT_READ = Text(media_type="text/plain", body=(TEXT,), coverage=Coverage())


def question(text: str = TEXT, config=CONFIG) -> prompt.PreparedRequest:
    read = replace(TEXT_READ, body=(text,))
    return prompt.prepare(read, config.taxonomy, config.tiers[Stage.TRIAGE])


FAST = CONFIG.tiers[Stage.TRIAGE]
DEAREST = pricing.max_cost_usd(FAST.model, question().max_prompt_tokens, FAST.max_tokens)


def usage(world: World, category: str) -> UsageTotals:
    found: list[UsageLine] = [each for each in world.store.usage("2026-11-22") if each.category == category]
    return sum((each.totals for each in found), UsageTotals())


def test_while_a_call_is_under_way_its_dearest_price_is_set_aside_and_the_work_says_so():
    world = new_world()

    def meanwhile():
        job = world.job(FIRST)
        assert job.charges.reserved is not None
        assert spent(world) == job.charges.reserved.usd == DEAREST > COST
        assert (job.charges.reserved.by, job.charges.reserved.tier) == (job.owner, Tier.FAST)
        assert (job.charges.reserved.model, job.charges.reserved.accounts) == ("claude-haiku-5-5", (STACK,))
        assert job.charges.reserved.day == START.date()
        return reply()

    world.claude.answers += [meanwhile]
    run(world)

    assert world.row(FIRST).status is Status.DONE


def test_after_it_its_real_price_is_spent_and_counted_and_nothing_is_set_aside():
    world = new_world(reply())
    run(world)

    assert spent(world) == COST == world.row(FIRST).cost_usd
    assert usage(world, "invoice").usd == COST
    assert world.job(FIRST).charges.reserved is None
    assert world.row(FIRST).unsettled_usd is None


@pytest.mark.parametrize(
    "error",
    [
        TryLater("429", seconds=20, cause=RetryCause.THROTTLED),
        TryLater("refused connection", seconds=20),
        StopAll(WaitReason.CLAUDE, "spend limit"),
        StopAll(WaitReason.CREDENTIALS, "401"),
        DocumentError("rejected", "413"),
        Defect("400"),
    ],
    ids=["busy", "unsent", "spend limit", "credentials", "document", "our mistake"],
)
def test_what_claude_refused_has_cost_nothing(error):
    world = new_world(error)
    run(world)

    assert spent(world) == 0
    assert (world.job(FIRST).charges.reserved, world.job(FIRST).charges.unsettled) == (None, ())
    assert world.row(FIRST).unsettled_usd is None
    assert world.store.usage("2026-11-22") == []


@pytest.mark.parametrize("error", [BILLED, ZeroDivisionError()], ids=["cut", "unknown"])
def test_what_claude_may_have_billed_counts_at_its_dearest_and_the_row_says_so(error):
    world = new_world(error)
    run(world)

    assert spent(world) == DEAREST
    assert [each.usd for each in world.job(FIRST).charges.unsettled] == [DEAREST]
    assert world.job(FIRST).charges.reserved is None
    assert world.job(FIRST).draft.unsettled_usd == DEAREST
    assert usage(world, UNANSWERED) == UsageTotals(unsettled=1, unsettled_usd=DEAREST)


def test_a_call_whose_invocation_died_counts_at_its_dearest_once_its_lease_is_over():
    world = new_world(KeyboardInterrupt(), reply())
    breaks(world.store, "commit", KeyboardInterrupt(), when=gives_back)
    with pytest.raises(KeyboardInterrupt):
        world.triage(Task(upload=FIRST))
    assert world.job(FIRST).charges.reserved is not None
    world.clock.pass_by(106)
    run(world)

    assert world.row(FIRST).status is Status.DONE
    assert world.row(FIRST).unsettled_usd == DEAREST
    assert spent(world) == DEAREST + COST
    assert usage(world, UNANSWERED) == UsageTotals(unsettled=1, unsettled_usd=DEAREST)


def gives_back(*writes, **_) -> bool:
    jobs = [each for each in writes if isinstance(each.before, Job)]
    return any(each.before.charges.reserved and not each.after.charges.reserved for each in jobs)


def test_an_answer_that_comes_after_its_lease_is_settled_at_its_price_after_all():
    world = new_world()

    def late():
        world.clock.pass_by(106)
        world.claimed(Task(upload=FIRST), world.invocation(isolated=True))
        assert world.row(FIRST).unsettled_usd == DEAREST
        return reply()

    world.claude.answers += [late]
    run(world)
    assert (world.job(FIRST).stage, world.job(FIRST).owner is None) == (Stage.TRIAGE, False)
    world.clock.pass_by(106)
    run(world)

    assert world.row(FIRST).status is Status.DONE
    assert (world.row(FIRST).cost_usd, world.row(FIRST).unsettled_usd) == (COST, None)
    assert spent(world) == COST
    assert usage(world, UNANSWERED) == UsageTotals()


def test_of_two_answers_the_first_stays_and_both_are_paid_for():
    world = new_world()

    def late():
        world.clock.pass_by(106)
        run(world)
        return reply(category="letter")

    world.claude.answers += [late, reply()]
    run(world)

    assert world.row(FIRST).category == "invoice"
    assert spent(world) == 2 * COST
    assert usage(world, "invoice").usd + usage(world, UNANSWERED).unsettled_usd == 2 * COST


def test_of_two_answers_the_one_that_was_written_down_makes_the_outcome_and_the_bill_says_both():
    world = new_world()
    dear = replace(reply(category="letter"), usage=Usage(input_tokens=4_000, output_tokens=1_000))
    world.claude.answers += [dear]
    late = world.claimed(Task(upload=FIRST))
    world.services.flow.claude.ask(late, TEXT_READ, FAST, world.invocation())
    world.clock.pass_by(106)

    def meanwhile():
        with suppress(LeaseLostError):
            late.save_reply()
        return reply()

    world.claude.answers += [meanwhile]
    for _ in range(2):
        run(world)
    row = world.row(FIRST)

    assert (row.status, row.category) == (Status.DONE, "letter")
    assert (
        (row.cost_usd, row.unsettled_usd) == (usage(world, "letter").usd, COST) == (Decimal("0.0009"), COST)
    )
    assert usage(world, UNANSWERED).unsettled_usd == COST


def test_a_persons_word_writes_off_the_call_under_way_and_its_answer_takes_that_back():
    world = new_world(reply(confidence=20))
    run(world)

    def meanwhile():
        decided = world.review(FIRST.document, "letter", "somebody")
        assert decided.unsettled_usd == world.job(FIRST).draft.unsettled_usd
        assert usage(world, UNANSWERED).unsettled == 1
        return reply()

    world.claude.answers += [meanwhile]
    world.escalate(STRONG_TASK, world.invocation())

    assert world.row(FIRST).tier == "human"
    assert usage(world, UNANSWERED) == UsageTotals()


def test_nothing_is_called_over_the_cap_and_the_document_waits_for_the_next_day():
    world = capped(DEAREST - Decimal("0.0000001"))
    run(world)
    row = world.row(FIRST)

    assert world.claude.requests == []
    assert (row.status, row.waiting and row.waiting.reason) == (Status.PARKED, "spend_cap")
    assert row.waiting
    assert row.waiting.until == "2026-11-23T00:00:00.000Z"
    assert world.job(FIRST).charges.over_cap == CapWait(account=STACK, usd=DEAREST)
    assert world.job(FIRST).wake_at == TOMORROW
    assert world.job(FIRST).charges.reserved is None
    assert spent(world) == 0


def test_up_to_the_cap_it_is_called():
    world = capped(DEAREST, reply())
    run(world)

    assert world.row(FIRST).status is Status.DONE


def test_over_a_teams_cap_only_the_team_waits():
    world = capped(DEAREST / 2, reply(), account=account_of("finance"))
    other = world.put(upload("legal/a.txt"), TEXT)
    run(world)
    run(world, other)

    assert (world.row(FIRST).status, world.row(other).status) == (Status.PARKED, Status.DONE)
    assert world.job(FIRST).charges.over_cap == CapWait(account=account_of("finance"), usd=DEAREST)
    assert spent(world, account_of("finance")) == 0


def test_an_escalation_over_the_cap_waits_with_its_fast_answer():
    world = capped(DEAREST, reply(confidence=20))
    run(world)
    world.escalate(STRONG_TASK, world.invocation())
    row = world.row(FIRST)

    assert (row.status, row.category, row.waiting and row.waiting.stage) == (
        Status.PARKED,
        "invoice",
        "escalation",
    )
    assert len(world.claude.requests) == 1


def test_a_reused_answer_draws_nothing_and_passes_a_cap_that_is_used_up():
    world = capped(DEAREST, reply())
    run(world)
    world.caps[STACK] = Cap(day=COST, month=COST)
    run(world, TWIN)

    assert world.row(TWIN).status is Status.DONE
    assert spent(world) == COST
    assert usage(world, "invoice").reused == 1


def test_a_twin_that_waits_draws_nothing():
    world = new_world()

    def meanwhile():
        before = spent(world)
        run(world, TWIN)
        assert spent(world) == before
        return reply()

    world.claude.answers += [meanwhile]
    run(world)

    assert world.job(TWIN).charges.reserved is None


def test_a_twin_that_asked_at_the_same_moment_gets_its_money_back():
    world = new_world(reply())
    services = world.services
    whole = services.budget.reserve

    def meanwhile(need, latest):
        services.budget.reserve = whole  # type: ignore[method-assign]
        run(world, TWIN)
        return whole(need, latest)

    services.budget.reserve = meanwhile  # type: ignore[method-assign]
    with pytest.raises(TryLater, match="identical request"):
        services.triage.handle(Task(upload=FIRST), world.invocation())
    services.budget.refund_unspent()

    assert spent(world) == COST
    assert len(world.claude.requests) == 1


def test_a_call_that_could_not_be_written_down_is_not_made_and_costs_nothing():
    world = new_world()
    breaks(world.store, "commit", TryLater("DynamoDB", seconds=2), when=reserves)
    run(world)

    assert world.claude.requests == []
    assert spent(world) == 0


def test_a_call_that_was_rejected_and_not_written_down_so_is_still_told_in_the_row():
    world = new_world(DocumentError("rejected"))
    breaks(world.store, "commit", TryLater("DynamoDB", seconds=2), when=gives_back)
    run(world)

    assert world.row(FIRST).status is Status.FAILED
    assert world.row(FIRST).unsettled_usd == usage(world, UNANSWERED).unsettled_usd == DEAREST


def test_what_the_answer_says_of_the_limits_is_what_the_next_call_keeps_to():
    world = new_world(replace(reply(), rate_limits=RateLimits(requests=6)), reply())
    run(world)
    services, other = world.services, world.put(upload("finance/b.txt"), "Another")
    services.budget.observe_limits("claude-haiku-5-5", RateLimits(requests=6))
    services.triage.handle(Task(upload=other), world.invocation())
    another = world.put(upload("finance/c.txt"), "A third")
    world.claude.answers += [reply()]
    before = world.clock.now()
    run(world, another)

    assert world.clock.now() - before == timedelta(seconds=10.1)


# The prompt cache.


SHIPPED = taxonomy.load((files("pigeonhole") / "domain" / "taxonomy.toml").read_text("utf-8"))


def with_model(name: str, *answers, categories=SHIPPED) -> World:
    config = with_tier(CONFIG, Stage.TRIAGE, model=model_catalog.model(name))
    return new_world(*answers, config=replace(config, taxonomy=categories))


def keeps_prefix(request) -> bool:
    """Whether Claude is asked to keep what comes before the document, and nothing else."""
    marked = json.dumps(request).count("cache_control")
    assert marked == sum("cache_control" in block for block in request["system"]) <= 1
    return bool(marked)


@pytest.mark.parametrize(
    ("name", "is_kept"),
    [("claude-haiku-5-5", True), ("claude-opus-5-5", True), ("claude-haiku-4-5", False)],
)
def test_the_fast_models_prefix_is_kept_always_if_it_is_long_enough_for_the_model(name, is_kept):
    world = with_model(name, reply(), reply())
    run(world)
    run(world, world.put(upload("legal/b.txt"), "Another"))

    assert [keeps_prefix(each) for each in world.claude.requests] == [is_kept] * 2


def test_a_prefix_of_few_categories_is_never_kept():
    tiny = taxonomy.load(
        "".join(f'[[category]]\nslug = "{name}"\nname = "N"\ndescription = "D"\n' for name in ("aa", "bb"))
    )
    world = with_model("claude-haiku-4-5", reply(), categories=tiny)
    run(world)

    assert not keeps_prefix(world.claude.requests[0])


@pytest.mark.parametrize(
    ("minutes", "is_kept"),
    [(None, False), (1, True), (4.99, True), (5.01, False)],
    ids=["no call before", "a minute after one", "just in time", "too long after"],
)
def test_the_strong_models_prefix_is_kept_only_while_others_ask_it_too(minutes, is_kept):
    world = with_model("claude-haiku-5-5", reply(category="contract", confidence=20), reply())
    run(world)
    if minutes is not None:
        other = world.put(upload("finance/b.txt"), "Another")
        world.claude.answers = [reply(category="contract", confidence=20), reply(), reply()]
        run(world, other)
        world.escalate(Task(upload=other, stage=Stage.ESCALATION), world.invocation())
        world.clock.pass_by(minutes * 60)
    world.escalate(STRONG_TASK, world.invocation())

    assert world.claude.requests[-1]["model"] == "claude-sonnet-5-5"
    assert keeps_prefix(world.claude.requests[-1]) is is_kept


def test_a_question_is_the_same_question_with_its_prefix_kept_and_without():
    world = with_model("claude-haiku-5-5", reply())
    run(world)
    (key,) = [key for _, key in world.store.cached]

    assert keeps_prefix(world.claude.requests[0])
    assert key == prompt.request_hash(question(config=world.config).request)
    assert world.claude.requests[0] == prompt.with_cached_prefix(question(config=world.config).request)
    world.store.jobs.clear()
    world.store.rows.clear()
    run(world, TWIN)
    assert len(world.claude.requests) == 1


def test_a_call_is_not_sent_on_another_day_than_its_money_was_taken_from():
    """Midnight comes while the reservation is written down: the new day's account pays for the call."""
    world = new_world(reply())
    world.clock.time = TOMORROW - timedelta(seconds=1)
    commit = world.store.commit

    def slowly(*writes, **kwargs):
        if reserves(*writes):
            world.clock.pass_by(2)
            world.store.commit = commit  # type: ignore[method-assign]
        return commit(*writes, **kwargs)

    world.store.commit = slowly  # type: ignore[method-assign]
    with pytest.raises(TryLater, match="day of the reservation"):
        world.triage(Task(upload=FIRST), world.invocation())
    assert world.claude.requests == []
    run(world)

    assert world.row(FIRST).status is Status.DONE
    assert [line.day for line in world.store.usage("2026-11-23")] == ["2026-11-23"]
    assert world.store.usage("2026-11-22") == []
