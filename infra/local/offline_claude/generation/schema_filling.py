"""Fills a JSON schema: properties with a known name get the known value, others a default of their type."""

import json
from collections.abc import Mapping
from typing import Any

from infra.local.offline_claude.request.json_schema import resolve_ref, types_of

KnownValues = Mapping[str, Any]

_FORMAT_EXAMPLES = {
    "date-time": "2026-01-01T00:00:00Z", "date": "2026-01-01", "time": "00:00:00Z", "duration": "P1D",
    "email": "nobody@example.com", "hostname": "example.com", "uri": "https://example.com/",
    "ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "uuid": "00000000-0000-4000-8000-000000000000",
}  # fmt: skip
_DEFAULTS: dict[str, Any] = {"string": "", "integer": 0, "number": 0.0, "boolean": False, "null": None}


def fill_schema(schema: dict[str, Any], known: KnownValues) -> Any:
    """A value that is valid under this schema; required properties come first, as the API orders them."""
    return _SchemaFiller(root=schema, known=known).value(schema, None)


def offered_categories(schema: dict[str, Any]) -> tuple[str, ...]:
    """The values that the schema allows for the first property named `category`, at any depth; else empty."""
    return _find_categories(schema, schema)


def _find_categories(node: Any, root: dict[str, Any]) -> tuple[str, ...]:
    children = node if isinstance(node, list) else list(node.values()) if isinstance(node, dict) else []
    category = (node.get("properties") or {}).get("category") if isinstance(node, dict) else None
    if isinstance(category, dict) and (values := _enum_values(category, root)):
        return values
    return next((found for child in children if (found := _find_categories(child, root))), ())


def _enum_values(node: dict[str, Any], root: dict[str, Any]) -> tuple[str, ...]:
    if "$ref" in node:
        return _enum_values(resolve_ref(node["$ref"], root), root)
    if "enum" in node:
        return tuple(value for value in node["enum"] if isinstance(value, str))
    children = (*node.get("anyOf", ()), *node.get("allOf", ()))
    return next((found for child in children if (found := _enum_values(child, root))), ())


class _SchemaFiller:
    def __init__(self, *, root: dict[str, Any], known: KnownValues) -> None:
        self.root, self.known = root, known

    def value(self, node: dict[str, Any], wanted: Any) -> Any:
        """A value that is valid for this node and as close to the wanted one as its schema permits."""
        if "$ref" in node:
            return self.value(resolve_ref(node["$ref"], self.root), wanted)
        if "const" in node:
            return node["const"]
        if "enum" in node:
            return _choose(node["enum"], wanted)
        if "allOf" in node:
            return self.value(_merged(node, self.root), wanted)
        if "anyOf" in node:
            return self.value(self._choose_variant(node["anyOf"], wanted), wanted)
        return self._typed(node, wanted)

    def _typed(self, node: dict[str, Any], wanted: Any) -> Any:
        kind = _best_type(types_of(node), wanted)
        if kind == "object":
            return self._object(node, wanted)
        if kind == "array":
            return self._array(node, wanted)
        if kind == "string" and "format" in node:
            return _FORMAT_EXAMPLES[node["format"]]
        return _scalar(kind, wanted)

    def _object(self, node: dict[str, Any], wanted: Any) -> dict[str, Any]:
        properties = node.get("properties", {})
        required = set(node.get("required", ()))
        ordered = sorted(properties, key=lambda name: name not in required)
        return {name: self.value(properties[name], self._wanted_for(name, wanted)) for name in ordered}

    def _wanted_for(self, name: str, parent: Any) -> Any:
        if isinstance(parent, Mapping):
            return parent.get(name)
        return self.known.get(name.lower(), parent)

    def _array(self, node: dict[str, Any], wanted: Any) -> list[Any]:
        wanted = wanted if isinstance(wanted, list | tuple) else [] if wanted is None else [wanted]
        items = node.get("items", {"type": "string"})
        filled = [self.value(items, one) for one in wanted]
        return filled or [self.value(items, None)] * node.get("minItems", 0)

    def _choose_variant(self, variants: list[dict[str, Any]], wanted: Any) -> dict[str, Any]:
        resolved = [(one, resolve_ref(one["$ref"], self.root) if "$ref" in one else one) for one in variants]
        accepting = [one for one, target in resolved if _accepts(target, wanted)]
        not_null = [one for one, target in resolved if target.get("type") != "null"]
        return (accepting or not_null or variants)[0]


def _merged(node: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    merged = {key: value for key, value in node.items() if key != "allOf"}
    for part in node["allOf"]:
        merged |= resolve_ref(part["$ref"], root) if "$ref" in part else part
    return merged


def _choose(values: list[Any], wanted: Any) -> Any:
    wanted = str(wanted).lower()
    return next((value for value in values if str(value).lower() == wanted), values[0])


def _accepts(node: dict[str, Any], wanted: Any) -> bool:
    if "enum" in node:
        return any(str(value).lower() == str(wanted).lower() for value in node["enum"])
    return any(isinstance(wanted, _PYTHON_TYPES[kind]) for kind in types_of(node))


_PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool, "array": (list, tuple),
    "object": Mapping, "null": type(None),
}  # fmt: skip


def _best_type(types: list[str], wanted: Any) -> str:
    fitting = [kind for kind in types if isinstance(wanted, _PYTHON_TYPES[kind])]
    return (fitting or [kind for kind in types if kind != "null"] or types or ["string"])[0]


def _scalar(kind: str, wanted: Any) -> Any:
    if wanted is None or isinstance(wanted, bool) != (kind == "boolean"):
        return _DEFAULTS[kind]
    if kind == "string":
        return wanted if isinstance(wanted, str) else json.dumps(wanted)
    # Known confidences go from 0 to 100; a schema that asks for a number is taken to want 0 to 1.
    if kind == "number" and isinstance(wanted, int):
        return wanted / 100
    return wanted if isinstance(wanted, _PYTHON_TYPES[kind]) else _DEFAULTS[kind]
