"""Fills any accepted schema: known property names with what the analysis says, the rest plainly."""

import json
from collections.abc import Mapping
from typing import Any

from infra.local.offline_claude.request.json_schema import resolve_ref, types_of

Known = Mapping[str, Any]

_FORMATS = {
    "date-time": "2026-01-01T00:00:00Z", "date": "2026-01-01", "time": "00:00:00Z", "duration": "P1D",
    "email": "nobody@example.com", "hostname": "example.com", "uri": "https://example.com/",
    "ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "uuid": "00000000-0000-4000-8000-000000000000",
}  # fmt: skip
_PLAIN: dict[str, Any] = {"string": "", "integer": 0, "number": 0.0, "boolean": False, "null": None}


def fill(schema: dict[str, Any], known: Known) -> Any:
    """A value of this schema; required properties come first, as the API orders them."""
    return _Shape(root=schema, known=known).value(schema, None)


def offered_categories(schema: dict[str, Any]) -> tuple[str, ...]:
    """The values that the schema allows for `category`, wherever it stands."""
    return _search(schema, schema)


def _search(node: Any, root: dict[str, Any]) -> tuple[str, ...]:
    parts = node if isinstance(node, list) else list(node.values()) if isinstance(node, dict) else []
    wanted = (node.get("properties") or {}).get("category") if isinstance(node, dict) else None
    if isinstance(wanted, dict) and (values := _choices(wanted, root)):
        return values
    return next((found for part in parts if (found := _search(part, root))), ())


def _choices(node: dict[str, Any], root: dict[str, Any]) -> tuple[str, ...]:
    if "$ref" in node:
        return _choices(resolve_ref(node["$ref"], root), root)
    if "enum" in node:
        return tuple(value for value in node["enum"] if isinstance(value, str))
    parts = (*node.get("anyOf", ()), *node.get("allOf", ()))
    return next((found for part in parts if (found := _choices(part, root))), ())


class _Shape:
    def __init__(self, *, root: dict[str, Any], known: Known) -> None:
        self.root, self.known = root, known

    def value(self, node: dict[str, Any], said: Any) -> Any:
        """A value for this node that says as much of what is known as the node has room for."""
        if "$ref" in node:
            return self.value(resolve_ref(node["$ref"], self.root), said)
        if "const" in node:
            return node["const"]
        if "enum" in node:
            return _choose(node["enum"], said)
        if "allOf" in node:
            return self.value(_merged(node, self.root), said)
        if "anyOf" in node:
            return self.value(self._variant(node["anyOf"], said), said)
        return self._typed(node, said)

    def _typed(self, node: dict[str, Any], said: Any) -> Any:
        kind = _best_type(types_of(node), said)
        if kind == "object":
            return self._object(node, said)
        if kind == "array":
            return self._array(node, said)
        return _FORMATS[node["format"]] if "format" in node and kind == "string" else _scalar(kind, said)

    def _object(self, node: dict[str, Any], said: Any) -> dict[str, Any]:
        properties = node.get("properties", {})
        required = set(node.get("required", ()))
        ordered = sorted(properties, key=lambda name: name not in required)
        return {name: self.value(properties[name], self._said(name, said)) for name in ordered}

    def _said(self, name: str, above: Any) -> Any:
        if isinstance(above, Mapping):
            return above.get(name)
        return self.known.get(name.lower(), above)

    def _array(self, node: dict[str, Any], said: Any) -> list[Any]:
        said = said if isinstance(said, list | tuple) else [] if said is None else [said]
        items = node.get("items", {"type": "string"})
        return [self.value(items, one) for one in said] or [self.value(items, None)] * node.get("minItems", 0)

    def _variant(self, variants: list[dict[str, Any]], said: Any) -> dict[str, Any]:
        looked = [(one, resolve_ref(one["$ref"], self.root) if "$ref" in one else one) for one in variants]
        fitting = [one for one, seen in looked if _fits(seen, said)]
        filled = [one for one, seen in looked if seen.get("type") != "null"]
        return (fitting or filled or variants)[0]


def _merged(node: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    merged = {key: value for key, value in node.items() if key != "allOf"}
    for part in node["allOf"]:
        merged |= resolve_ref(part["$ref"], root) if "$ref" in part else part
    return merged


def _choose(values: list[Any], said: Any) -> Any:
    wanted = str(said).lower()
    return next((value for value in values if str(value).lower() == wanted), values[0])


def _fits(node: dict[str, Any], said: Any) -> bool:
    if "enum" in node:
        return any(str(value).lower() == str(said).lower() for value in node["enum"])
    return any(isinstance(said, _PYTHON[kind]) for kind in types_of(node))


_PYTHON: dict[str, type | tuple[type, ...]] = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool, "array": (list, tuple),
    "object": Mapping, "null": type(None),
}  # fmt: skip


def _best_type(types: list[str], said: Any) -> str:
    fitting = [kind for kind in types if isinstance(said, _PYTHON[kind])]
    return (fitting or [kind for kind in types if kind != "null"] or types or ["string"])[0]


def _scalar(kind: str, said: Any) -> Any:
    if said is None or isinstance(said, bool) != (kind == "boolean"):
        return _PLAIN[kind]
    if kind == "string":
        return said if isinstance(said, str) else json.dumps(said)
    # A confidence is known in hundredths; a schema that asks for a number is understood to want 0 to 1.
    if kind == "number" and isinstance(said, int):
        return said / 100
    return said if isinstance(said, _PYTHON[kind]) else _PLAIN[kind]
