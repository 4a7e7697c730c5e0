"""Documents without an answer are grouped by cause; a redrive is estimated by what they have cost so far."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infra.ops.failures import Estimate, code_of, estimate, group_by_cause, over_cap
from infra.ops.rows import Row


def row(key: str, status: str = "failed", **more: object) -> Row:
    return {"document": f"s3://inbox/{key}", "key": key, "status": status, "run": 1, **more}


def failed(key: str, code: str) -> Row:
    return row(key, error={"code": code, "message": f"{code}!", "next_step": f"mend {code}"})


def test_documents_with_the_same_cause_are_one_group_and_the_most_frequent_comes_first():
    causes = group_by_cause([failed("a", "empty"), failed("b", "corrupt"), failed("c", "corrupt")])
    assert [(cause.code, cause.count, cause.sample) for cause in causes] == [
        ("corrupt", 2, "s3://inbox/b"),
        ("empty", 1, "s3://inbox/a"),
    ]
    assert causes[0].next_step == "mend corrupt"


def test_a_document_for_review_is_grouped_by_its_first_reason():
    (cause,) = group_by_cause([row("a", "needs_review", review_reasons=("mixed_documents", "truncated"))])
    assert cause.code == "mixed_documents"
    assert "one file" in cause.message
    assert "review" in cause.next_step


def test_the_same_code_is_another_cause_for_another_status():
    errors = {"code": "upstream", "message": "m", "next_step": "n"}
    both = [row("a", "failed", error=errors), row("b", "needs_review", error=errors)]
    assert [cause.status for cause in group_by_cause(both)] == ["failed", "needs_review"]


@pytest.mark.parametrize("status", ["done", "removed", "processing", "parked"])
def test_a_document_with_an_answer_or_still_open_has_no_cause(status):
    assert group_by_cause([row("a", status)]) == []


def test_a_row_without_a_reason_has_the_code_unknown():
    assert code_of(row("a", "needs_review")) == "unknown"


def test_a_redrive_is_estimated_at_the_mean_cost_of_a_run():
    cost = estimate([row("a", cost_usd=0.004, run=2), row("b", cost_usd=0.004), row("c")])
    assert (cost.documents, cost.paid_for) == (3, 2)
    assert cost.mean_usd == pytest.approx(0.003)
    assert cost.usd == pytest.approx(0.009)


def test_a_call_without_an_answer_counts_at_its_highest_price():
    cost = estimate([row("a", cost_usd=0.001, unsettled_usd=0.003), row("b", unsettled_usd=0.002)])
    assert cost.paid_for == 2
    assert cost.mean_usd == pytest.approx(0.003)


def test_a_call_refused_by_a_cap_counts_at_its_reservation():
    cost = estimate([row("a", "parked", cost_usd=0.001)], {"s3://inbox/a": Decimal("0.06")})
    assert cost.usd == pytest.approx(0.06)


def test_accounts_with_too_little_headroom_are_listed():
    cost = Estimate(documents=3, paid_for=3, mean_usd=0.5)
    rows = [row("a", team="legal"), row("b", team="legal"), row("c", team="-")]
    headroom = {"stack": Decimal("1.5"), "team:legal": Decimal("0.9"), "team:finance": Decimal(-1)}
    assert over_cap(cost, rows, headroom) == {"team:legal": 0.9, "team:finance": 0.0}


def test_without_any_cost_so_far_there_is_no_estimate():
    assert estimate([row("a")]).usd is None
