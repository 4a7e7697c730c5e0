"""Documents without an answer are told once a cause, and what a redrive costs is judged by their own past."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infra.ops.failures import Estimate, code_of, estimate, group_by_cause, over_cap
from infra.ops.rows import Row


def row(key: str, status: str = "failed", **more: object) -> Row:
    return {"document": f"s3://inbox/{key}", "key": key, "status": status, "run": 1, **more}


def failed(key: str, code: str) -> Row:
    return row(key, error={"code": code, "message": f"{code}!", "next_step": f"mend {code}"})


def test_documents_that_share_a_cause_are_one_line_and_the_commonest_comes_first():
    causes = group_by_cause([failed("a", "empty"), failed("b", "corrupt"), failed("c", "corrupt")])
    assert [(cause.code, cause.count, cause.sample) for cause in causes] == [
        ("corrupt", 2, "s3://inbox/b"),
        ("empty", 1, "s3://inbox/a"),
    ]
    assert causes[0].next_step == "mend corrupt"


def test_what_a_person_has_to_look_at_is_told_by_its_first_reason():
    (cause,) = group_by_cause([row("a", "needs_review", review_reasons=("mixed_documents", "truncated"))])
    assert cause.code == "mixed_documents"
    assert "one file" in cause.message
    assert "review" in cause.next_step


def test_the_same_code_is_another_cause_where_there_is_an_answer():
    errors = {"code": "upstream", "message": "m", "next_step": "n"}
    both = [row("a", "failed", error=errors), row("b", "needs_review", error=errors)]
    assert [cause.status for cause in group_by_cause(both)] == ["failed", "needs_review"]


@pytest.mark.parametrize("status", ["done", "removed", "processing", "parked"])
def test_what_has_an_answer_or_may_get_one_has_no_cause(status):
    assert group_by_cause([row("a", status)]) == []


def test_a_row_without_any_reason_is_not_lost():
    assert code_of(row("a", "needs_review")) == "unknown"


def test_a_redrive_costs_the_mean_of_what_the_documents_have_cost_a_run():
    told = estimate([row("a", cost_usd=0.004, run=2), row("b", cost_usd=0.004), row("c")])
    assert (told.documents, told.paid_for) == (3, 2)
    assert told.mean_usd == pytest.approx(0.003)
    assert told.usd == pytest.approx(0.009)


def test_a_call_whose_answer_never_came_counts_at_its_dearest():
    told = estimate([row("a", cost_usd=0.001, unsettled_usd=0.003), row("b", unsettled_usd=0.002)])
    assert told.paid_for == 2
    assert told.mean_usd == pytest.approx(0.003)


def test_a_call_that_a_cap_refused_counts_at_what_it_would_have_set_aside():
    told = estimate([row("a", "parked", cost_usd=0.001)], {"s3://inbox/a": Decimal("0.06")})
    assert told.usd == pytest.approx(0.06)


def test_a_redrive_that_does_not_fit_under_a_cap_says_under_which():
    cost = Estimate(documents=3, paid_for=3, mean_usd=0.5)
    rows = [row("a", team="legal"), row("b", team="legal"), row("c", team="-")]
    headroom = {"stack": Decimal("1.5"), "team:legal": Decimal("0.9"), "team:finance": Decimal(-1)}
    assert over_cap(cost, rows, headroom) == {"team:legal": 0.9, "team:finance": 0.0}


def test_where_nothing_was_ever_paid_nobody_knows():
    assert estimate([row("a")]).usd is None
