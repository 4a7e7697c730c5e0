"""Checks that structured output supports a JSON schema; the 400 for others names the unsupported keyword."""

from collections.abc import Iterator
from typing import Any

from infra.local.offline_claude.spec.errors import bad_request

# Source: the structured outputs page of platform.claude.com, August 2026.

SCHEMA_PATH = "output_config.format.schema"
TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
FORMATS = ("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid")
MAX_OPTIONAL = 24
MAX_UNIONS = 16

_COMMON_KEYWORDS = {
    "type", "title", "description", "enum", "const", "default", "$ref", "$defs", "definitions", "anyOf",
    "allOf",
}  # fmt: skip
_KEYWORDS_BY_TYPE = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "minItems"},
    "string": {"format", "pattern"},
}


def check_schema(schema: Any) -> None:
    """Raise the documented 400 unless structured output supports the schema."""
    if not isinstance(schema, dict):
        raise bad_request(f"{SCHEMA_PATH}: Input should be a valid dictionary")
    if schema.get("type") != "object" and not {"$ref", "anyOf", "allOf"} & schema.keys():
        raise bad_request(f"{SCHEMA_PATH}: The root of the schema must be of type 'object'")
    nodes = list(_nodes(schema, schema, ()))
    for node in nodes:
        _check_node(node)
    _check_size(nodes)


def _nodes(node: Any, root: dict[str, Any], refs: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    if not isinstance(node, dict):
        raise bad_request(f"{SCHEMA_PATH}: A schema must be an object, not {node!r}")
    _check_shape(node)
    yield node
    if "$ref" in node:
        target = node["$ref"]
        if target in refs:
            raise bad_request(
                f"{SCHEMA_PATH}: Circular reference detected in '{target}'. Recursion is not supported"
            )
        yield from _nodes(resolve_ref(target, root), root, (*refs, target))
    for child in _children(node):
        yield from _nodes(child, root, refs)


def resolve_ref(target: Any, root: dict[str, Any]) -> Any:
    """The part of the root schema that a local `$ref` points to. Raises a 400 for any other reference."""
    if not isinstance(target, str) or not target.startswith("#/"):
        raise bad_request(f"{SCHEMA_PATH}: External $ref {target!r} is not supported")
    node: Any = root
    for step in target[2:].split("/"):
        if not isinstance(node, dict) or step not in node:
            raise bad_request(f"{SCHEMA_PATH}: $ref {target!r} leads nowhere")
        node = node[step]
    return node


def _children(node: dict[str, Any]) -> Iterator[Any]:
    yield from node.get("properties", {}).values()
    if "items" in node:
        yield node["items"]
    for union in ("anyOf", "allOf"):
        yield from node.get(union, ())


def _check_shape(node: dict[str, Any]) -> None:
    for keyword in ("properties", "$defs", "definitions"):
        if not isinstance(node.get(keyword, {}), dict):
            raise bad_request(f"{SCHEMA_PATH}: '{keyword}' must be an object")
    for keyword in ("anyOf", "allOf", "enum"):
        if not isinstance(node.get(keyword, []), list) or node.get(keyword) == []:
            raise bad_request(f"{SCHEMA_PATH}: '{keyword}' must be a non-empty list")
    required = node.get("required", [])
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        raise bad_request(f"{SCHEMA_PATH}: 'required' must be a list of names")


def types_of(node: dict[str, Any]) -> list[Any]:
    """The types that a schema names, empty if it names none."""
    named = node.get("type", [])
    return list(named) if isinstance(named, list) else [named]


def _check_node(node: dict[str, Any]) -> None:
    types = types_of(node)
    for kind in types:
        if kind not in TYPES:
            raise bad_request(f"{SCHEMA_PATH}: Unknown type {kind!r}")
    if not types and not {"enum", "const", "$ref", "anyOf", "allOf"} & node.keys():
        raise bad_request(
            f"{SCHEMA_PATH}: Schema must have a 'type', 'enum', 'const', 'anyOf', 'allOf' or '$ref'"
        )
    _check_keywords(node, types)
    _check_object(node, types)
    _check_values(node)


def _check_keywords(node: dict[str, Any], types: list[Any]) -> None:
    allowed = _COMMON_KEYWORDS.union(*(_KEYWORDS_BY_TYPE.get(kind, set()) for kind in types))
    if extra := sorted(node.keys() - allowed):
        kind = types[0] if types else "any"
        verb = "properties" if len(extra) > 1 else "property"
        raise bad_request(
            f"{SCHEMA_PATH}: For '{kind}' type, {verb} {', '.join(extra)} "
            f"{'are' if len(extra) > 1 else 'is'} not supported"
        )


def _check_object(node: dict[str, Any], types: list[Any]) -> None:
    if "object" not in types:
        return
    if node.get("additionalProperties") is not False:
        raise bad_request(
            f"{SCHEMA_PATH}: For 'object' type, 'additionalProperties' must be explicitly set to false"
        )
    if unknown := sorted(set(node.get("required", ())) - node.get("properties", {}).keys()):
        raise bad_request(
            f"{SCHEMA_PATH}: 'required' names properties that are not defined: {', '.join(unknown)}"
        )


def _check_values(node: dict[str, Any]) -> None:
    if any(isinstance(value, dict | list) for value in node.get("enum", ())):
        raise bad_request(f"{SCHEMA_PATH}: 'enum' may hold strings, numbers, booleans and nulls only")
    if node.get("minItems", 0) not in (0, 1):
        raise bad_request(
            f"{SCHEMA_PATH}: For 'array' type, 'minItems' values other than 0 or 1 are not supported"
        )
    if "format" in node and node["format"] not in FORMATS:
        raise bad_request(f"{SCHEMA_PATH}: For 'string' type, format '{node['format']}' is not supported")


def _check_size(nodes: list[dict[str, Any]]) -> None:
    optional = sum(len(node.get("properties", {}).keys() - set(node.get("required", ()))) for node in nodes)
    unions = sum("anyOf" in node or len(types_of(node)) > 1 for node in nodes)
    if optional > MAX_OPTIONAL or unions > MAX_UNIONS:
        raise bad_request(
            f"{SCHEMA_PATH}: Schema is too complex for compilation: {optional} optional properties "
            f"(at most {MAX_OPTIONAL}), {unions} union types (at most {MAX_UNIONS})"
        )
