"""DynamoDB's typed values and ours: times as text, nothing that is None."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

Item = dict[str, Any]


def as_item(values: Mapping[str, Any]) -> Item:
    """Plain values as DynamoDB takes them."""
    serializer = TypeSerializer()
    return {name: serializer.serialize(value) for name, value in values.items()}


def as_plain(item: Item) -> Item:
    """What DynamoDB gives, as plain values."""
    deserializer = TypeDeserializer()
    return {name: deserializer.deserialize(value) for name, value in item.items()}


def plain_times(value: Any) -> Any:
    """The value with its times and days as text, at any depth."""
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): plain_times(each) for name, each in value.items()}
    return [plain_times(each) for each in value] if isinstance(value, list | tuple) else value
