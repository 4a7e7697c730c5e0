"""The sandbox is tried through the same fixtures as the readers that run in it."""

from tests.unit.extract.conftest import extractor, read, read_within

__all__ = ["extractor", "read", "read_within"]
