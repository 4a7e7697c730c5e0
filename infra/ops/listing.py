"""Lists documents by the indexes of the documents table, newest first, and reads their full rows."""

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any

from infra.ops.rows import Row, from_dynamodb
from infra.ops.stack import Stack

STATUSES = ("done", "needs_review", "failed", "parked", "escalated", "processing", "removed")
_BATCH_SIZE = 100


def of_category(stack: Stack, category: str) -> Iterator[str]:
    """The URIs of a category's documents."""
    return (item["document"] for item in _query(stack, "by_category", "category", category))


def of_statuses(stack: Stack, statuses: Iterable[str]) -> Iterator[str]:
    """The URIs of the documents with one of these statuses."""
    newest_first = [_query(stack, "by_status", "status", each) for each in statuses]
    return (item["document"] for item in merge(*newest_first, key=itemgetter("updated_at"), reverse=True))


def full_rows(stack: Stack, uris: Iterable[str]) -> Iterator[Row]:
    """The full rows of these documents; one whose row is gone by now is left out."""
    rest = iter(uris)
    while chunk := list(islice(rest, _BATCH_SIZE)):
        found = stack.rows(chunk)
        yield from (found[uri] for uri in chunk if uri in found)


def count(stack: Stack, status: str) -> int:
    """How many documents have this status; the query costs as many read units as to list them."""
    return sum(page["Count"] for page in _pages(stack, "by_status", "status", status, Select="COUNT"))


def _query(stack: Stack, index: str, attribute: str, value: str) -> Iterator[Row]:
    for page in _pages(stack, index, attribute, value):
        yield from map(from_dynamodb, page["Items"])


def _pages(stack: Stack, index: str, attribute: str, value: str, **more: Any) -> Iterator[dict[str, Any]]:
    pages: Iterator[dict[str, Any]] = (
        stack.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=stack.outputs["DocumentsTable"],
            IndexName=index,
            KeyConditionExpression="#a = :v",
            ExpressionAttributeNames={"#a": attribute},
            ExpressionAttributeValues={":v": {"S": value}},
            ScanIndexForward=False,
            **more,
        )
    )
    return pages
