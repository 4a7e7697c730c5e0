"""The form that a model fills in keeps to what the API compiles, and asks for grounds before the choice."""

from __future__ import annotations

from typing import Any

import pytest

from pigeonhole.claude.answer_form import AnswerForm, schema
from pigeonhole.domain import taxonomy
from tests.support.builders import TAXONOMY

FORM = schema(TAXONOMY)
# Of JSON Schema, the API compiles these; bounds of any kind are a 400.
SUPPORTED = {"type", "properties", "required", "additionalProperties", "items", "enum", "description"}
TYPES = {"object", "array", "string", "integer", "number", "boolean"}
FIELDS = list(FORM["properties"])


def parts(part: dict[str, Any]) -> list[dict[str, Any]]:
    """The schema and every schema in it."""
    inner = [*part.get("properties", {}).values(), *([part["items"]] if "items" in part else [])]
    return [part, *(each for one in inner for each in parts(one))]


@pytest.mark.parametrize("part", parts(FORM), ids=lambda part: part.get("description", part["type"])[:30])
def test_every_part_of_the_form_is_of_the_kind_that_the_api_compiles(part):
    assert part.keys() <= SUPPORTED
    assert part["type"] in TYPES
    assert all(isinstance(choice, str) for choice in part.get("enum", []))


@pytest.mark.parametrize("part", [part for part in parts(FORM) if part["type"] == "object"])
def test_nothing_is_optional_and_nothing_may_be_added(part):
    assert part["additionalProperties"] is False
    assert part["required"] == list(part["properties"])


@pytest.mark.parametrize("choice", ["category", "confidence", "runner_up", "runner_up_confidence"])
@pytest.mark.parametrize("grounds", ["evidence", "summary", "issue"])
def test_the_grounds_come_before_the_choice(grounds, choice):
    assert FIELDS.index(grounds) < FIELDS.index(choice)


def test_every_field_is_described_and_none_asks_for_reasoning():
    assert all(spec["description"] for spec in FORM["properties"].values())
    assert "reasoning" not in FIELDS


def test_only_the_categories_of_the_taxonomy_can_be_chosen():
    assert FORM["properties"]["category"]["enum"] == ["invoice", "letter", "contract"]
    assert FORM["properties"]["runner_up"]["enum"] == ["invoice", "letter", "contract", "none"]


def test_the_form_of_one_taxonomy_does_not_leak_into_anothers():
    other = '[[category]]\nslug = "{0}"\nname = "{0}"\ndescription = "{0}"\n'
    schema(taxonomy.load(other.format("a") + other.format("b")))

    assert schema(TAXONOMY) == FORM
    assert list(AnswerForm.model_fields) == FIELDS
