"""The tables of meanings are complete: every attribute, status, reason and event is in them, and no other."""

from __future__ import annotations

from itertools import product
from typing import Any, get_args

import pytest

from infra.report.row_meanings import ATTRIBUTES, REASONS, STATUSES, WAITING, with_descriptions
from pigeonhole.domain import outcome_event
from pigeonhole.domain.document import Issue
from pigeonhole.domain.errors import WaitReason
from pigeonhole.domain.policy import Accept, Escalate, Reason, Review, Signals, judge
from pigeonhole.domain.record import Record
from pigeonhole.domain.row_attributes import Status
from tests.support.builders import TIERS

SCHEMA = Record.model_json_schema(mode="serialization")
DEFECTS = (None, Reason.REFUSED, Reason.TRUNCATED_ANSWER, Reason.INVALID_ANSWER)
EVERY_SIGNAL = [
    Signals(
        defect=defect,
        issue=issue,
        confidence=confidence,
        margin=margin,
        quotes_missing=missing,
        second_opinion=second_opinion,
    )
    for defect, issue, confidence, margin, missing, second_opinion in product(
        DEFECTS, get_args(Issue), (0, 100), (0, 100), (0, 1), (False, True)
    )
]


def paths(spec: dict[str, Any], prefix: str = "") -> set[str]:
    """The attributes of an object's schema, and those of the objects in it."""
    found = set()
    for name, each in spec["properties"].items():
        found.add(prefix + name)
        for inner, path in ((ref(each), f"{prefix}{name}."), (ref_of_values(each), f"{prefix}{name}.*.")):
            found |= paths(inner, path) if inner and "properties" in inner else set()
    return found


def ref(spec: dict[str, Any]) -> dict[str, Any] | None:
    choices = [spec, *spec.get("anyOf", [])]
    names = [each["$ref"].rpartition("/")[2] for each in choices if "$ref" in each]
    return SCHEMA["$defs"][names[0]] if names else None


def ref_of_values(spec: dict[str, Any]) -> dict[str, Any] | None:
    choices = [spec, *spec.get("anyOf", [])]
    values = [each["additionalProperties"] for each in choices if "additionalProperties" in each]
    return ref(values[0]) if values else None


def test_every_attribute_of_the_row_has_a_meaning_and_no_other_has_one():
    assert set(ATTRIBUTES) == paths(SCHEMA)


def test_every_status_has_a_meaning():
    assert list(STATUSES) == list(Status)


@pytest.mark.parametrize("status", Status)
def test_the_event_of_a_status_is_the_one_that_is_published(status: Status):
    event = outcome_event.of("1", {}, {"status": str(status), "outcome_id": "new"})
    assert STATUSES[status].event == (event.detail_type if event else None)


def test_every_waiting_reason_has_a_meaning():
    assert set(WAITING) == set(WaitReason)


def reasons(verdicts: list[Accept | Escalate | Review], kind: type[Escalate] | type[Review]) -> set[str]:
    return {reason for verdict in verdicts if isinstance(verdict, kind) for reason in verdict.reasons}


def test_every_reason_that_the_policy_can_give_has_a_meaning_and_no_other_has_one():
    verdicts = [
        judge(signals, tier.thresholds, tier.escalates_for)
        for signals in EVERY_SIGNAL
        for tier in TIERS.values()
    ]
    assert {name for name, each in REASONS.items() if each.escalates} == reasons(verdicts, Escalate)
    assert {name for name, each in REASONS.items() if each.reviews} == reasons(verdicts, Review)


def test_a_meaning_is_a_sentence():
    for meaning in (*ATTRIBUTES.values(), *WAITING.values()):
        assert meaning[0].isupper() or meaning[0].isdigit()
        assert meaning.endswith(".")


def test_descriptions_are_put_where_the_attribute_is():
    part: dict[str, Any] = {"properties": {"code": {"type": "string"}}}
    properties: dict[str, Any] = {name: {} for name in ATTRIBUTES if "." not in name}
    schema = {"$defs": {"Part": part}, "properties": properties}
    for name in ("coverage", "error", "waiting"):
        properties[name] = {"$ref": "#/$defs/Part"}
    properties["usage"] = {"additionalProperties": {"$ref": "#/$defs/Part"}}
    part["properties"] |= {path.rpartition(".")[2]: {} for path in ATTRIBUTES if "." in path}
    described = with_descriptions(schema)
    assert described["properties"]["team"] == {"description": ATTRIBUTES["team"]}
    assert described["$defs"]["Part"]["properties"]["since"] == {"description": ATTRIBUTES["waiting.since"]}
    assert "description" not in str(schema)
