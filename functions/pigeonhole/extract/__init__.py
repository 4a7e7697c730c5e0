"""Documents to text: one format a file, one table, one set of limits."""

from __future__ import annotations

from pigeonhole.extract.extractor import Extractor
from pigeonhole.extract.limits import Limits

__all__ = ["Extractor", "Limits"]
