"""Whatever schema is legal, the offline Claude's answer has its shape."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.offline_claude.generation.schema_filling import fill_schema, offered_categories
from infra.local.offline_claude.request.json_schema import check_schema
from tests.contract.offline_claude.client import SHORT_INVOICE, Claude, obj, output

KNOWN = {
    "title": "A title",
    "summary": "Two words.",
    "keywords": ("one", "two"),
    "category": "letter",
    "confidence": 91,
    "issue": "none",
}
names = st.sampled_from([*KNOWN, "evidence", "amount", "Total sum", "ünit"])
scalars: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.sampled_from([{"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "boolean"},
                     {"type": "null"}, {"type": ["string", "null"]}, {"type": ["integer", "boolean"]},
                     {"const": "x"}, {"type": "string", "format": "date"}]),
    st.lists(st.one_of(st.text(), st.integers(), st.none()), min_size=1).map(lambda of: {"enum": of}),
)  # fmt: skip


def deeper(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        st.builds(
            lambda items, least: {"type": "array", "items": items, "minItems": least},
            inner,
            st.sampled_from([0, 1]),
        ),
        st.lists(inner, min_size=1, max_size=3).map(lambda variants: {"anyOf": variants}),
        objects(inner),
    )


def objects(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda properties, optional: obj(
            properties, required=[name for name in properties if name not in optional]
        ),
        st.dictionaries(names, inner, max_size=4),
        st.sets(names, max_size=1),
    )


def few_unions(schema: dict[str, Any]) -> bool:
    """Sixteen union types are the API's limit."""
    text = json.dumps(schema)
    return text.count('"anyOf"') + text.count('"type": [') <= 16


schemas = objects(st.recursive(scalars, deeper, max_leaves=8)).filter(few_unions)


@settings(max_examples=300)
@given(schemas)
def test_any_legal_schema_is_accepted_and_filled_to_its_shape(schema: dict[str, Any]) -> None:
    check_schema(schema)
    said = json.loads(json.dumps(fill_schema(schema, KNOWN)))
    jsonschema.validate(said, schema)


def test_required_properties_come_first_in_the_order_of_the_schema(claude: Claude) -> None:
    schema = obj(
        {name: {"type": "string"} for name in ("zebra", "summary", "extra", "title")},
        required=["zebra", "summary", "title"],
    )
    said = claude.answer(SHORT_INVOICE, output_config=output(schema))
    assert list(said) == ["zebra", "summary", "title", "extra"]


@pytest.mark.parametrize(
    ("schema", "said"),
    [(obj({"confidence": {"type": "integer"}}), {"confidence": 91}),
     (obj({"confidence": {"type": "number"}}), {"confidence": 0.91}),
     (obj({"answer": obj({"category": {"enum": ["form", "LETTER"]}})}), {"answer": {"category": "LETTER"}}),
     (obj({"keywords": {"type": "array", "items": obj({"word": {"type": "string"}})}}),
      {"keywords": [{"word": "one"}, {"word": "two"}]}),
     (obj({"title": {"anyOf": [{"type": "null"}, {"type": "string"}]}}), {"title": "A title"}),
     (obj({"unheard_of": {"anyOf": [{"type": "null"}, {"type": "string"}]}}), {"unheard_of": None}),
     (obj({"kind": {"$ref": "#/$defs/K"}}, **{"$defs": {"K": obj({"summary": {"type": "string"}})}}),
      {"kind": {"summary": "Two words."}})],
    ids=["percent", "fraction", "capitals", "list of objects", "nullable", "unknown", "reference"],
)  # fmt: skip
def test_what_is_known_is_said_where_its_name_occurs(schema: dict[str, Any], said: dict[str, Any]) -> None:
    check_schema(schema)
    assert fill_schema(schema, KNOWN) == said


def test_categories_are_found_wherever_the_schema_keeps_them() -> None:
    kinds = {"$defs": {"Kind": {"enum": ["a", "b"], "type": "string"}}}
    nested = obj(
        {"answers": {"type": "array", "items": obj({"category": {"$ref": "#/$defs/Kind"}})}}, **kinds
    )
    assert offered_categories(nested) == ("a", "b")
    assert offered_categories(obj({"category": {"type": "string"}})) == ()
