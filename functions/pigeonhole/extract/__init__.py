"""Documents to text: one format a file, one table, one set of limits.

The nursery imports this package too, and each module that it has makes every fork dearer: so the
extractor, which it has no use for, is imported when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigeonhole.extract.limits import Limits

if TYPE_CHECKING:
    from pigeonhole.extract.extractor import Extractor

__all__ = ["Extractor", "Limits"]


def __getattr__(name: str) -> type[Extractor]:
    if name != "Extractor":
        raise AttributeError(name)
    from pigeonhole.extract.extractor import Extractor

    return Extractor
