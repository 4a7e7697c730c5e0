"""Rows of the documents table as JSON values."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

Row = dict[str, Any]
_DESERIALIZER = TypeDeserializer()


def from_dynamodb(item: Mapping[str, Any]) -> Row:
    """A DynamoDB item as a dictionary of JSON values."""
    return {name: _plain(_DESERIALIZER.deserialize(value)) for name, value in item.items()}


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dict():
            return {name: _plain(inner) for name, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case set() | frozenset():
            return sorted(_plain(inner) for inner in value)
    return value
