"""A third tier on the local stack: the deployed template's own parameter, the real handlers, three models."""

from __future__ import annotations

import pytest

from infra.local.lifecycle import StackOptions, local_stack

UNSURE = [f"low_confidence:marker=HARD,model={line}" for line in ("haiku", "sonnet")]
HARD = b"HARD Invoice 4711\nBill to: Example Ltd\nTotal due: 120.00 EUR, payable within 30 days\n"


@pytest.mark.stack
def test_what_the_strong_model_is_not_sure_of_is_asked_of_the_final_one():
    options = StackOptions(claude_options=UNSURE, parameters={"FinalModel": "claude-opus-5-5"})
    with local_stack(options) as stack:
        row = stack.wait_row(stack.upload("finance/a.txt", HARD))

    assert (row["status"], row["tier"], row["model"]) == ("done", "final", "claude-opus-5-5")
    assert sorted(row["usage"]) == ["claude-haiku-5-5", "claude-opus-5-5", "claude-sonnet-5-5"]
