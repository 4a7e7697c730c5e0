"""Generates functions/REFERENCE.md: row attributes, statuses, reasons, error codes and events.

Like infra/REFERENCE.md, it is written by `REMAKE=1 infra/check tests/unit` and never edited. Types and bounds
come from record.schema.json, meanings from the tables in infra/report/row_meanings.py, error codes from
pigeonhole/domain/error_codes.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from infra.dev.bootstrap import ROOT
from infra.dev.markdown import Line, code, table
from infra.dev.reference import GENERATED
from infra.report.row_meanings import REASONS, STATUSES, WAITING
from pigeonhole.domain.error_codes import EXPLANATIONS

FILE = ROOT / "functions" / "REFERENCE.md"
SCHEMA = ROOT / "functions" / "pigeonhole" / "domain" / "record.schema.json"
# What the two patterns of the schema stand for, by how they begin.
_PATTERNS = {r"^\d{4}-": "time", "^[a-z]": "slug"}
Schema = dict[str, Any]


def functions_reference() -> str:
    """The text of functions/REFERENCE.md."""
    parts = [
        "# Reference: rows and events\n",
        GENERATED,
        "## Row attributes\n",
        "One row a document. An attribute without a value is absent, never null; those marked `always` are",
        "in every row, or in every object of their kind. Times are UTC, RFC 3339 with milliseconds, and",
        "sort as text. `*` stands for the id of a model.",
        "The JSON Schema is [`record.schema.json`](pigeonhole/domain/record.schema.json).\n",
        table(
            ("attribute", "type", "present", "meaning"), _attributes(json.loads(SCHEMA.read_text("utf-8")))
        ),
        "## Statuses\n",
        table(("status", "meaning"), ((code(name), each.meaning) for name, each in STATUSES.items())),
        "## Reasons\n",
        "Why a fast answer was not kept (`escalation_reasons`), and why a person has to look",
        "(`review_reasons`). An error code among the latter: the second pass ended with that error.\n",
        table(("reason", "escalation", "review", "meaning"), _reasons()),
        "## Waiting reasons\n",
        table(("`waiting.for`", "meaning"), ((code(name), meaning) for name, meaning in WAITING.items())),
        "## Error codes\n",
        "`retryable` says whether the same bytes could succeed another time.\n",
        table(("code", "message", "next step", "retryable"), _error_codes()),
        "## Events\n",
        "Each new `outcome_id` is one event on the stack's bus, with the source `pigeonhole`. Its detail is",
        "the row without `evidence` and `text_uri`, and `event_id`, which is the `outcome_id`. Delivery is",
        "at least once.\n",
        table(("detail-type", "sent when a document gets the status", "meaning"), _events()),
    ]
    return "\n".join(parts)


def _attributes(schema: Schema) -> Iterator[Line]:
    return _attributes_of(schema, schema["$defs"], "")


def _attributes_of(part: Schema, parts: Schema, prefix: str) -> Iterator[Line]:
    for name, spec in part["properties"].items():
        present = "always" if name in part["required"] else ""
        yield code(prefix + name), _type(spec, parts), present, spec["description"]
        values = spec.get("additionalProperties")
        if inner := _object(spec, parts):
            yield from _attributes_of(inner, parts, f"{prefix}{name}.")
        elif values and (inner := _object(values, parts)):
            yield from _attributes_of(inner, parts, f"{prefix}{name}.*.")


def _object(spec: Schema, parts: Schema) -> Schema | None:
    part = _resolved(spec, parts)
    return part if "properties" in part else None


def _resolved(spec: Schema, parts: Schema) -> Schema:
    found: Schema = parts[spec["$ref"].rpartition("/")[2]] if "$ref" in spec else spec
    return found


def _type(spec: Schema, parts: Schema) -> str:
    match _resolved(spec, parts):
        case {"const": value}:
            return code(value)
        case {"enum": values}:
            return ", ".join(map(code, values))
        case {"type": "array", "items": items, **more}:
            most = f"; at most {more['maxItems']} of them" if "maxItems" in more else ""
            return f"list of {_type(items, parts)}{most}"
        case {"type": "string", **more}:
            pattern = str(more.get("pattern", ""))
            name = next((name for begin, name in _PATTERNS.items() if pattern.startswith(begin)), "string")
            return name + (f", at most {more['maxLength']:,} characters" if "maxLength" in more else "")
        case {"additionalProperties": dict()}:
            return "object by model"
        case found:
            return str(found["type"])


def _reasons() -> Iterator[Line]:
    for name, reason in REASONS.items():
        yield code(name), "yes" if reason.escalates else "", "yes" if reason.reviews else "", reason.meaning


def _error_codes() -> Iterator[Line]:
    for name, each in EXPLANATIONS.items():
        yield code(name), each.message, each.next_step, "yes" if each.retryable else "no"


def _events() -> Iterator[Line]:
    for name, status in STATUSES.items():
        if status.event:
            yield code(status.event), code(name), status.meaning
