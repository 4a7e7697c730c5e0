"""The sandbox is tried with the readers' own fixtures."""

from tests.unit.extract.conftest import extractor, read, read_within

__all__ = ["extractor", "read", "read_within"]
