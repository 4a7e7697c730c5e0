"""The row as it is published: its JSON Schema is current, and it never outgrows its limit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import pigeonhole
from infra.report.row_meanings import with_descriptions
from pigeonhole.domain.document import Coverage, FetchedObject, Text, Tier, Usage
from pigeonhole.domain.error_codes import EXPLANATIONS
from pigeonhole.domain.errors import DocumentError
from pigeonhole.domain.policy import Reason
from pigeonhole.domain.record import Record
from pigeonhole.jobs.reply import interpret, with_answer
from tests.support.builders import TAXONOMY, reply, tier_config, upload
from tests.support.fakes import START
from tests.support.snapshots import assert_current
from tests.unit.jobs.replies import question

SCHEMA = Path(pigeonhole.__path__[0]) / "domain" / "record.schema.json"


def published() -> dict[str, Any]:
    """Record's own schema, but that what has no value is absent, never null."""
    schema = Record.model_json_schema(mode="serialization")
    for part in (schema, *schema["$defs"].values()):
        for name, spec in part.get("properties", {}).items():
            part["properties"][name] = without_null(spec)
        if "properties" in part:
            part["required"] = [n for n, spec in part["properties"].items() if not spec.pop("absent", False)]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def without_null(spec: dict[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in spec.items() if key not in ("anyOf", "default", "title")}
    choices = [choice for choice in spec.get("anyOf", []) if choice != {"type": "null"}]
    if not choices:
        return plain
    (only,) = choices
    return only | plain | {"absent": True}


def test_the_published_schema_is_current():
    assert_current(SCHEMA, with_descriptions(published()))


def test_the_published_schema_knows_no_null_and_requires_what_every_row_has():
    schema = published()
    every_row = Record.new(replace(upload(), size_bytes=None), 1, START).row()

    assert "null" not in str(schema)
    assert schema["required"] == list(every_row)


def size(value: object) -> int:
    """What DynamoDB counts for a value, and a little more: UTF-8 names and texts, 21 bytes a number."""
    if isinstance(value, dict):
        return 3 + sum(len(name.encode()) + size(each) + 1 for name, each in value.items())
    if isinstance(value, list | tuple):
        return 3 + sum(size(each) + 1 for each in value)
    return len(value.encode()) if isinstance(value, str) else 21


@pytest.mark.parametrize("char", ["a", "é", "請", "😀"], ids=["one byte", "two", "three", "four"])
def test_the_largest_row_is_within_16_kb(char):
    key = f"{'f' * 900}/" + "k" * 123
    said = reply(
        title=char * 300,
        summary=char * 2000,
        language=char * 30,
        keywords=[char * 60] * 20,
        evidence=[char * 400] * 4,
    )
    text = Text(media_type="m" * 100, body=(char * 400,), coverage=Coverage(chars_total=10**9))
    fetched = FetchedObject(
        path=Path(), size_bytes=10**12, sha256="f" * 64, content_type="c" * 2048, etag="e" * 40
    )
    row = Record.new(upload(key=key, version="v" * 100), 1, START)
    row = row.with_extraction(fetched, text, "s3://" + "u" * 150)
    strong = tier_config(Tier.STRONG)
    for model in ("claude-haiku-5-5", "claude-sonnet-5-5", "claude-haiku-4-5"):
        dear = replace(said, model=model, usage=Usage(input_tokens=10**9))
        interpreted = interpret(dear, question(text, strong), TAXONOMY, START.date())
        row = with_answer(row, interpreted)
        row = row.with_cost(model, interpreted.billed_usage, interpreted.cost.usd)
    reasons = (
        Reason.MIXED_DOCUMENTS,
        Reason.LOW_CONFIDENCE,
        Reason.QUOTE_NOT_FOUND,
        Reason.NARROW_MARGIN,
        Reason.POLICY_CATEGORY,
    )
    row = row.escalated(reasons, START)
    longest = max(
        EXPLANATIONS, key=lambda code: len(EXPLANATIONS[code].message + EXPLANATIONS[code].next_step)
    )

    final = row.undecided(DocumentError(longest, char * 1000), START)

    assert final.title
    assert final.usage is not None
    assert len(final.usage) == 3
    assert size(final.row()) <= 16 * 1_024
